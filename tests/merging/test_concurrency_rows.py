"""Other sessions change the very rows that are merged: their changes stay, or they are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dedupe_toolkit import merge
from tests.concurrency_kit import (
    PATIENCE,
    Session,
    before_a_row_changes,
    before_statement,
    committing,
    merge_equal,
    merge_into,
    on_a_server,
    plan_into,
    session,
)
from tests.kit import assert_undo_restores, planned, snapshot
from tests.situations.keyed.models import Measurement
from tests.situations.links.models import Author, Book

if TYPE_CHECKING:
    from concurrent.futures import Future

    from django.db.models import Model

    from dedupe_toolkit import MergeRun

pytestmark = committing

CHANGED = "its rows have been changed since the merge was planned"


def update(row: Model, **values: Any) -> int:
    return type(row)._base_manager.filter(pk=row.pk).update(**values)


def change(other: Session, row: Model, **values: Any) -> None:
    assert other.do(lambda: update(row, **values)) == 1


def reasons(run: MergeRun) -> list[str]:
    return [group["reason"] for group in run.held_back]


@pytest.mark.parametrize("number", [0, 1], ids=["the survivor", "the duplicate"])
def test_a_key_field_edited_after_the_plan_takes_the_group_out(
    other: Session, pair: tuple[Author, Author], number: int
) -> None:
    plan = planned(Author, "name")
    change(other, pair[number], name="Anna")
    before = snapshot()
    run = merge(plan)
    assert reasons(run) == [CHANGED]
    assert snapshot() == before


def test_a_key_field_edited_after_the_plan_takes_a_group_with_composite_keys_out(
    other: Session,
) -> None:
    for station in range(2):
        Measurement.objects.create(station=station, number=1, name="Wind")
    plan = planned(Measurement, "name")
    other.do(lambda: Measurement.objects.filter(station=1).update(name="Rain"))
    before = snapshot()
    run = merge(plan)
    assert reasons(run) == [CHANGED]
    assert snapshot() == before


def test_another_column_edited_after_the_plan_is_merged_with_its_new_value(
    other: Session, pair: tuple[Author, Author]
) -> None:
    plan = planned(Author, "name")
    change(other, pair[1], bio="written in the meantime")
    before = snapshot()
    run = merge(plan)
    assert Author.objects.get().bio == "written in the meantime"
    assert_undo_restores(run, before)


@pytest.mark.parametrize("number", [0, 1], ids=["the survivor", "the duplicate"])
def test_a_row_deleted_after_the_plan_takes_the_group_out(
    other: Session, pair: tuple[Author, Author], number: int
) -> None:
    plan = planned(Author, "name")
    other.do(lambda: Author.objects.filter(pk=pair[number].pk).delete())
    before = snapshot()
    assert reasons(merge(plan)) == [CHANGED]
    assert snapshot() == before


def test_a_row_that_joins_the_group_after_the_plan_waits_for_the_next_run(
    other: Session, pair: tuple[Author, Author]
) -> None:
    plan = planned(Author, "name")
    other.do(lambda: Author.objects.create(name="Ann"))
    assert merge(plan).rows_merged == 1
    assert Author.objects.count() == 2
    assert merge_equal(Author, "name").rows_merged == 1


@on_a_server
def test_an_edit_of_a_duplicate_during_the_batch_waits_and_finds_the_row_gone(
    other: Session, pair: tuple[Author, Author]
) -> None:
    waiting: list[Future[Any]] = []

    def edit() -> None:
        waiting.append(other.start(lambda: update(pair[1], name="Anna")))
        other.wait_until_blocked(waiting[0])

    with before_a_row_changes(edit):
        merge_equal(Author, "name")
    assert waiting[0].result(PATIENCE) == 0
    assert [author.name for author in Author.objects.all()] == ["Ann"]


@on_a_server
def test_an_edit_of_the_survivor_during_the_batch_waits_and_lands_on_the_merged_row(
    other: Session, pair: tuple[Author, Author]
) -> None:
    update(pair[1], bio="a writer")
    waiting: list[Future[Any]] = []

    def edit() -> None:
        waiting.append(other.start(lambda: update(pair[0], born=1950)))
        other.wait_until_blocked(waiting[0])

    with before_a_row_changes(edit):
        merge_equal(Author, "name")
    assert waiting[0].result(PATIENCE) == 1
    author = Author.objects.get()
    assert (author.bio, author.born) == ("a writer", 1950)


@on_a_server
def test_another_column_of_a_referring_row_edited_during_the_batch_is_not_lost(
    other: Session, pair: tuple[Author, Author]
) -> None:
    book = Book.objects.get()
    with before_statement("UPDATE", "links_book", act=lambda: change(other, book, title="Peace")):
        merge_equal(Author, "name")
    book.refresh_from_db()
    assert (book.title, book.author_id) == ("Peace", pair[0].pk)


@on_a_server
def test_an_edit_of_a_referring_row_that_is_not_committed_yet_is_not_lost(
    other: Session, pair: tuple[Author, Author]
) -> None:
    book = Book.objects.get()
    with session() as merging:
        other.begin()
        change(other, book, title="Peace")
        run = merging.start(merge_equal, Author, "name")
        merging.wait_until_blocked(run)
        other.commit()
        assert run.result(PATIENCE).merged == 1
    book.refresh_from_db()
    assert (book.title, book.author_id) == ("Peace", pair[0].pk)


@on_a_server
def test_a_referring_row_that_moves_elsewhere_during_the_batch_stays_there(
    other: Session, pair: tuple[Author, Author]
) -> None:
    book, bob = Book.objects.get(), Author.objects.create(name="Bob")
    with before_statement("UPDATE", "links_book", act=lambda: change(other, book, author=bob)):
        run = merge_equal(Author, "name")
    book.refresh_from_db()
    assert book.author_id == bob.pk
    assert run.merged == 1


@on_a_server
def test_a_referring_row_deleted_during_the_batch_stays_deleted(
    other: Session, pair: tuple[Author, Author]
) -> None:
    with before_statement("UPDATE", "links_book", act=lambda: other.do(Book.objects.all().delete)):
        run = merge_equal(Author, "name")
    assert not Book.objects.exists()
    assert run.merged == 1


def test_two_merges_of_the_same_rows_in_opposite_directions_have_one_winner(
    other: Session, pair: tuple[Author, Author]
) -> None:
    """The first holds the lock of runs; the second says so and has written nothing."""
    a, b = pair
    errors: list[Any] = []

    def oppose() -> None:
        errors.append(other.start(merge_into, Author, [a.pk, b.pk], b.pk).exception(PATIENCE))

    before = snapshot()
    with before_a_row_changes(oppose):
        run = merge_into(Author, [a.pk, b.pk], a.pk)
    assert str(errors[0]) == (
        "links.Author: another merge of this model is running; wait until it ends"
    )
    assert list(Author.objects.all()) == [a]
    assert Book.objects.get().author_id == a.pk
    assert_undo_restores(run, before)


def test_a_plan_in_the_opposite_direction_comes_to_nothing_once_the_other_has_won(
    other: Session, pair: tuple[Author, Author]
) -> None:
    a, b = pair
    plan = plan_into(Author, [a.pk, b.pk], b.pk)
    other.do(merge_into, Author, [a.pk, b.pk], a.pk)
    before = snapshot()
    run = merge(plan)
    assert (run.merged, reasons(run)) == (0, [CHANGED])
    assert snapshot() == before
