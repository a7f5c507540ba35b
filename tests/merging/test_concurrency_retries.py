"""Batches that lose to other sessions are tried again: deadlocks, snapshots that are too old."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import DatabaseError, connection, transaction

from dedupe_toolkit import MergeRun
from tests.concurrency_kit import (
    PATIENCE,
    Session,
    before_a_row_changes,
    before_statement,
    committing,
    isolation,
    merge_equal,
    on_a_server,
    passing_errors,
    run_sql,
    session,
)
from tests.kit import assert_undo_restores, snapshot
from tests.situations.links.models import Author, Book, Tag, Trace

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

pytestmark = [committing, on_a_server]

LEVELS = ["read committed", "repeatable read", "serializable"]


def lock_books() -> None:
    """Take the lock that the merge will need, and enough others to be the dearer victim."""
    Tag.objects.update(name="touched")
    list(Book._base_manager.select_for_update())


def lock_authors() -> str:
    names = [author.name for author in Author.objects.select_for_update()]
    transaction.commit()
    transaction.set_autocommit(True)
    return ", ".join(names)


def test_a_deadlock_with_another_session_is_tried_again(
    other: Session, pair: tuple[Author, Author]
) -> None:
    """It holds a book and wants the authors; the merge holds the authors and wants the book."""
    Tag.objects.bulk_create(Tag(name=str(number)) for number in range(500))
    if connection.vendor == "postgresql":
        # the session that looks for deadlocks first is the one that gives way
        other.do(run_sql, "SET deadlock_timeout = '1h'")
    other.begin()
    other.do(lock_books)
    before = {table: rows for table, rows in snapshot().items() if table != "links_tag"}
    waiting: list[Future[Any]] = []

    def cross() -> None:
        waiting.append(other.start(lock_authors))
        other.wait_until_blocked(waiting[0])

    with before_a_row_changes(cross), passing_errors() as met:
        run = merge_equal(Author, "name")
    assert [type(error).__name__ for error in met] == ["OperationalError"]
    assert waiting[0].result(PATIENCE) == "Ann, Ann"
    assert (run.merged, run.batches, run.held_back) == (1, 1, [])
    tags = {"links_tag": snapshot()["links_tag"]}
    assert_undo_restores(run, before | tags)


def free_authors() -> list[int]:
    """The authors that nobody has locked."""
    with transaction.atomic():
        free = Author.objects.select_for_update(skip_locked=True)
        return sorted(free.values_list("pk", flat=True))


def test_rows_are_locked_in_the_order_of_their_keys_whatever_their_groups(other: Session) -> None:
    """So two merges of rows in common take turns: neither holds what the other waits for."""
    names = ["Ann", "Ben", "Ben", "Ann", "Ben"]
    _, _, third, fourth, last = (Author.objects.create(name=name).pk for name in names)
    other.begin()
    other.do(lambda: Author.objects.select_for_update().get(pk=third))
    with session() as merging:
        run = merging.start(merge_equal, Author, "name")
        merging.wait_until_blocked(run)
        free = free_authors()
        other.rollback()
        assert run.result(PATIENCE).rows_merged == 3
    assert free == [fourth, last]


def meet(merging: Session, words: tuple[str, ...], act: Callable[[], Any]) -> MergeRun:
    """Merge in a session, and act right before it runs the statement with these words."""

    def task() -> MergeRun:
        with before_statement(*words, act=act):
            return merge_equal(Author, "name")

    run: MergeRun = merging.do(task)
    return run


# a batch's first statement marks its run, and fixes what a snapshot shows
BETWEEN_SNAPSHOT_AND_LOCK = ("SELECT", "links_author", " FOR ", "UPDATE")


@pytest.mark.parametrize("level", LEVELS)
def test_a_merge_works_at_every_isolation_level(pair: tuple[Author, Author], level: str) -> None:
    before = snapshot()
    with session(**isolation(level)) as merging:
        run = merging.do(merge_equal, Author, "name")
    assert run.merged == 1
    assert Book.objects.get().author_id == pair[0].pk
    assert_undo_restores(run, before)


@pytest.mark.parametrize("level", LEVELS)
def test_a_column_edited_just_before_the_lock_is_merged_with_its_new_value(
    other: Session, pair: tuple[Author, Author], level: str
) -> None:
    def edit() -> None:
        other.do(lambda: Author.objects.filter(pk=pair[1].pk).update(bio="just now"))

    with session(**isolation(level)) as merging:
        run = meet(merging, BETWEEN_SNAPSHOT_AND_LOCK, edit)
    assert (run.merged, run.held_back) == (1, [])
    assert Author.objects.get().bio == "just now"


@pytest.mark.parametrize("level", LEVELS)
def test_a_key_edited_just_before_the_lock_takes_the_group_out(
    other: Session, pair: tuple[Author, Author], level: str
) -> None:
    def edit() -> None:
        other.do(lambda: Author.objects.filter(pk=pair[1].pk).update(name="Anna"))

    with session(**isolation(level)) as merging:
        run = meet(merging, BETWEEN_SNAPSHOT_AND_LOCK, edit)
    assert (run.merged, len(run.held_back)) == (0, 1)
    assert Author.objects.count() == 2


@pytest.mark.parametrize("level", LEVELS)
def test_references_committed_just_before_the_lock_are_moved(
    other: Session, pair: tuple[Author, Author], level: str
) -> None:
    """With a constraint and without: a snapshot from before the lock would show neither."""

    def insert() -> None:
        Book.objects.create(author_id=pair[1].pk, title="Late")
        Trace.objects.create(author_id=pair[1].pk)

    with session(**isolation(level)) as merging:
        run = meet(merging, BETWEEN_SNAPSHOT_AND_LOCK, lambda: other.do(insert))
    assert (run.merged, run.held_back) == (1, [])
    assert set(Book.objects.values_list("author_id", flat=True)) == {pair[0].pk}
    assert Trace.objects.get().author_id == pair[0].pk


def test_a_session_that_is_cut_off_leaves_nothing_and_the_next_run_does_it_all(
    other: Session, pair: tuple[Author, Author]
) -> None:
    before = snapshot()
    kill = {
        "postgresql": "SELECT pg_terminate_backend(%s)",
        "mysql": "KILL CONNECTION %s",
    }[connection.vendor]
    with session() as merging:

        def cut() -> None:
            other.do(run_sql, kill, merging.number)

        with pytest.raises(DatabaseError):
            meet(merging, ("DELETE", "links_author"), cut)
    assert snapshot() == before
    run = merge_equal(Author, "name")
    assert [found.status for found in MergeRun.objects.order_by("pk")] == ["interrupted", "done"]
    assert_undo_restores(run, before)
