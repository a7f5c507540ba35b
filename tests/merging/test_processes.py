"""Two processes on slices of one model: one merges at a time, and nothing is lost between them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter

import pytest

from dedupe_toolkit import MergeRun, undo
from tests.commands.dying import BATCH
from tests.concurrency_kit import PATIENCE, until
from tests.kit import created, snapshot
from tests.merging.killing import ROOT, database_url
from tests.situations.links.models import Author, Book

MERGE = ("merge_duplicates", "links.Author", "--fields", "name", "--no-input", "--batch-size", "2")
WAITING = "Waiting: for the end of another merge of this model.\n"
STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
SOUTH, NORTH = ("--where", "born__lt=1900"), ("--where", "born__gte=1900")


def started(*command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT,
        env=os.environ
        | {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "tests.settings"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """The exit code of a process, and the last line that it wrote of errors."""
    _, told = process.communicate(timeout=PATIENCE)
    return process.returncode, (told.splitlines() or [""])[-1]


def is_stopped(process: subprocess.Popen[str]) -> bool:
    assert process.poll() is None, process.communicate()
    return os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT) is not None


def people() -> object:
    """Ten pairs of authors, half of them south and half north, with a book each."""
    twins = [Author(name=f"{n}", born=1800 + n * 20) for n in range(10) for _ in range(2)]
    rows = created(Author, twins)
    Book._base_manager.bulk_create(Book(author=row, title=row.name) for row in rows)
    return snapshot()


def assert_all_merged(before: object) -> None:
    """Each author is there once, with both books; undone, all is as it was."""
    assert Counter(Author.objects.values_list("name", flat=True)) == Counter(map(str, range(10)))
    books = Book._base_manager.values_list("title", "author__name")
    assert Counter(books) == Counter((name, name) for name in map(str, range(10)) for _ in range(2))
    for run in MergeRun.objects.order_by("-pk"):
        undo(run)
    assert snapshot() == before


@pytest.mark.django_db(transaction=True)
def test_a_second_process_is_refused_while_the_first_is_at_work_and_then_merges_its_slice() -> None:
    before = people()
    # it stands still in the middle of a batch, with all that it has locked
    first = started("-m", "tests.commands.dying", "SIGSTOP", "9", "before", BATCH, *MERGE, *SOUTH)
    try:
        until(lambda: is_stopped(first))
        refused, told = ended(started("manage.py", *MERGE, *NORTH))
        os.kill(first.pid, signal.SIGCONT)
        assert ended(first)[0] == 0
    finally:
        first.kill()
    assert (refused, told) == (
        1,
        "CommandError: links.Author: another merge of this model is running; wait until it ends",
    )
    assert ended(started("manage.py", *MERGE, *NORTH))[0] == 0
    assert_all_merged(before)


@pytest.mark.django_db(transaction=True)
def test_a_second_process_that_waits_merges_its_slice_once_the_first_is_done() -> None:
    before = people()
    first = started("-m", "tests.commands.dying", "SIGSTOP", "9", "before", BATCH, *MERGE, *SOUTH)
    try:
        until(lambda: is_stopped(first))
        second = started("manage.py", *MERGE, *NORTH, "--wait", "5m")
        assert second.stderr
        assert second.stderr.readline() == WAITING
        os.kill(first.pid, signal.SIGCONT)
        assert (ended(first)[0], ended(second)[0]) == (0, 0)
    finally:
        first.kill()
    assert [run.merged for run in MergeRun.objects.order_by("pk")] == [5, 5]
    assert_all_merged(before)


@pytest.mark.parametrize("number", STOPS, ids=lambda number: number.name)
@pytest.mark.django_db(transaction=True)
def test_a_second_process_that_waits_is_stopped_at_once_with_nothing_merged(
    number: signal.Signals,
) -> None:
    before = people()
    first = started("-m", "tests.commands.dying", "SIGSTOP", "9", "before", BATCH, *MERGE, *SOUTH)
    try:
        until(lambda: is_stopped(first))
        second = started("manage.py", *MERGE, *NORTH, "--wait", "5m")
        assert second.stderr
        assert second.stderr.readline() == WAITING
        second.send_signal(number)
        assert ended(second) == (128 + number, "Stopped: nothing was merged.")
        os.kill(first.pid, signal.SIGCONT)
        assert ended(first)[0] == 0
    finally:
        first.kill()
    assert [run.merged for run in MergeRun.objects.all()] == [5]
    assert ended(started("manage.py", *MERGE, *NORTH))[0] == 0
    assert_all_merged(before)


@pytest.mark.django_db(transaction=True)
def test_a_merge_that_rests_between_two_batches_is_stopped_at_once() -> None:
    before = people()
    process = started("manage.py", *MERGE, "--pause", "1h")
    until(lambda: MergeRun.objects.filter(merged__gt=0).exists())
    process.send_signal(signal.SIGTERM)
    code, told = ended(process)
    assert (code, told.split(" in run")[0]) == (128 + signal.SIGTERM, "Stopped: 2 groups merged")
    assert [(run.status, run.merged) for run in MergeRun.objects.all()] == [("interrupted", 2)]
    assert ended(started("manage.py", *MERGE))[0] == 0
    assert_all_merged(before)
