"""Rows that others hold: the other groups come first, and nobody waits behind a merge for long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from dedupe_toolkit.databases.retry import RowsLocked
from dedupe_toolkit.merging.slices import Slices
from tests.concurrency_kit import (
    Session,
    committing,
    merge_equal,
    on_a_server,
    on_postgresql,
)
from tests.kit import assert_undo_restores, snapshot
from tests.situations.links.models import Author, Book

if TYPE_CHECKING:
    from django.db.models import Model

SHORTLY = 1


def pairs(*names: str) -> list[Author]:
    rows = [Author.objects.create(name=name) for name in names * 2]
    for row in rows:
        Book.objects.create(author=row, title=row.name)
    return rows


def hold(other: Session, row: Model) -> None:
    """Let another session hold a row until its transaction ends."""
    other.begin()
    other.do(lambda: type(row)._base_manager.select_for_update().get(pk=row.pk))


@committing
@on_a_server
@pytest.mark.parametrize("size", [1, 4])
def test_a_group_that_others_hold_comes_last_and_is_merged_when_they_are_done(
    other: Session, size: int
) -> None:
    held, *_ = pairs("Ann", "Ben", "Cid", "Dan")
    before = snapshot()
    hold(other, held)
    done: list[int] = []

    def end(groups: int, of: int) -> None:
        done.append(Author.objects.filter(name="Ann").count())
        if groups >= of - 1 or size > 1:
            other.rollback()

    run = merge_equal(Author, "name", batch_size=size, lock_timeout=SHORTLY, progress=end)
    assert (run.merged, run.held_back) == (4, [])
    assert done[0] == 2
    assert done[-1] == 1
    assert_undo_restores(run, before)


@committing
@on_a_server
@pytest.mark.parametrize(
    "what",
    # MariaDB and MySQL read a table as small as this whole, and wait for every row of it
    [Author, pytest.param(Book, marks=on_postgresql)],
)
def test_a_group_that_others_hold_for_good_is_held_back_and_the_others_merge(
    other: Session, what: type[Model]
) -> None:
    pairs("Ann", "Ben", "Cid", "Dan")
    before = snapshot()
    victims = what._base_manager.filter(**{"name" if what is Author else "title": "Cid"})
    hold(other, victims.latest("pk"))
    run = merge_equal(Author, "name", lock_timeout=SHORTLY)
    other.rollback()
    (reason,) = [group["reason"] for group in run.held_back]
    assert reason.startswith("another session holds its rows, or rows that point at them")
    assert (run.merged, run.status) == (3, "done")
    assert Author.objects.filter(name="Cid").count() == 2
    assert_undo_restores(run, before)


def patience() -> Any:
    asked = {
        "postgresql": "SELECT current_setting('lock_timeout')",
        "mysql": "SELECT @@SESSION.innodb_lock_wait_timeout",
    }
    with connection.cursor() as cursor:
        cursor.execute(asked[connection.vendor])
        return cursor.fetchone()[0]


@committing
@on_a_server
def test_the_session_waits_for_locks_afterwards_as_it_did_before(transactional_db: None) -> None:
    pairs("Ann")
    before = patience()
    merge_equal(Author, "name", lock_timeout=SHORTLY)
    assert patience() == before


@pytest.mark.django_db
def test_a_time_that_is_none_is_told_in_one_line() -> None:
    with pytest.raises(CommandError) as error:
        call_command("merge_duplicates", "links.Author", "--fields", "name", "--lock-timeout", "2x")
    assert str(error.value) == ("--lock-timeout takes a time such as 5s, 0.5s, 2m or 1h, not '2x'")


def taken(slices: Slices, refused: set[int]) -> list[tuple[int, int]]:
    """The slices in the order in which they come, if others always hold some groups."""
    found = []
    while one := slices.take(4):
        found.append(one)
        if refused.intersection(range(one[0], one[1] + 1)):
            slices.put_off(*one, RowsLocked())
    return found


def test_what_others_hold_comes_after_the_rest_first_whole_and_then_in_halves() -> None:
    assert taken(Slices(last=8), {3}) == [
        *[(1, 4), (5, 8)],
        (1, 4),
        *[(1, 2), (3, 4)],
        *[(3, 3), (4, 4)],
        *[(3, 3)],
    ]


def test_groups_that_others_wait_for_are_not_passed_by() -> None:
    found = taken(Slices(last=8, in_order=True), {3})
    assert found[-1] == (5, 8)
    assert found.index((4, 4)) > found.index((3, 3))


def put_all_off(slices: Slices, error: RowsLocked) -> None:
    while one := slices.take(10):
        slices.put_off(*one, error)


def test_a_run_ends_when_all_that_comes_is_held_by_others() -> None:
    error = RowsLocked()
    error.__cause__ = OSError("the table is locked")
    with pytest.raises(OSError, match="the table is locked"):
        put_all_off(Slices(last=10_000), error)
