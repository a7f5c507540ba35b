"""Multi-table inheritance: rows of one family with one key are one object."""

from __future__ import annotations

import pytest

from tests.kit import assert_undo_restores, counts, merged, planned, snapshot
from tests.situations.family.models import (
    Bar,
    Meal,
    Pizzeria,
    Place,
    Restaurant,
    Slice,
    Stall,
    Visit,
)

pytestmark = pytest.mark.django_db


def test_two_children_merge_at_the_child_with_parent_and_references() -> None:
    kept = Restaurant.objects.create(name="Roma", stars=None)
    lost = Restaurant.objects.create(name="Roma", stars=2, phone="1")
    for row in (kept, lost):
        Visit.objects.create(place=row)
        Meal.objects.create(restaurant=row)
    before = snapshot()
    run = merged(Restaurant, "name")
    row = Restaurant.objects.get()
    assert (row.pk, row.stars, row.phone) == (kept.pk, 2, "1")
    assert Place.objects.count() == 1
    assert Visit.objects.filter(place=kept).count() == 2
    assert Meal.objects.filter(restaurant=kept).count() == 2
    assert_undo_restores(run, before)


def test_a_child_row_that_only_the_duplicate_has_moves_to_the_survivor() -> None:
    kept = Place.objects.create(name="Roma")
    lost = Pizzeria.objects.create(name="Roma", oven="stone", stars=3)
    Slice.objects.create(pizzeria=lost)
    Meal.objects.create(restaurant=lost)
    before = snapshot()
    run = merged(Place, "name")
    pizzeria = Pizzeria.objects.get()
    assert (pizzeria.pk, pizzeria.oven, pizzeria.stars) == (kept.pk, "stone", 3)
    assert Slice.objects.get().pizzeria_id == kept.pk
    assert Meal.objects.get().restaurant_id == kept.pk
    assert counts(run, "family.Slice.pizzeria") == (1, 0, 0)
    assert_undo_restores(run, before)


def test_children_of_several_duplicates_become_one() -> None:
    kept = Place.objects.create(name="Roma")
    for stars, oven in ((None, "stone"), (2, "steel")):
        Slice.objects.create(pizzeria=Pizzeria.objects.create(name="Roma", stars=stars, oven=oven))
    before = snapshot()
    run = merged(Place, "name")
    pizzeria = Pizzeria.objects.get()
    assert (pizzeria.pk, pizzeria.stars, pizzeria.oven) == (kept.pk, 2, "stone")
    assert Slice.objects.filter(pizzeria=pizzeria).count() == 2
    assert_undo_restores(run, before)


def test_different_children_of_one_object_end_side_by_side() -> None:
    bar = Bar.objects.create(name="Roma", beers=7)
    Pizzeria.objects.create(name="Roma", oven="stone")
    before = snapshot()
    run = merged(Place, "name")
    assert Pizzeria.objects.get().pk == Bar.objects.get().pk == bar.pk
    assert_undo_restores(run, before)


def test_values_of_a_childs_row_are_filled_in_the_order_of_the_survivor_rule() -> None:
    for stars in (1, 2, 3):
        Restaurant.objects.create(name="Roma", stars=stars)
    last = Restaurant.objects.create(name="Roma", stars=None)
    before = snapshot()
    run = merged(Place, "name", survivor="newest")
    restaurant = Restaurant.objects.get()
    assert (restaurant.pk, restaurant.stars) == (last.pk, 3)
    assert_undo_restores(run, before)


def test_different_values_in_a_childs_row_hold_the_group_back_when_asked() -> None:
    for stars in (1, 2):
        Restaurant.objects.create(name="Roma", stars=stars)
    (held,) = planned(Restaurant, "name", on_conflict="hold").held_back
    assert "differ in stars (" in held.reason


def test_parts_that_become_one_and_pointed_at_each_other_are_not_counted_once_it_moves() -> None:
    kept = Place.objects.create(name="Roma")
    first = Stall.objects.create(name="Roma")
    Stall.objects.create(name="Roma", beside=first)
    other = Stall.objects.create(name="Oslo", beside=first)
    before = snapshot()
    run = merged(Place, "name")
    other.refresh_from_db()
    assert other.beside_id == kept.pk
    assert counts(run, "family.Stall.beside") == (1, 0, 0)
    assert_undo_restores(run, before)


@pytest.mark.parametrize("is_moving", [False, True])
def test_a_part_that_takes_its_duplicates_target_is_not_counted_where_that_moves(
    is_moving: bool,
) -> None:
    if is_moving:
        Place.objects.create(name="Oslo")
    target = Stall.objects.create(name="Oslo")
    Place.objects.create(name="Roma")
    first = Stall.objects.create(name="Roma")
    first.beside = Stall.objects.create(name="Roma", beside=target)
    first.save()
    before = snapshot()
    run = merged(Place, "name")
    assert Stall.objects.get(name="Roma").beside == Stall.objects.get(name="Oslo")
    assert counts(run, "family.Stall.beside") == (0, 0, 0)
    assert_undo_restores(run, before)
