"""What the benchmarks conclude from what they measured."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection

from benchmarks import suite
from benchmarks.publish import _curves, _table
from benchmarks.report import Row
from benchmarks.runner import Job, Runner, middle, waited
from benchmarks.scans import LARGE, full_scans
from benchmarks.servers import server
from testproject.library.models import Author

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.mark.django_db(transaction=True)
def test_a_statement_without_an_index_scans_and_one_with_an_index_does_not() -> None:
    Author.objects.bulk_create(
        Author(first_name=str(number), last_name="Woolf") for number in range(3 * LARGE)
    )
    if connection.vendor != "sqlite":
        with connection.cursor() as cursor:
            is_mysql = connection.vendor == "mysql"
            cursor.execute(f"ANALYZE {'TABLE ' if is_mysql else ''}library_author")
            cursor.fetchall() if is_mysql else None
    name = "SELECT COUNT(*) FROM library_author a WHERE a.first_name = %s"
    (scan,) = full_scans(name, ["7"])
    assert scan.startswith(("library_author", "a ("))
    assert full_scans("SELECT COUNT(*) FROM library_author a WHERE a.id = %s", [7]) == []


def row(database: str, authors: int, value: float, **goals: float) -> dict[str, object]:
    found = Row("slowness", value, 2.0, **goals)
    return {"database": database, "authors": authors, **asdict(found)}


def test_the_table_shows_in_bold_what_misses_its_goal() -> None:
    rows = [
        row("sqlite", 500, 3.0, goal=1.2),
        row("mysql", 500, 2.0, goal=1.2),
        row("mysql", 2000, 90.0, least=50),
    ]
    assert list(_table(rows)) == [
        "| | mysql 500 | sqlite 500 | mysql 2,000 | asked |",
        "|---|--:|--:|--:|--:|",
        "| slowness | 1.00 | **1.50** | **45.00** | ≤ 1.2 x, ≥ 50 x |",
    ]


def test_a_plot_shows_the_median_time_of_each_size_by_the_clock_asked_for() -> None:
    sample = {"total": {"wall": 3.0, "cpu": 1.0}}
    slower = {"total": {"wall": 5.0, "cpu": 2.0}}
    slowest = {"total": {"wall": 90.0, "cpu": 60.0}}
    samples = {
        "sqlite 500 peers": {
            "engine": [slower, slowest, sample],
            "other": [{"error": "not installed"}],
        },
        "sqlite 2000 peers": {"engine": [slower], "other": [{"total": {"wall": 9.0}}]},
        "sqlite 500 merge": {"engine": [sample]},
    }
    contestants = ["engine", "other"]
    assert _curves(samples, "peers", contestants, waited) == {
        "sqlite": {"engine": [(500, 5.0), (2000, 5.0)], "other": [(2000, 9.0)]}
    }
    assert _curves(samples, "peers", ["engine"], middle) == {
        "sqlite": {"engine": [(500, 2.0), (2000, 2.0)]}
    }


@pytest.fixture
def sqlite() -> Iterator[Runner]:
    found = server("sqlite")
    yield Runner(server=found, template="peers_60", say=lambda line: None)
    found.close()


def test_hand_written_sql_leaves_the_rows_that_the_engine_leaves(sqlite: Runner) -> None:
    sqlite.load(60, for_peers=True)
    samples, rows = suite.peers(sqlite, 1)
    (raw,), (engine,) = samples[suite.RAW], samples[suite.ONE_BATCH]
    assert engine["rows_merged"] == 18
    assert raw["outcome"] == engine["outcome"]
    assert rows[0].what == "hand-written SQL, against the engine (wall)"


@dataclass(frozen=True, kw_only=True)
class Stopwatch(Runner):
    """Says that the jobs took 17, 16, 15, … seconds, without doing them."""

    sql_leaves: str = "all"
    done: list[str] = field(default_factory=list)

    def once(self, job: Job) -> dict[str, Any]:
        self.done.append(job.options.get("name", job.name))
        outcome = self.sql_leaves if job.name == "raw_writers" else "all"
        return {"total": {"wall": 18.0 - len(self.done)}, "outcome": outcome}


def test_all_contestants_take_turns_and_the_median_of_each_counts(sqlite: Runner) -> None:
    runner = Stopwatch(server=sqlite.server, template="", say=sqlite.say)
    _, rows = suite.peers(runner, 3)
    assert runner.done == ["raw_writers", "engine", *suite.PEERS] * 3
    assert [(row.value, row.against, row.least) for row in rows] == [
        (11.0, 10.0, None),
        (9.0, 10.0, 200),
        (8.0, 10.0, 200),
        (7.0, 10.0, 200),
        (6.0, 10.0, 200),
    ]


def test_nothing_is_measured_before_all_ways_to_merge_leave_the_same_rows(sqlite: Runner) -> None:
    sqlite.load(60)
    suite.verify(sqlite)


def test_long_batches_are_held_to_a_limit_only_where_others_could_write(sqlite: Runner) -> None:
    sqlite.load(60)
    _, rows = suite.merging(sqlite, 1)
    limits = {row.what: row.limit for row in rows}
    assert limits["longest batch (wall)"] is None


def test_hand_written_sql_that_leaves_other_rows_ends_the_benchmark(sqlite: Runner) -> None:
    runner = Stopwatch(server=sqlite.server, template="", say=sqlite.say, sql_leaves="fewer")
    with pytest.raises(suite.TablesDiffer, match="hand-written SQL: fewer != all"):
        suite.peers(runner, 1)
