"""SQLite has one writer at a time: who waits for whom, how long, and what is left if in vain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import IntegrityError, OperationalError

from dedupe_toolkit import MergeRun
from tests.concurrency_kit import (
    Session,
    before_a_row_changes,
    before_statement,
    committing,
    merge_equal,
    on_sqlite,
    passing_errors,
    run_sql,
    session,
)
from tests.kit import assert_undo_restores, snapshot
from tests.situations.links.models import Author, Book, Tag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db import DatabaseError

pytestmark = [committing, on_sqlite]

A_BATCH_BEGINS = ("UPDATE", "dedupe_toolkit_mergerun", '"batches"')


@pytest.fixture
def impatient(transactional_db: None) -> Iterator[Session]:
    """A session that waits for the write lock no longer than a moment."""
    with session(timeout=0.01) as found:
        yield found


def take_the_write_lock(other: Session) -> None:
    other.do(run_sql, "BEGIN IMMEDIATE")


def give_it_back(other: Session) -> None:
    other.do(run_sql, "ROLLBACK")


def statuses() -> list[str]:
    return [run.status for run in MergeRun.objects.order_by("pk")]


def merge_meeting_a_writer(other: Session, *, gives_way: bool) -> list[DatabaseError]:
    """Merge while another session takes the write lock, and at best gives it back on the way."""
    give_way = (lambda: give_it_back(other)) if gives_way else None
    with (
        before_statement(*A_BATCH_BEGINS, act=lambda: take_the_write_lock(other)),
        passing_errors(then=give_way) as met,
    ):
        merge_equal(Author, "name")
    return met


def test_a_batch_is_tried_again_until_another_writer_has_finished(
    impatient: Session, other: Session, pair: tuple[Author, Author]
) -> None:
    before = snapshot()
    met = impatient.do(lambda: merge_meeting_a_writer(other, gives_way=True))
    assert [str(error) for error in met] == ["database is locked"]
    run = MergeRun.objects.get()
    assert (run.status, run.merged, run.batches) == ("done", 1, 1)
    assert_undo_restores(run, before)


def test_a_writer_that_never_finishes_makes_the_merge_say_that_the_database_is_locked(
    impatient: Session, other: Session, pair: tuple[Author, Author]
) -> None:
    before = snapshot()
    with pytest.raises(OperationalError, match="database is locked"):
        impatient.do(lambda: merge_meeting_a_writer(other, gives_way=False))
    assert snapshot() == before
    assert statuses() == ["running"]
    give_it_back(other)
    run = impatient.do(merge_equal, Author, "name")
    assert statuses() == ["interrupted", "done"]
    assert_undo_restores(run, before)


def test_a_merge_that_cannot_even_begin_leaves_no_run(
    impatient: Session, other: Session, pair: tuple[Author, Author]
) -> None:
    before = snapshot()
    take_the_write_lock(other)
    with pytest.raises(OperationalError, match="database is locked"):
        impatient.do(merge_equal, Author, "name")
    give_it_back(other)
    assert snapshot() == before
    assert statuses() == []


def test_nobody_else_writes_while_a_batch_runs_and_readers_see_what_was_before(
    impatient: Session, pair: tuple[Author, Author]
) -> None:
    def look_and_write() -> None:
        assert impatient.do(Author.objects.count) == 2
        with pytest.raises(OperationalError, match="database is locked"):
            impatient.do(late_book, pair[1])

    with before_a_row_changes(look_and_write):
        merge_equal(Author, "name")
    assert impatient.do(Author.objects.count) == 1


def late_book(author: Author) -> None:
    Book.objects.create(author_id=author.pk, title="Late")


def test_a_reference_that_waited_for_the_batch_is_refused_by_its_constraint(
    other: Session, pair: tuple[Author, Author]
) -> None:
    """Its session waits longer than the batch takes; whichever comes first, nothing is lost."""
    started = []
    with before_a_row_changes(lambda: started.append(other.start(late_book, pair[1]))):
        merge_equal(Author, "name")
    with pytest.raises(IntegrityError):
        started[0].result()
    assert Book.objects.get().author_id == pair[0].pk


def test_others_write_between_the_batches(impatient: Session) -> None:
    for name in ("Ann", "Bob"):
        for _ in range(2):
            Author.objects.create(name=name)
    written = []

    def write(done: int, _: int) -> None:
        written.append(impatient.do(lambda: Tag.objects.create(name=str(done)).name))

    merge_equal(Author, "name", batch_size=1, progress=write)
    assert written == ["1", "2"]
