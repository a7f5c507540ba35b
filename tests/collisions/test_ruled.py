"""Rules over expressions, conditions and computed columns that repointed references feed."""

from __future__ import annotations

import pytest
from django.db import connection

from tests.kit import assert_undo_restores, counts, merged, snapshot
from tests.situations.ruled.models import Card, Pair, Person, Seat, Share, Slot, Swap

pytestmark = pytest.mark.django_db


@pytest.fixture
def over_expressions() -> None:
    if not connection.features.supports_expression_indexes:
        pytest.skip("has no unique rules over expressions")


@pytest.fixture
def under_conditions() -> None:
    if not connection.features.supports_partial_indexes:
        pytest.skip("has no unique rules under conditions")


def persons(*names: str) -> list[Person]:
    return [Person.objects.create(name=name) for name in names]


def numbered(**keys: int) -> list[Person]:
    """Persons of the same name with these keys."""
    return [Person.objects.create(pk=key, name="Ann") for key in keys.values()]


@pytest.mark.usefixtures("over_expressions", "under_conditions")
def test_a_pair_in_the_other_order_is_a_rival() -> None:
    x, y, y2 = persons("x", "y", "y")
    kept = Pair.objects.create(a=x, b=y)
    lost = Pair.objects.create(a=y2, b=x)
    before = snapshot()
    run = merged(Person, "name")
    assert run.held_back[0]["reason"] == (
        f"ruled.Pair: rows {kept.pk} and {lost.pk} would break unique constraint one_pair"
    )
    run = merged(Person, "name", on_collision="merge")
    assert list(Pair.objects.values_list("pk", "a", "b")) == [(kept.pk, x.pk, y.pk)]
    assert_undo_restores(run, before)


@pytest.mark.usefixtures("over_expressions", "under_conditions")
def test_a_pair_of_two_references_that_both_move_is_compared_as_it_will_be() -> None:
    x, x2, y, y2 = persons("x", "x", "y", "y")
    Pair.objects.create(a=y, b=x)
    Pair.objects.create(a=x2, b=y2)
    before = snapshot()
    run = merged(Person, "name")
    assert (run.merged, len(run.held_back)) == (1, 1)
    assert_undo_restores(run, before)


@pytest.mark.usefixtures("over_expressions", "under_conditions")
def test_a_pair_that_says_the_same_once_repointed_is_redundant() -> None:
    x, y, y2 = persons("x", "y", "y")
    Pair.objects.create(a=x, b=y)
    Pair.objects.create(a=x, b=y2)
    before = snapshot()
    run = merged(Person, "name")
    assert counts(run, "ruled.Pair.b")[0] + counts(run, "ruled.Pair.a")[1] == 1
    assert Pair.objects.count() == 1
    assert_undo_restores(run, before)


def test_rows_outside_the_condition_and_pairs_that_still_differ_are_left_alone() -> None:
    x, y, y2, z = persons("x", "y", "y", "z")
    Pair.objects.create(a=x, b=y)
    Pair.objects.create(a=y2, b=x, is_on=False)
    Pair.objects.create(a=y2, b=z)
    before = snapshot()
    run = merged(Person, "name")
    assert (run.held_back, Pair.objects.count()) == ([], 3)
    assert_undo_restores(run, before)


@pytest.mark.usefixtures("over_expressions")
@pytest.mark.parametrize("policy", ["merge", "discard"])
def test_references_inside_functions_beside_others_collide(policy: str) -> None:
    owners = persons("Ann", "Ann")
    for owner, row in zip(owners, ("Q", "q"), strict=True):
        Seat.objects.create(owner=owner, row=row)
    Seat.objects.create(owner=None, row="Q")
    before = snapshot()
    assert len(merged(Person, "name").held_back) == 1
    run = merged(Person, "name", on_collision=policy)
    assert sorted(Seat.objects.values_list("row", flat=True)) == ["Q", "Q"]
    assert_undo_restores(run, before)


@pytest.mark.usefixtures("over_expressions")
def test_a_row_of_another_owner_can_be_in_the_way() -> None:
    numbered(survivor=0) if connection.vendor != "mysql" else persons("Ann")
    Seat.objects.create(owner=None, row="Q")
    duplicate = Person.objects.create(name="Ann")
    Seat.objects.create(owner=duplicate, row="q")
    before = snapshot()
    run = merged(Person, "name")
    assert len(run.held_back) == int(Person.objects.filter(pk=0).exists())
    assert_undo_restores(run, before)


@pytest.mark.usefixtures("under_conditions")
def test_a_row_that_comes_under_a_condition_collides_with_one_that_never_moves() -> None:
    numbered(survivor=200, duplicate=50)
    stranger = Person.objects.create(pk=300, name="Bob")
    resting = Slot.objects.create(owner=stranger, day=1)
    moving = Slot.objects.create(owner_id=50, day=1)
    Slot.objects.create(owner_id=50, day=2)
    before = snapshot()
    run = merged(Person, "name", survivor="newest")
    assert run.held_back[0]["reason"] == (
        f"ruled.Slot: rows {resting.pk} and {moving.pk} would break unique constraint one_slot"
    )
    assert snapshot() == before


@pytest.mark.usefixtures("under_conditions")
def test_a_row_that_leaves_a_condition_collides_no_more() -> None:
    numbered(survivor=50, duplicate=200)
    Slot.objects.create(owner_id=50, day=1)
    Slot.objects.create(owner_id=200, day=1)
    before = snapshot()
    run = merged(Person, "name")
    assert (run.held_back, Slot.objects.filter(owner=50).count()) == ([], 2)
    assert_undo_restores(run, before)


def test_a_unique_column_computed_of_a_reference_collides() -> None:
    owners = persons("Ann", "Ann")
    first, second = (
        Share.objects.create(owner=owner, number=7, kind=kind) for kind, owner in enumerate(owners)
    )
    before = snapshot()
    run = merged(Person, "name")
    assert run.held_back[0]["reason"] == (
        f"ruled.Share: rows {first.pk} and {second.pk} would break unique (code)"
    )
    run = merged(Person, "name", on_collision="discard")
    assert list(Share.objects.values_list("pk", "kind")) == [(first.pk, 0)]
    assert_undo_restores(run, before)


def test_a_column_computed_of_a_reference_collides_together_with_another() -> None:
    owners = persons("Ann", "Ann")
    first, second = (
        Share.objects.create(owner=owner, number=number) for number, owner in enumerate(owners)
    )
    third = Share.objects.create(owner=owners[1], number=3, kind=1)
    before = snapshot()
    run = merged(Person, "name")
    assert run.held_back[0]["reason"] == (
        f"ruled.Share: rows {first.pk} and {second.pk} would break unique (place, kind)"
    )
    run = merged(Person, "name", on_collision="merge")
    assert list(Share.objects.values_list("pk", "number")) == [(first.pk, 0), (third.pk, 3)]
    assert_undo_restores(run, before)


def test_a_computed_column_can_meet_one_of_an_owner_outside_the_merge() -> None:
    numbered(survivor=20, duplicate=10)
    Person.objects.create(pk=19, name="Bob")
    resting = Share.objects.create(owner_id=19, number=1001, kind=1)
    moving = Share.objects.create(owner_id=10, number=1, kind=2)
    run = merged(Person, "name", survivor="newest")
    assert run.held_back[0]["reason"] == (
        f"ruled.Share: rows {resting.pk} and {moving.pk} would break unique (code)"
    )


@pytest.mark.usefixtures("over_expressions")
@pytest.mark.parametrize(("policy", "left"), [("merge", 1), ("hold", 2)])
def test_pairs_of_rows_that_merge_one_level_down_are_rivals(policy: str, left: int) -> None:
    owners = persons("Ann", "Ann", "Bob")
    ann, ann2, bob = (Card.objects.create(owner=owner, kind="a") for owner in owners)
    Swap.objects.create(one=ann, other=bob)
    Swap.objects.create(one=bob, other=ann2)
    before = snapshot()
    run = merged(Person, "name", on_collision=policy)
    assert Swap.objects.count() == left
    assert_undo_restores(run, before)
