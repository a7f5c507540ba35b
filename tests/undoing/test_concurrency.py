"""Undo beside other sessions: it waits, refuses, or goes on, and overwrites nothing of theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection, transaction

from dedupe_toolkit import DedupeError, MergeRun, undo
from tests.concurrency_kit import (
    PATIENCE,
    Session,
    before_a_row_changes,
    before_statement,
    committing,
    merge_equal,
    on_a_server,
    passing_errors,
    run_sql,
    session,
)
from tests.kit import snapshot
from tests.situations.links.models import Author, Book, Tag

if TYPE_CHECKING:
    from concurrent.futures import Future

pytestmark = committing

TAKES_THE_RUN_LOCK = {"postgresql": "pg_try_advisory_lock", "mysql": "GET_LOCK"}
RUNNING = "links.Author: a merge of this model is running; wait for its end"


@pytest.fixture
def book(transactional_db: None) -> Book:
    """A book of a duplicate: Ann and Bob are there twice."""
    duplicates = [Author.objects.create(name=name) for name in ("Ann", "Ann", "Bob", "Bob")][1::2]
    Book.objects.create(author=duplicates[1], title="Peace")
    return Book.objects.create(author=duplicates[0], title="War")


def edit(book: Book, **values: Any) -> int:
    return Book._base_manager.filter(pk=book.pk).update(**values)


def survivors() -> list[int]:
    return [Author.objects.filter(name=name).earliest("pk").pk for name in ("Ann", "Bob")]


def test_of_two_undos_at_once_the_second_is_refused(other: Session, book: Book) -> None:
    before = snapshot()
    run = merge_equal(Author, "name")
    errors: list[BaseException | None] = []

    def undo_too() -> None:
        errors.append(other.start(undo, run.pk).exception(PATIENCE))

    with before_statement("INSERT", "links_author", act=undo_too):
        undo(run)
    assert [str(error) for error in errors] == [RUNNING]
    assert snapshot() == before
    with pytest.raises(DedupeError, match=f"merge run {run.pk} has been undone already"):
        other.do(undo, run.pk)


def test_a_merge_and_an_undo_of_one_model_exclude_each_other(other: Session, book: Book) -> None:
    first = merge_equal(Author, "name", limit=1)
    errors: list[BaseException | None] = []

    def undo_meanwhile() -> None:
        errors.append(other.start(undo, first.pk).exception(PATIENCE))

    with before_a_row_changes(undo_meanwhile):
        merge_equal(Author, "name")
    assert [str(error) for error in errors] == [RUNNING]
    assert Author.objects.count() == 2


@on_a_server
@pytest.mark.parametrize("parts", [True, False], ids=["another group", "the whole run"])
def test_an_undo_that_comes_first_by_a_hair_is_respected(
    other: Session, book: Book, parts: bool
) -> None:
    before = snapshot()
    run = merge_equal(Author, "name")
    ann, bob = survivors()
    theirs = [bob] if parts else None
    act = lambda: other.do(lambda: undo(run.pk, survivors=theirs))  # noqa: E731
    with before_statement(TAKES_THE_RUN_LOCK[connection.vendor], act=act):
        if parts:
            undo(run.pk, survivors=[ann])
        else:
            with pytest.raises(DedupeError, match="has been undone already"):
                undo(run.pk)
    assert snapshot() == before
    run.refresh_from_db()
    assert sorted(run.undone) == (sorted([str(ann), str(bob)]) if parts else [])


@on_a_server
def test_a_row_changed_while_an_undo_runs_is_in_its_way(other: Session, book: Book) -> None:
    run = merge_equal(Author, "name")
    cid = Author.objects.create(name="Cid")
    before = snapshot()["links_author"]

    def change() -> None:
        assert other.do(lambda: edit(book, author=cid)) == 1

    with (
        before_statement("links_book", "FOR UPDATE", act=change),
        pytest.raises(DedupeError, match="has been changed since"),
    ):
        undo(run)
    book.refresh_from_db()
    assert book.author_id == cid.pk
    assert snapshot()["links_author"] == before


@on_a_server
def test_an_edit_waits_for_an_undo_that_has_locked_its_row(other: Session, book: Book) -> None:
    duplicate = book.author_id
    run = merge_equal(Author, "name")
    waiting: list[Future[Any]] = []

    def change() -> None:
        waiting.append(other.start(lambda: edit(book, title="Later")))
        other.wait_until_blocked(waiting[0])

    with before_statement("UPDATE", "links_book", " SET ", act=change):
        undo(run)
    assert waiting[0].result(PATIENCE) == 1
    book.refresh_from_db()
    assert (book.title, book.author_id) == ("Later", duplicate)


@on_a_server
def test_an_undo_waits_for_an_edit_that_is_not_committed_yet(other: Session, book: Book) -> None:
    duplicate = book.author_id
    run = merge_equal(Author, "name")
    with session() as undoing:
        other.begin()
        other.do(lambda: edit(book, title="Later"))
        undone = undoing.start(undo, run.pk)
        undoing.wait_until_blocked(undone)
        other.commit()
        undone.result(PATIENCE)
    book.refresh_from_db()
    assert (book.title, book.author_id) == ("Later", duplicate)


def test_a_write_of_another_session_does_not_break_an_undo_that_has_begun(book: Book) -> None:
    """On SQLite it is told to wait: a transaction cannot write once others have overtaken it."""
    run = merge_equal(Author, "name")
    impatient = {"timeout": 0.01} if connection.vendor == "sqlite" else {}
    errors: list[BaseException | None] = []

    def write() -> None:
        errors.append(other.start(lambda: Tag.objects.create(name="new")).exception(PATIENCE))

    with session(**impatient) as other, before_statement("dedupe_toolkit_rowchange", act=write):
        undo(run)
    assert MergeRun.objects.get().status == "undone"
    assert Tag.objects.count() == errors.count(None)


def lock_books() -> None:
    """Take the lock that the undo will need, and enough others to be the dearer victim."""
    Tag.objects.update(name="touched")
    list(Book._base_manager.select_for_update())


@on_a_server
def test_an_undo_that_ends_in_a_deadlock_is_tried_again(other: Session, book: Book) -> None:
    """The other session holds the book and wants the run; the undo holds the run."""
    Tag.objects.bulk_create(Tag(name=str(number)) for number in range(500))
    before = snapshot()
    run = merge_equal(Author, "name")
    if connection.vendor == "postgresql":
        # the session that looks for deadlocks first is the one that gives way
        other.do(run_sql, "SET deadlock_timeout = '1h'")
    other.begin()
    other.do(lock_books)
    waiting: list[Future[Any]] = []

    def cross() -> None:
        waiting.append(other.start(lock_runs))
        other.wait_until_blocked(waiting[0])

    with before_statement("SELECT", "links_book", "FOR UPDATE", act=cross), passing_errors() as met:
        undo(run)
    assert [type(error).__name__ for error in met] == ["OperationalError"]
    assert waiting[0].result(PATIENCE) == 1
    del before["links_tag"]
    assert before.items() <= snapshot().items()


def lock_runs() -> int:
    runs = len(MergeRun.objects.select_for_update())
    transaction.commit()
    transaction.set_autocommit(True)
    return runs
