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
)
from tests.situations.rivals.models import Badge, Duel, Membership, Team, User

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from dedupe_toolkit import MergeRun

pytestmark = [committing, on_a_server]


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
def test_a_row_that_becomes_a_rival_during_the_batch_is_seen_when_the_batch_starts_again(
    other: Session, blue: Team
) -> None:
    first, second = rivals("captain", "keeper")
    change(second, team=blue)
    run, has_come = merge_while(
        other, lambda: change(second, team=first.team), on_collision="merge"
    )
    assert has_come
    assert (run.merged, run.held_back) == (1, [])
    assert state() == [(first.user_id, "Red", "captain")]
    assert User.objects.count() == 1


@on_postgresql
def test_a_row_that_becomes_a_rival_to_be_held_back_names_the_rule_and_both_rows(
    other: Session, blue: Team
) -> None:
    first, second = rivals("captain", "keeper")
    change(second, team=blue)
    run, _ = merge_while(other, lambda: change(second, team=first.team))
    (held,) = run.held_back
    assert "rivals.Membership" in held["reason"]
    assert "the database refuses" not in held["reason"]
    assert [role for _, _, role in state()] == ["captain", "keeper"]


def teams() -> tuple[Team, Team]:
    """Two of one name, and a member of the second."""
    first, second = (Team.objects.create(name="Red") for _ in range(2))
    Membership.objects.create(user=User.objects.create(name="Ann"), team=second, role="captain")
    return first, second


def join(team: Team, user: User, role: str) -> int:
    return int(Membership.objects.create(user=user, team=team, role=role).pk)


@on_postgresql
def test_a_row_that_references_a_survivor_during_the_batch_does_not_wait(other: Session) -> None:
    first, _ = teams()
    ben = User.objects.create(name="Ben")
    with before_a_row_changes(lambda: other.do(join, first, ben, "keeper")):
        run = merge_equal(Team, "name")
    assert run.merged == 1
    assert set(Membership.objects.values_list("team", "role")) == {
        (first.pk, "captain"),
        (first.pk, "keeper"),
    }


@on_postgresql
@pytest.mark.parametrize(("role", "merged"), [("captain", 1), ("keeper", 0)])
def test_a_row_that_references_a_survivor_and_collides_is_compared_like_any_other(
    other: Session, role: str, merged: int
) -> None:
    first, _ = teams()
    ann = User.objects.get()
    with before_a_row_changes(lambda: other.do(join, first, ann, role)):
        run = merge_equal(Team, "name")
    assert run.merged == merged
    assert ["the database refuses" in held["reason"] for held in run.held_back] == [False] * (
        not merged
    )
    assert Membership.objects.count() == 2 - merged


def duel(left: User, right: User) -> int:
    return int(Duel.objects.create(left=left, right=right, place="Rome").pk)


def test_a_row_that_could_tie_survivor_and_duplicate_waits_for_the_batch(other: Session) -> None:
    """No rule of the database forbids it, so nothing but the lock can keep it out."""
    first, second = (User.objects.create(name="Ann") for _ in range(2))
    ben = User.objects.create(name="Ben")
    row = duel(second, ben)
    waiting: list[Future[int]] = []

    def tie() -> None:
        waiting.append(other.start(lambda: Duel.objects.filter(pk=row).update(right=first)))
        other.wait_until_blocked(waiting[0])

    with before_a_row_changes(tie):
        assert merge_equal(User, "name").merged == 1
    error = waiting[0].exception(PATIENCE)
    assert error is None or is_transient(error)
