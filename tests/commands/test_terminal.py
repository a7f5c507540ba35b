"""The commands as a person uses them: at a terminal, and what a program finds in a pipe."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from io import StringIO
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

import pexpect
import pytest
from django.core.management import CommandError, call_command

from dedupe_toolkit import MergeRun
from dedupe_toolkit.signals import post_merge
from tests.commands.dying import BATCH
from tests.commands.terminal import (
    ROOT,
    at_terminal,
    finished,
    in_pipe,
    in_shell,
    shell_at_terminal,
    stopped_at_terminal,
)
from tests.concurrency_kit import PATIENCE, committing, until
from tests.kit import snapshot
from tests.situations.links.models import Author, Book
from tests.situations.rivals.models import Membership, Team, User

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = committing

FIND = ("find_duplicates", "links.Author", "--fields", "name")
MERGE = ("merge_duplicates", "links.Author", "--fields", "name")
HELD = ("merge_duplicates", "rivals.User", "--fields", "name", "--no-input")
LONG = "a name longer than forty columns, with [red] in it"
GROUPS = 300


@pytest.fixture
def authors() -> None:
    for name in ("Leo", "Leo", "Mary", LONG, LONG, LONG):
        Book.objects.create(author=Author.objects.create(name=name), title="one")


@pytest.fixture
def many(authors: None) -> None:
    Author.objects.bulk_create(Author(name=f"{n}") for n in range(GROUPS) for _ in range(2))


@pytest.fixture
def rivals() -> None:
    team = Team.objects.create(name="Red")
    for since in (1990, 2000):
        user = User.objects.create(name="Ann")
        Membership.objects.create(user=user, team=team, since=since)


def one_side(line: str, redirected: str) -> tuple[str, str]:
    """What the terminal shows, and what the side that is ``>`` or ``2>`` a file writes into it."""
    with NamedTemporaryFile("r", encoding="utf-8") as file:
        code, shown = finished(shell_at_terminal(f"{line} {redirected} {file.name}"))
        assert code == 0, shown
        return shown, file.read()


def test_a_merge_is_asked_for_carried_out_and_taken_back(authors: None) -> None:
    child = at_terminal(*MERGE)
    child.expect_exact("Merge 3 rows of links.Author? [y/N]")
    child.sendline("y")
    code, output = finished(child)
    assert (code, Author.objects.count()) == (0, 3)

    number = output.split("undo_merge ")[1].split()[0]
    child = at_terminal("undo_merge", number)
    child.expect_exact(f"Undo merge run {number}? [y/N]")
    child.sendline("y")
    code, output = finished(child)
    assert (code, Author.objects.count()) == (0, 6)
    assert "restored 3 rows" in output


def test_old_runs_are_pruned_when_a_person_says_yes(authors: None) -> None:
    call_command(*MERGE, interactive=False, stdout=StringIO())
    line = ("prune_merge_runs", "--older-than", "0h")
    for answer, left in (("n", 1), ("y", 0)):
        child = at_terminal(*line)
        child.expect_exact("Prune 1 merge run? They cannot be undone any more, and old keys no")
        child.sendline(answer)
        assert (finished(child)[0], MergeRun.objects.count()) == (0, left)


@pytest.mark.any_database
@pytest.mark.parametrize("columns", [40, 200])
@pytest.mark.parametrize(
    "line",
    [
        FIND,
        (*MERGE, "--dry-run"),
        ("find_duplicates", "--held-back"),
        ("undo_merge", "99", "--no-input"),
        ("prune_merge_runs", "--older-than", "1d", "--dry-run"),
        ("audit_get_or_create", "library"),
    ],
    ids=lambda line: line[0],
)
def test_every_command_speaks_to_a_narrow_and_to_a_wide_terminal(
    authors: None, line: tuple[str, ...], columns: int
) -> None:
    code, output = finished(at_terminal(*line, columns=columns))
    assert "Traceback" not in output
    assert code == (1 if line[0] == "undo_merge" else 0)


@pytest.mark.parametrize("columns", [40, 200])
def test_a_table_is_as_wide_as_the_terminal_and_nothing_of_it_is_lost(
    authors: None, columns: int
) -> None:
    code, output = finished(at_terminal(*FIND, columns=columns))
    (_, *table) = output.splitlines()
    assert max(map(len, table)) <= columns
    assert "[red]" in output if columns == 200 else "[red]" in "".join(output.split())
    assert code == 0


def test_names_stay_whole_where_a_table_is_too_wide_for_the_terminal(authors: None) -> None:
    code, narrow = finished(at_terminal(*MERGE, "--dry-run", columns=40))
    lines = [line.strip() for line in narrow.splitlines()]
    assert "links.Book.author" in lines
    assert "kind: foreign key; repointed: 3;" in lines[lines.index("links.Book.author") + 1]
    # a sentence stays one line, which the terminal breaks
    assert max(len(line) for line in lines if not line.endswith(".")) <= 40
    assert code == 0

    wide = finished(at_terminal(*MERGE, "--dry-run", columns=200))[1]
    assert any(line.split()[:2] == ["reference", "kind"] for line in wide.splitlines())


def test_words_stay_whole_where_another_column_can_be_narrower() -> None:
    word = "Donaudampfschifffahrtsgesellschaft"
    Author.objects.bulk_create(Author(name=word) for _ in range(20))
    code, table = finished(at_terminal(*FIND, columns=70))
    lines = [line.split() for line in table.splitlines()]
    assert code == 0
    assert ["name", "survivor", "duplicates"] in lines
    assert word in [line[0] for line in lines]
    assert max(map(len, table.splitlines()[1:])) <= 70


def test_ctrl_c_at_the_prompt_writes_nothing(authors: None) -> None:
    before = snapshot()
    child = at_terminal(*MERGE)
    child.expect_exact("[y/N]")
    child.sendintr()
    code, output = finished(child)
    assert (code, snapshot()) == (130, before)
    assert output.split() == ["^C", "Stopped:", "nothing", "was", "written."]


def test_ctrl_c_in_a_merge_leaves_whole_batches_and_says_how_to_go_on(many: None) -> None:
    before = snapshot()
    child = at_terminal(*MERGE, "--no-input", "--batch-size", "1")
    until(lambda: MergeRun.objects.filter(batches__gt=2).exists())
    child.sendintr()
    code, output = finished(child)
    run = MergeRun.objects.get()
    assert code == 130
    assert output.splitlines()[-1] == (
        f"Stopped: {run.merged} groups merged in run {run.pk}, the others are as they were."
        f" The same command goes on; manage.py undo_merge {run.pk} takes it back."
    )
    assert 0 < run.merged < GROUPS
    assert Author.objects.count() == 6 + 2 * GROUPS - run.rows_merged

    finished(at_terminal(*MERGE, "--no-input"))
    # by itself, or where the stop fell into the end of a transaction, by the run that goes on
    run.refresh_from_db()
    assert run.status == "interrupted"
    assert Author.objects.count() == 3 + GROUPS
    for number in MergeRun.objects.values_list("pk", flat=True):
        assert finished(at_terminal("undo_merge", str(number), "--no-input"))[0] == 0
    assert snapshot() == before


@pytest.mark.parametrize("number", range(1, 8))
def test_ctrl_c_in_the_middle_of_a_statement_is_told_as_any_other(
    authors: None, number: int
) -> None:
    before = snapshot()
    child = stopped_at_terminal(BATCH, *MERGE, "--no-input", number=number, side="within")
    code, output = finished(child)
    assert output.splitlines()[-1] == "Stopped: nothing was merged."
    assert (code, snapshot()) == (130, before)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_merge_that_is_told_to_end_stops_as_with_ctrl_c(many: None, number: int) -> None:
    child = at_terminal(*MERGE, "--no-input", "--batch-size", "1")
    until(lambda: MergeRun.objects.filter(batches__gt=2).exists())
    child.kill(number)
    code, output = finished(child)
    run = MergeRun.objects.get()
    assert code == 128 + number
    assert f"groups merged in run {run.pk}, the others are as they were" in output
    assert Author.objects.count() == 6 + 2 * GROUPS - run.rows_merged


def test_a_stop_right_after_a_commit_counts_the_batch_that_was_committed(authors: None) -> None:
    def stop(**_: object) -> None:
        raise KeyboardInterrupt

    post_merge.connect(stop)
    try:
        with pytest.raises(KeyboardInterrupt, match="1 group merged in run"):
            call_command(*MERGE, "--no-input", "--batch-size", "1", verbosity=0)
    finally:
        post_merge.disconnect(stop)
    run = MergeRun.objects.get()
    assert (run.status, run.batches, run.merged) == ("interrupted", 1, 1)
    assert Author.objects.count() == 6 - run.rows_merged


@pytest.mark.parametrize(
    "line",
    [FIND, ("audit_get_or_create", "library"), (*MERGE, "--dry-run")],
    ids=lambda line: line[0],
)
def test_ctrl_c_in_a_command_that_only_reads_ends_it_in_one_line(
    authors: None, line: tuple[str, ...]
) -> None:
    before = snapshot()
    code, output = finished(stopped_at_terminal("", *line))
    assert (code, output.splitlines()[-1], snapshot()) == (130, "Stopped.", before)
    assert "Traceback" not in output


def test_a_report_at_a_terminal_is_drawn_where_errors_go_elsewhere(authors: None) -> None:
    shown, written = one_side(f"{' '.join(MERGE)} --dry-run", "2>")
    assert written == ""
    assert "\t" not in shown
    assert "links.Book.author" in shown


def test_a_report_in_a_file_stays_plain_where_errors_go_to_a_terminal(authors: None) -> None:
    shown, written = one_side(" ".join(FIND), ">")
    assert shown.strip() == ""
    assert LONG in written
    assert "\x1b" not in written

    line = f"{' '.join(MERGE)} --no-input --batch-size 1 --format json"
    shown, written = one_side(line, ">")
    assert "Merging" in shown
    assert "3 rows, locks" in shown
    assert json.loads(written)["merged"] == 2


def test_ctrl_c_in_an_undo_undoes_nothing(many: None) -> None:
    call_command(*MERGE, "--no-input", "--batch-size", "1", verbosity=0)
    merged, run = snapshot(), MergeRun.objects.get()
    code, output = finished(
        stopped_at_terminal("INSERT", "undo_merge", str(run.pk), "--no-input", number=2)
    )
    assert output.splitlines()[-1] == "Stopped: nothing was undone."
    assert (code, snapshot()) == (130, merged)


def test_colours_are_left_out_where_nobody_wants_them_and_the_table_stays(authors: None) -> None:
    for child in (at_terminal(*FIND, NO_COLOR="1"), at_terminal(*FIND, "--no-color")):
        child.expect(pexpect.EOF)
        assert "\x1b" not in (child.before or "")
        assert "survivor  duplicates" in (child.before or "")


def test_a_prompt_that_nobody_answers_is_a_no_and_says_how_to_go_on(authors: None) -> None:
    child = at_terminal(*MERGE)
    child.expect_exact("[y/N]")
    child.sendeof()
    code, output = finished(child)
    advice = "CommandError: nobody answers on standard input: use --no-input to go ahead"
    assert (code, output.splitlines()[-1]) == (1, advice)

    closed = in_shell(f"{' '.join(MERGE)} <&-")
    assert (closed.returncode, closed.stderr.splitlines()[-1]) == (1, advice)
    assert Author.objects.count() == 6


def test_text_that_the_output_cannot_hold_is_escaped_so_that_json_reads_it(authors: None) -> None:
    name = "Zoë 😀"
    for _ in range(2):
        Author.objects.create(name=name)
    line = (*FIND, "--where", f"name={name}")
    table = in_pipe(*line, PYTHONIOENCODING="ascii")
    assert (table.returncode, table.stdout.count(r"Zo\u00eb \ud83d\ude00")) == (0, 2)
    document = json.loads(in_pipe(*line, "--format", "json", PYTHONIOENCODING="ascii").stdout)
    assert document["keys"][0]["duplicate_groups"][0]["values"] == {"name": name}


def test_a_terminal_that_can_do_nothing_is_served_as_well(authors: None) -> None:
    code, output = finished(at_terminal(*MERGE, "--no-input", TERM="dumb"))
    assert code == 0
    assert "Undo it with: manage.py undo_merge" in output


def test_a_pipe_gets_lines_neither_wrapped_nor_padded_nor_coloured(authors: None) -> None:
    found = in_pipe(*FIND, COLUMNS="40", NO_COLOR="1")
    _, header, first, second = found.stdout.splitlines()
    assert header == "name\tsurvivor\tduplicates"
    assert first.split("\t")[0] == LONG
    assert second.split("\t")[0] == "Leo"
    assert (found.returncode, found.stderr) == (0, "")
    # who forces colours wants no table that is cut to a width
    for forced in (
        in_pipe(*FIND, COLUMNS="40", FORCE_COLOR="1"),
        in_pipe(*FIND, "--force-color", COLUMNS="40"),
        in_pipe(*FIND, COLUMNS="40", FORCE_COLOR="1", NO_COLOR="1"),
    ):
        assert forced.stdout == found.stdout


def test_a_reason_stays_on_its_line_in_every_format(rivals: None) -> None:
    reason = "would break unique (user, team)"
    for shape in ("table", "json", "csv"):
        held = in_pipe(*HELD, "--format", shape, COLUMNS="40")
        assert held.returncode == 3
        lines = held.stdout if shape == "table" else held.stderr
        (line,) = (line for line in lines.splitlines() if reason in line)
        assert "Ann" in line
        assert held.stderr.splitlines()[-1].endswith(
            "1 group was held back: see the reasons above."
        )
    assert json.loads(in_pipe(*HELD, "--format", "json").stdout)["held_back"] == 1


def test_a_reader_that_leaves_early_ends_the_command_quietly(many: None) -> None:
    for shape in ("table", "csv"):
        line = f"{' '.join(FIND)} --limit 0 --format {shape}"
        done = in_shell(f"{line} | head -1; exit ${{PIPESTATUS[0]}}")
        assert len(done.stdout.splitlines()) == 1
        assert done.stderr == ""
        assert done.returncode in (0, 141)  # 0 where all was written before the reader had gone


def test_a_merge_whose_reader_left_before_it_began_has_written_nothing(many: None) -> None:
    before = snapshot()
    done = in_shell(f"{' '.join(MERGE)} --no-input | true; exit ${{PIPESTATUS[0]}}")
    assert (done.returncode, done.stderr, snapshot()) == (141, "", before)


def test_from_code_nobody_is_asked_and_groups_held_back_are_an_error(rivals: None) -> None:
    with pytest.raises(CommandError, match="1 group was held back") as held:
        call_command(*HELD[:-1], interactive=False, verbosity=0)
    assert held.value.returncode == 3


def test_an_ordering_that_descends_is_no_option(authors: None) -> None:
    line = (*FIND, "--survivor", "-name,id", "--format", "json")
    with_space = in_pipe(*line)
    assert with_space.returncode == 0
    assert with_space.stdout == in_pipe(*FIND, "--survivor=-name,id", "--format", "json").stdout


@pytest.mark.any_database  # the demo makes a file of its own
def test_the_demo_tells_its_story_at_a_terminal(tmp_path: Path) -> None:
    child = pexpect.spawn(
        sys.executable,
        ["-m", "testproject.demo", str(tmp_path / "demo")],
        cwd=str(ROOT),
        env={name: value for name, value in os.environ.items() if name != "DATABASE_URL"},
        dimensions=(40, 100),
        encoding="utf-8",
        timeout=10 * PATIENCE,
    )
    code, output = finished(child)
    assert "Traceback" not in output
    assert code == 0
    told = " ".join(output.split())
    waiting = re.search(r"(\d+) groups wait in the review queue", told)
    assert waiting is not None
    assert int(waiting[1]) > 0
    assert "/admin/dedupe_toolkit/scan/ (user demo, password demo)" in told
