"""The session that the documentation shows, played at a terminal: what it shows is what happens."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from testproject.library.models import Author, Book
from tests.commands.dying import BATCH
from tests.commands.terminal import ROOT, at_terminal, ctrl_c_where_held, finished, held_at_terminal
from tests.kit import snapshot

if TYPE_CHECKING:
    import pexpect

pytestmark = pytest.mark.django_db(
    transaction=True,
    reset_sequences=True,  # the page shows primary keys and numbers of runs
    available_apps=["dedupe_toolkit", "testproject.library"],
)

PAGE = ROOT / "docs" / "how-to" / "at-a-terminal.md"
KEY = ("library.Author", "--fields", "first_name", "last_name")
FIND = ("find_duplicates", *KEY)
MERGE = ("merge_duplicates", *KEY, "--batch-size", "1")
PROJECT = {"DJANGO_SETTINGS_MODULE": "testproject.settings"}
SECOND_BATCH = 4
"""Among the run's own updates: one where it begins, and two of the first batch, come before it."""

_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_BAR = re.compile(r"\w+ ━[^\r\n^]*|[\d,]+ rows?, locks [\d.]+ s")


@pytest.fixture
def authors() -> None:
    names = ("Leo Tolstoy", "Mary Shelley", "Leo Tolstoy", "Ann Leckie", "Mary Shelley")
    for title, name in enumerate((*names, "Leo Tolstoy")):
        first, last = name.split()
        author = Author.objects.create(first_name=first, last_name=last)
        Book.objects.create(title=str(title)).authors.add(author)


def answered(child: pexpect.spawn[str], *, stopped: bool = False) -> tuple[int | None, str]:
    """Answer the prompt with yes, and press Ctrl-C where the command is held."""
    child.expect_exact("[y/N]")
    before = f"{child.before}{child.after}"
    child.sendline("y")
    if stopped:
        ctrl_c_where_held(child)
    code, rest = finished(child)
    return code, before + rest


def screen(command: tuple[str, ...], output: str) -> str:
    """The command and what it printed, as the page shows it: no colours, bars or blank lines."""
    plain = _BAR.sub("", _ESCAPE.sub("", output)).replace("\r", "")
    lines = (line.rstrip() for line in plain.split("\n"))
    return "\n".join([f"$ python manage.py {' '.join(command)}", *filter(None, lines)]) + "\n"


def test_the_recorded_session_is_what_happens_at_a_terminal(authors: None) -> None:
    shown = re.findall(r"```console\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    before = snapshot()
    found = finished(at_terminal(*FIND, **PROJECT))
    held = held_at_terminal(BATCH, *MERGE, number=SECOND_BATCH, **PROJECT)
    stopped = answered(held, stopped=True)
    goes_on = answered(at_terminal(*MERGE, **PROJECT))
    undone = [answered(at_terminal("undo_merge", run, **PROJECT)) for run in ("2", "1")]

    played = [screen(FIND, found[1]), screen(MERGE, stopped[1]), screen(MERGE, goes_on[1])]
    played += [screen(("undo_merge", run), undo[1]) for run, undo in zip("21", undone, strict=True)]
    assert played == shown
    assert [code for code, _ in (found, stopped, goes_on, *undone)] == [0, 130, 0, 0, 0]
    assert snapshot() == before
