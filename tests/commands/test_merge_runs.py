"""``merge_runs``: what has been merged, what is under way, and what was cut off."""

from __future__ import annotations

import csv
import json
import shlex
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from dedupe_toolkit import MergePolicy, MergeRun, match_key, merge, plan_merge, row_set, undo
from dedupe_toolkit.databases.file_lock import file_lock, is_file_locked
from dedupe_toolkit.journal.progress import progress_of
from tests.commands.terminal import at_terminal, finished, in_pipe, started_in_pipe
from tests.concurrency_kit import committing, merge_equal, session
from tests.kit import merged
from tests.merging.killing import killed_merge
from tests.situations.links.models import Author, Book

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from dedupe_toolkit.journal.progress import RunProgress

pytestmark = committing


def authors(*names: str) -> list[Author]:
    rows = [Author.objects.create(name=name) for name in names]
    for row in rows:
        Book.objects.create(author=row, title=row.name)
    return rows


def told(*args: str, **options: object) -> str:
    out = StringIO()
    call_command("merge_runs", *args, stdout=out, no_color=True, **options)
    return out.getvalue()


def listed(*args: str) -> list[dict[str, str]]:
    """The rows of the table, by the names of their columns."""
    return list(csv.DictReader(StringIO(told(*args)), delimiter="\t"))


def cut_off_after_a_batch(names: int = 4) -> MergeRun:
    """A run whose process was killed in its second batch of two groups."""
    authors(*[str(number) for number in range(names)] * 2)
    # the run updates its row once as it begins, and twice in each batch
    killed_merge((4, "each"), Author, "--fields", "name", "--batch-size", "2")
    return MergeRun.objects.get()


# -- what is over ------------------------------------------------------------------------------


def test_without_any_run_it_says_so() -> None:
    assert told() == "There are no merge runs.\n"


def test_runs_are_listed_the_latest_first_with_who_when_key_and_numbers() -> None:
    rows = authors("Ann", "Ann", "Bob", "Bob", "Bob")
    key = match_key(Author, ["name"])
    first = merge(plan_merge(key), by="eve", origin=MergeRun.Origin.COMMAND)
    others = authors("Cid", "Dora")
    merge(plan_merge(row_set(Author, [row.pk for row in others])))
    second, one = listed()
    assert one | {"rows/s": "", "locks": "", "started": ""} == {
        "run": str(first.pk),
        "model": "links.Author",
        "key": "name",
        "by": "eve",
        "started": "",
        "status": "done",
        "groups": "2",
        "held back": "0",
        "rows": "3",
        "rows/s": "",
        "left": "",
        "locks": "",
    }
    assert one["started"] == f"{timezone.localtime(first.started):%Y-%m-%d %H:%M}"
    assert one["locks"].endswith(" s")
    assert (second["key"], second["rows"]) == ("rows named one by one", "1")
    assert {row.pk for row in rows} > set(Author.objects.values_list("pk", flat=True)) - {
        row.pk for row in others
    }


def test_the_document_has_the_numbers_of_each_run_and_how_to_undo_it() -> None:
    authors("Ann", "Ann")
    run = merged(Author, "name")
    (one,) = json.loads(told("--format", "json"))["runs"]
    assert one["run"] == run.pk
    assert (one["groups"], one["done"], one["merged"], one["rows_merged"]) == (1, 1, 1, 1)
    assert (one["status"], one["seconds_left"], one["go_on"]) == ("done", None, None)
    assert one["seconds"] >= one["lock_seconds"] > 0
    assert one["undo"] == f"manage.py undo_merge {run.pk}"
    undo(run)
    (one,) = json.loads(told("--format", "json"))["runs"]
    assert (one["status"], one["undo"]) == ("undone", None)


def test_csv_has_the_same_numbers() -> None:
    authors("Ann", "Ann")
    run = merged(Author, "name")
    (one,) = csv.DictReader(StringIO(told("--format", "csv")))
    assert (one["run"], one["fields"], one["status"]) == (str(run.pk), "name", "done")
    assert one["started"] == run.started.isoformat()


def test_runs_are_chosen_by_number_by_model_and_by_limit() -> None:
    authors("Ann", "Ann")
    first = merged(Author, "name")
    authors("Ann")
    second = merged(Author, "name")
    assert [one["run"] for one in listed(str(first.pk))] == [str(first.pk)]
    assert told("--limit", "1").splitlines()[1].startswith(f"{second.pk}\t")
    assert told("--limit", "1").endswith("and 1 more run; --limit 0 lists all.\n")
    assert len(listed("--model", "links.author", "--limit", "0")) == 2
    assert told("--model", "links.Book") == "There are no merge runs.\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["2000000000"], "there is no merge run 2000000000 in database 'default'"),
        (["last"], "RUN takes a whole number from 1, not 'last'"),
        (["--database", "othr"], "'othr'"),
        (["--model", "links.Autor"], "did you mean"),
        (["--format", "yaml"], "--format takes table, json or csv"),
    ],
)
def test_what_is_not_there_is_named(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        told(*arguments)


# -- what is under way -------------------------------------------------------------------------


def test_another_session_sees_how_far_a_run_has_come_without_being_in_its_way() -> None:
    authors(*["Ann", "Bob", "Cid"] * 2)
    seen: list[RunProgress] = []

    def look(done: int, total: int) -> None:
        with session() as other:
            seen.append(other.do(lambda: progress_of(MergeRun.objects.get())))

    run = merge_equal(Author, "name", batch_size=1, progress=look)
    assert [(one.status, one.done, one.groups, one.rows) for one in seen] == [
        ("running", done, 3, done) for done in (1, 2, 3)
    ]
    assert all(one.lock_seconds > 0 and one.rate for one in seen)
    left = [one.seconds_left or 0.0 for one in seen]
    assert left[0] > 0
    assert left[-1] == 0
    assert (run.status, progress_of(run).status) == ("done", "done")


def test_watching_in_a_pipe_writes_a_line_for_each_change_and_ends_with_the_run() -> None:
    authors(*["Ann", "Bob", "Cid"] * 2)
    watching: list[subprocess.Popen[str]] = []
    first: list[str] = []

    def watch(done: int, total: int) -> None:
        if not watching:
            watching.append(started_in_pipe("merge_runs", "--watch"))
            assert watching[0].stdout
            first.extend(watching[0].stdout.readline() for _ in range(2))

    run = merge_equal(Author, "name", batch_size=1, progress=watch)
    out, errors = watching[0].communicate(timeout=60)
    lines = list(csv.DictReader(StringIO("".join(first) + out), delimiter="\t"))
    assert (watching[0].returncode, errors) == (0, "")
    assert (lines[0]["status"], lines[0]["groups"]) == ("running", "1 of 3")
    assert (lines[-1]["run"], lines[-1]["status"]) == (str(run.pk), "done")
    assert (lines[-1]["groups"], lines[-1]["rows"]) == ("3", "3")


def test_each_line_of_json_that_is_watched_is_a_document() -> None:
    authors("Ann", "Ann")
    run = merged(Author, "name")
    (line,) = told(str(run.pk), "--watch", "--format", "json").splitlines()
    assert json.loads(line)["status"] == "done"


def test_ctrl_c_ends_the_watching_and_not_the_merge() -> None:
    authors(*["Ann", "Bob"] * 2)
    ends: list[tuple[int | None, str]] = []

    def watch(done: int, total: int) -> None:
        if not ends:
            child = at_terminal("merge_runs", "--watch", columns=200)
            child.expect_exact("1 of 2")
            child.sendintr()
            ends.append(finished(child))

    run = merge_equal(Author, "name", batch_size=1, progress=watch)
    ((code, shown),) = ends
    assert code == 130
    assert "Stopped watching: the merge itself goes on." in shown
    assert (run.status, run.merged) == ("done", 2)


def test_there_is_nothing_to_watch_where_nothing_runs() -> None:
    authors("Ann", "Ann")
    merged(Author, "name")
    done = in_pipe("merge_runs", "--watch")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "No merge is running.\n")


# -- what was cut off --------------------------------------------------------------------------


def test_a_run_whose_process_died_says_what_it_did_and_the_line_it_shows_goes_on() -> None:
    run = cut_off_after_a_batch()
    assert run.status == "running"  # nobody was left to say otherwise
    table, *notes = told().split(f"Run {run.pk} was cut off")
    assert "\tinterrupted\t2 of 4\t" in table
    (note,) = notes
    said, go_on, undo_it, _ = note.split("\n")
    assert said == ": 2 groups (2 rows) merged, the others are as they were."
    line = go_on.removeprefix("Go on with: ")
    assert line.startswith("manage.py merge_duplicates links.Author --fields name")
    assert undo_it == f"Undo it with: manage.py undo_merge {run.pk}"
    call_command(*shlex.split(line)[1:], "--no-input", stdout=StringIO())
    assert Author.objects.count() == 4
    assert listed(str(run.pk))[0]["status"] == "interrupted"


def test_a_run_whose_process_died_can_be_taken_back_as_it_says() -> None:
    run = cut_off_after_a_batch()
    call_command("undo_merge", str(run.pk), "--no-input", stdout=StringIO())
    assert Author.objects.count() == 8
    assert told().count("cut off") == 0


def test_the_line_to_go_on_says_how_the_run_was_told_to_merge() -> None:
    authors("Ann", "Ann", "Bob", "Bob", "Cid", "Cid")
    policy = MergePolicy(
        survivor="-id", on_conflict="hold", field_rules={"bio": "longest"}, batch_size=1, limit=2
    )
    key = match_key(Author, ["name"], where={"name__gte": "A"}, ignore_case=True)
    merge(plan_merge(key, policy=policy), origin=MergeRun.Origin.COMMAND)
    MergeRun.objects.update(status="running", merged=1)
    (one,) = json.loads(told("--format", "json"))["runs"]
    assert one["go_on"] == (
        "manage.py merge_duplicates links.Author --fields name__lower --where name__gte=A"
        " --survivor=-id --on-conflict=hold --batch-size=1 --field-rule=bio=longest --limit=1"
    )


def test_a_run_that_died_with_nothing_left_to_merge_is_not_gone_on_with() -> None:
    authors("Ann", "Ann")
    policy = MergePolicy(limit=1)
    merge(plan_merge(match_key(Author, ["name"]), policy=policy), origin=MergeRun.Origin.COMMAND)
    MergeRun.objects.update(status="running")
    said = told()
    assert "1 group (1 row) merged" in said
    assert "Go on" not in said
    assert "Undo it with" in said


@pytest.mark.parametrize("origin", [MergeRun.Origin.ADMIN, MergeRun.Origin.CODE])
def test_a_run_that_no_command_began_is_gone_on_with_where_it_began(origin: str) -> None:
    authors("Ann", "Ann")
    merge(plan_merge(match_key(Author, ["name"])), origin=origin)
    MergeRun.objects.update(status="running", groups=2)
    assert "Go on by merging again from where it was begun." in told()


def test_a_model_that_is_gone_is_no_reason_not_to_list_its_run() -> None:
    authors("Ann", "Ann")
    merge(plan_merge(match_key(Author, ["name"])), origin=MergeRun.Origin.COMMAND)
    MergeRun.objects.update(status="running", groups=2, model="links.Writer")
    assert "\tinterrupted\t" in told()
    assert "Go on by merging again from where it was begun." in told()


# -- the file locks of SQLite ------------------------------------------------------------------


def test_whoever_looks_at_a_lock_never_keeps_another_from_taking_it(tmp_path: Path) -> None:
    path = tmp_path / "run.lock"
    with ThreadPoolExecutor(1) as other:
        looking = other.submit(lambda: [is_file_locked(path) for _ in range(2_000)])
        refused = 0
        while not looking.done():
            with file_lock(path) as is_ours:
                refused += not is_ours
                assert is_file_locked(path)
            assert not is_file_locked(path)
        looking.result()
    assert refused == 0
    assert list(tmp_path.iterdir()) == []
