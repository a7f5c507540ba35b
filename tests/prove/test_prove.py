"""The proof: a race on a copy of the table, without the constraint and with it, and no trace left.

In the first round every process looks before any creates, so two calls are enough for certain.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction

from dedupe_toolkit import DedupeError, match_key, prove_get_or_create
from dedupe_toolkit.databases import database
from dedupe_toolkit.databases.scratch import scratch_copy
from tests.commands.terminal import ROOT, at_terminal, finished, in_pipe
from tests.concurrency_kit import PATIENCE, on_postgresql, on_sqlite, session, until
from tests.databases.pooler import pooler, with_pgbouncer
from tests.kit import snapshot
from tests.merging.killing import database_url
from tests.situations.family.models import Pizzeria
from tests.situations.keyed.models import City, Enrolment, Measurement, Settings
from tests.situations.links.models import Author
from tests.situations.ruled.models import Follow, Person, Share, Trade
from tests.situations.typed.models import Everything, Priced

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model

pytestmark = pytest.mark.django_db(transaction=True)

LINE = ("prove_get_or_create", "links.Author", "--fields", "name")
FEW = ("--processes", "2", "--calls", "2")
MANY = ("--processes", "2", "--calls", "1000000")


def no_scratch_is_left() -> bool:
    return not database("default").scratch_names()


@pytest.fixture(autouse=True)
def _nothing_left_behind() -> Iterator[None]:
    yield
    assert no_scratch_is_left()


def assert_proven(model: type[Model], *fields: str, **options: Any) -> None:
    """The race leaves the one duplicate that it must, and none with the constraint."""
    before = snapshot()
    proof = prove_get_or_create(match_key(model, fields, **options), processes=2, calls=2)
    assert (proof.without.calls, proof.without.duplicates) == (2, 1)
    assert (proof.constrained.calls, proof.constrained.duplicates) == (2, 0)
    assert (proof.without.errors, proof.constrained.errors, proof.notes) == ({}, {}, ())
    assert snapshot() == before


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (Everything, ["char", "date", "decimal", "uuid", "boolean", "ip", "time", "duration"]),
        (Follow, ["who", "whom"]),
        (Share, ["code"]),
        (Settings, ["theme"]),
        (Priced, ["name", "zone"]),
        (Enrolment, ["grade"]),
        (City, ["country"]),
        (Pizzeria, ["oven"]),
    ],
    ids=lambda each: each.__name__ if isinstance(each, type) else "-".join(each),
)
def test_without_rows_values_are_made_up_for_keys_of_any_type(
    model: type[Model], fields: list[str]
) -> None:
    assert_proven(model, *fields)


def test_the_values_of_a_row_that_is_there_are_raced_for_and_it_stays_as_it_is() -> None:
    for points in (99, 100):
        Person.objects.create(name="Ann", points=points, start=1, end=2, mail=f"{points}@x.org")
    assert_proven(Person, "name", "points")


def test_a_key_with_transforms_is_raced_for_by_its_transforms() -> None:
    Author.objects.create(name="  ANN  Lee ")
    assert_proven(Author, "name__collapse__lower")


def test_a_condition_narrows_the_race() -> None:
    Person.objects.create(name="Ann", area=1)
    assert_proven(Person, "name", where={"area": 1, "points__isnull": True})
    assert_proven(Person, "phone", where={"area__isnull": True}, blanks="distinct")
    assert_proven(City, "country", where={"country_id": "de"})


def test_nulls_that_are_equal_are_raced_for() -> None:
    assert_proven(Person, "name", "area", nulls="equal")
    Person.objects.create(name="Ann", area=1)
    assert_proven(Person, "name", "area", nulls="equal")


def test_a_rule_that_is_there_already_is_taken_from_the_copy_and_left_on_the_table() -> None:
    Person.objects.create(name="Ann", mail="ann@example.org")
    assert_proven(Person, "mail")
    with pytest.raises(Exception, match=r"(?i)unique|duplicate"), transaction.atomic():
        Person.objects.create(name="Bob", mail="ann@example.org")


def test_many_calls_are_counted_in_rounds() -> None:
    proof = prove_get_or_create(match_key(Author, ["name"]), processes=3, calls=20)
    assert proof.without.calls == proof.constrained.calls == 18
    assert proof.without.duplicates >= 2
    assert proof.constrained.duplicates == 0
    assert proof.without.calls_per_second > 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"processes": 1}, "two processes at least"),
        ({"processes": 8, "calls": 7}, "a call for each"),
        ({"using": "defualt"}, "default"),
    ],
)
def test_a_race_that_is_none_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(DedupeError, match=words):
        prove_get_or_create(match_key(Author, ["name"]), **options)


def test_a_key_with_the_primary_key_has_nothing_to_prove() -> None:
    with pytest.raises(DedupeError, match="nothing to prove"):
        prove_get_or_create(match_key(Measurement, ["number", "station", "name"]))


def test_in_a_transaction_nobody_else_would_see_the_copy() -> None:
    with transaction.atomic(), pytest.raises(DedupeError, match="leave the transaction"):
        prove_get_or_create(match_key(Author, ["name"]))


def test_a_row_that_the_database_refuses_ends_in_one_line() -> None:
    line = ("prove_get_or_create", "ruled.Trade", "--fields", "paid", *FEW)
    done = in_pipe(*line)
    (error,) = done.stderr.splitlines()
    assert "no row could be made up" in error
    # a copy on MySQL gives its checks names of its own, so that what they demand must tell
    assert "left" in error
    assert done.returncode == 1

    buyer = Person.objects.create(name="Ann")
    Trade.objects.create(buyer=buyer, paid=buyer.pk - 1)
    assert in_pipe(*line).returncode == 0


@on_postgresql
def test_a_value_that_nobody_can_make_up_is_asked_for_and_taken_from_a_row() -> None:
    from tests.situations.arrays.models import Singer

    with pytest.raises(DedupeError, match=r"tags \(ArrayField\): let the table hold a row"):
        prove_get_or_create(match_key(Singer, ["tags", "name"]), processes=2, calls=2)
    Singer.objects.create(name="Ann", tags=["alto"])
    assert_proven(Singer, "tags", "name")


def test_a_key_that_nothing_can_keep_is_refused() -> None:
    if connection.features.supports_nulls_distinct_unique_constraints:
        pytest.skip("a constraint keeps it here")
    with pytest.raises(DedupeError, match="no value can stand in for NULL in ip"):
        prove_get_or_create(match_key(Everything, ["ip"], nulls="equal"), processes=2, calls=2)


# -- the command ---------------------------------------------------------------------------------


def proven(*options: str, **environment: str) -> dict[str, Any]:
    done = in_pipe(*LINE, *FEW, "--format", "json", *options, **environment)
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_the_document() -> None:
    document = proven()
    for race in (document["without"], document["with"]):
        assert race.pop("calls_per_second") == 0
    assert "UNIQUE" in document.pop("constraint")
    assert document.pop("isolation") in (None, "READ COMMITTED")
    assert document == {
        "model": "links.Author",
        "fields": ["name"],
        "nulls": "distinct",
        "database": "default",
        "processes": 2,
        "inside_transaction": False,
        "without": {"calls": 2, "duplicates": 1, "duplicates_per_thousand": 500.0, "errors": {}},
        "with": {"calls": 2, "duplicates": 0, "duplicates_per_thousand": 0.0, "errors": {}},
        "notes": [],
    }


def test_a_pipe_reads_a_line_for_each_race() -> None:
    done = in_pipe(*LINE, *FEW)
    assert [line.split("\t")[:4] for line in done.stdout.splitlines()[2:]] == [
        ["without the constraint", "2", "1", "500"],
        ["with the constraint", "2", "0", "0"],
    ]
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_a_terminal_shows_bars(columns: int) -> None:
    code, output = finished(at_terminal(*LINE, *FEW, columns=columns))
    width = min(40, columns - 4)
    assert f"{'█' * (width // 2)}{'·' * (width // 2)}" in output
    assert "·" * width in output
    assert (code, "Traceback" in output) == (0, False)


def repeatable_read() -> str:
    setting = "isolation_level=repeatable%20read"
    if connection.vendor == "postgresql":
        setting = f"options={quote('-c default_transaction_isolation=repeatable', safe='')}"
        setting += quote("\\ read", safe="")
    return f"{database_url()}?{setting}"


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite's transactions are all alike")
def test_repeatable_read_is_explained_where_it_bites() -> None:
    document = proven("--inside-transaction", DATABASE_URL=repeatable_read())
    assert document["isolation"] == "REPEATABLE READ"
    assert document["without"]["duplicates"] == 1
    assert document["with"]["duplicates"] == 0
    assert document["with"]["errors"] == {"IntegrityError": 1}
    (note,) = document["notes"]
    assert "still sees the table as it first saw it" in note
    assert proven(DATABASE_URL=repeatable_read())["notes"] == []


def test_inside_a_transaction_the_race_is_the_same_unless_only_one_may_run() -> None:
    document = proven("--inside-transaction")
    assert document["with"]["duplicates"] == 0
    expected = 0 if connection.vendor == "sqlite" else 1
    assert document["without"]["duplicates"] == expected


@on_sqlite
def test_transactions_that_begin_with_the_lock_take_turns() -> None:
    document = proven(
        "--inside-transaction", DATABASE_URL=f"{database_url()}?transaction_mode=IMMEDIATE"
    )
    for race in (document["without"], document["with"]):
        assert (race["duplicates"], race["errors"]) == (0, {})
    (note,) = document["notes"]
    assert note.endswith("let only one of these transactions at a time look and create")


def test_mistakes_are_one_line() -> None:
    for options in (["--processes", "1"], ["--calls", "1"], ["--format", "csv"]):
        with pytest.raises(CommandError) as caught:
            call_command(*LINE, *options)
        assert "\n" not in str(caught.value)


# -- nothing is left behind ----------------------------------------------------------------------


@contextmanager
def racing() -> Iterator[subprocess.Popen[bytes]]:
    """A proof that would take for ever, at work in a process of its own."""
    environment = {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "tests.settings"}
    process = subprocess.Popen(
        [sys.executable, "manage.py", *LINE, *MANY],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        until(lambda: process.poll() is not None or not no_scratch_is_left())
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_stop_leaves_no_scratch_table() -> None:
    with racing() as process:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 128 + signal.SIGTERM, errors.decode()
    assert errors.decode().split() == ["Stopped."]
    assert no_scratch_is_left()


STOPPED_WHILE_STARTING = """
import os, signal, sys
from multiprocessing import util
from django.core.management import execute_from_command_line

start = util.spawnv_passfds
asked = []

def start_then_stop(path, words, handed):
    number = start(path, words, handed)
    # the tracker of semaphores is started the same way, and before
    if "spawn_main" in str(words) and not asked:
        asked.append(number)
        os.kill(os.getpid(), signal.SIGTERM)
    return number

util.spawnv_passfds = start_then_stop
execute_from_command_line(["manage.py", *sys.argv[1:]])
"""


def test_a_stop_while_a_process_starts_is_as_quiet() -> None:
    environment = {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "tests.settings"}
    done = subprocess.run(
        [sys.executable, "-c", STOPPED_WHILE_STARTING, *LINE, *MANY],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stderr.split()) == (128 + signal.SIGTERM, ["Stopped."])


def test_ctrl_c_in_the_middle_of_the_race_leaves_no_scratch_table() -> None:
    child = at_terminal(*LINE, *MANY)
    child.expect(r"Racing.* [1-9]\d*/1000000")
    child.sendintr()
    code, output = finished(child)
    assert (code, "Traceback" in output, "Stopped." in output) == (130, False, True)
    assert no_scratch_is_left()


def test_what_a_kill_leaves_behind_the_next_proof_drops() -> None:
    with racing() as process:
        process.kill()
    (left,) = database("default").scratch_names()
    until(lambda: is_free(left))
    assert_proven(Author, "name")
    assert no_scratch_is_left()


def is_free(name: str) -> bool:
    with database("default").scratch_lock(name) as is_ours:
        return is_ours


def test_the_copy_of_a_proof_at_work_is_left_alone() -> None:
    with session() as other:
        copy = other.do(_entered)
        first = set(database("default").scratch_names())
        with scratch_copy(database("default"), Author):
            assert len(first) == 1
            assert first < set(database("default").scratch_names())
        assert set(database("default").scratch_names()) == first
        other.do(copy.__exit__, None, None, None)


def _entered() -> Any:
    copy = scratch_copy(database("default"), Author)
    copy.__enter__()
    return copy


@on_postgresql
def test_the_sequence_of_the_table_counts_for_its_own_rows_only() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE links_author ALTER COLUMN id DROP IDENTITY")
        cursor.execute("CREATE SEQUENCE authors_count")
        default = "nextval('authors_count')"
        cursor.execute(f"ALTER TABLE links_author ALTER COLUMN id SET DEFAULT {default}")
        try:
            assert_proven(Author, "name")
            cursor.execute(f"SELECT {default}")
            assert cursor.fetchone() == (1,)
        finally:
            cursor.execute("ALTER TABLE links_author ALTER COLUMN id DROP DEFAULT")
            cursor.execute("DROP SEQUENCE authors_count")
            identity = "ADD GENERATED BY DEFAULT AS IDENTITY"
            cursor.execute(f"ALTER TABLE links_author ALTER COLUMN id {identity}")


# -- what stands in the way ----------------------------------------------------------------------


@on_postgresql
@with_pgbouncer
@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_a_pooler_is_refused_unless_sessions_stay_whole(mode: str) -> None:
    before, after = database_url().rsplit(":", 1)
    with pooler(mode) as port:
        url = f"{before}:{port}/{after.partition('/')[2]}"
        done = in_pipe(*LINE, *FEW, DATABASE_URL=url)
    assert done.returncode == (0 if mode == "session" else 1), done.stderr
    if mode == "transaction":
        (error,) = done.stderr.splitlines()
        assert "through a pooler that gives each transaction another session" in error
