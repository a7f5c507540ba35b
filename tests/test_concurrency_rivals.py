"""Other sessions change rows that collide: what is merged away or discarded is what it was.

The batch compares such rows, then locks them, then compares them again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import DatabaseError, connection

from tests.concurrency_kit import (
    PATIENCE,
    Session,
    before_a_row_changes,
    before_statement,
    committing,
    is_transient,
    merge_equal,
    on_a_server,
    on_postgresql,
    session,
)
from tests.situations.rivals.models import Badge, Membership, Team, User

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from dedupe_toolkit import MergeRun

pytestmark = [committing, on_a_server]


@pytest.fixture
def other(transactional_db: None) -> Iterator[Session]:
    with session() as found:
        yield found


@pytest.fixture
def blue(transactional_db: None) -> Team:
    return Team.objects.create(name="Blue")


def rivals(*roles: str) -> list[Membership]:
    """Memberships of one team, of users who are duplicates of each other."""
    team = Team.objects.create(name="Red")
    return [
        Membership.objects.create(user=User.objects.create(name="Ann"), team=team, role=role)
        for role in roles
    ]


def change(row: Membership, **values: Any) -> int:
    return Membership.objects.filter(pk=row.pk).update(**values)


def merge_while(other: Session, task: Callable[[], int], **policy: Any) -> tuple[MergeRun, bool]:
    """Merge, and let another session change a row before the first row of the batch changes.

    Returns whether it did. On MariaDB a change of a column that shares an index with the foreign
    key also wants the row pointed at, which the batch has locked: a deadlock, which it loses.
    """
    changes: list[Future[int]] = []

    def change_meanwhile() -> None:
        changes.append(other.start(task))
        other.wait_until_done_or_blocked(changes[0])

    with before_a_row_changes(change_meanwhile):
        run = merge_equal(User, "name", **policy)
    error = changes[0].exception(PATIENCE)
    assert error is None or (isinstance(error, DatabaseError) and is_transient(error))
    return run, error is None and bool(changes[0].result())


def state() -> list[tuple[Any, ...]]:
    rows = Membership.objects.order_by("pk")
    return list(rows.values_list("user_id", "team__name", "role"))


@pytest.mark.parametrize("on_collision", ["merge", "discard"])
def test_a_rival_that_changes_team_during_the_batch_is_moved_and_not_merged_away(
    other: Session, blue: Team, on_collision: str
) -> None:
    first, second = rivals("captain", "keeper")
    run, has_left = merge_while(other, lambda: change(second, team=blue), on_collision=on_collision)
    assert run.merged == 1
    assert has_left or connection.vendor == "mysql"
    moved = [(first.user_id, "Blue", "keeper")] if has_left else []
    assert state() == [(first.user_id, "Red", "captain"), *moved]


def test_a_rival_below_a_rival_that_changes_during_the_batch_is_moved_as_well(
    other: Session,
) -> None:
    first, second = rivals("captain", "keeper")
    for row in (first, second):
        Badge.objects.create(membership=row, label="gold")
    theirs = Badge.objects.get(membership=second)

    def relabel() -> None:
        assert other.do(lambda: Badge.objects.filter(pk=theirs.pk).update(label="silver")) == 1

    with before_a_row_changes(relabel):
        merge_equal(User, "name", on_collision="merge")
    assert set(Badge.objects.values_list("membership_id", "label")) == {
        (first.pk, "gold"),
        (first.pk, "silver"),
    }


def test_a_redundant_row_that_gets_a_value_of_its_own_during_the_batch_is_not_discarded(
    other: Session,
) -> None:
    _, second = rivals("keeper", "keeper")
    run, _ = merge_while(other, lambda: change(second, role="captain"))
    assert "would break unique (user, team)" in run.held_groups.get().reason
    assert [role for _, _, role in state()] == ["keeper", "captain"]


def test_a_redundant_row_that_gets_a_value_of_its_own_just_before_it_is_locked_is_not_discarded(
    other: Session,
) -> None:
    """Nobody else has written since the plan: the batch need not look again, but for this."""
    _, second = rivals("keeper", "keeper")

    def edit() -> None:
        assert other.do(lambda: change(second, role="captain")) == 1

    with before_statement("rivals_membership", "FOR UPDATE", act=edit):
        run = merge_equal(User, "name")
    assert "would break unique (user, team)" in run.held_groups.get().reason
    assert [role for _, _, role in state()] == ["keeper", "captain"]


def test_a_winner_that_leaves_during_the_batch_makes_room_for_its_rival(
    other: Session, blue: Team
) -> None:
    first, _ = rivals("captain", "keeper")
    _, has_left = merge_while(other, lambda: change(first, team=blue), on_collision="discard")
    assert has_left or connection.vendor == "mysql"
    if has_left:
        assert state() == [
            (first.user_id, "Blue", "captain"),
            (first.user_id, "Red", "keeper"),
        ]
    else:
        assert state() == [(first.user_id, "Red", "captain")]


def test_an_edit_of_a_rival_once_it_is_locked_waits_and_finds_the_row_gone(
    other: Session, blue: Team
) -> None:
    _, second = rivals("captain", "keeper")
    waiting: list[Future[Any]] = []

    def move() -> None:
        waiting.append(other.start(lambda: change(second, team=blue)))
        other.wait_until_blocked(waiting[0])

    with before_statement("INSERT", "dedupe_toolkit_rowchange", act=move):
        run = merge_equal(User, "name", on_collision="discard")
    assert waiting[0].result(PATIENCE) == 0
    assert run.merged == 1
    assert Membership.objects.count() == 1


@on_postgresql
def test_a_row_that_becomes_a_rival_during_the_batch_has_its_group_held_back(
    other: Session, blue: Team
) -> None:
    first, second = rivals("captain", "keeper")
    change(second, team=blue)
    run, has_come = merge_while(other, lambda: change(second, team=first.team))
    assert has_come
    assert (run.merged, run.groups_held_back) == (0, 1)
    assert [role for _, _, role in state()] == ["captain", "keeper"]
    assert User.objects.count() == 2
