"""Cases 30 to 32: objects in several tables, and primary keys of every kind."""

from __future__ import annotations

import pytest

from dedupe_toolkit import undo
from tests.kit import assert_undo_restores, merged, snapshot
from tests.situations.family.models import Meal, Pizzeria, Place, Restaurant, Slice, Visit
from tests.situations.keyed.models import Device, Measurement, Offer, Product, Reading

pytestmark = pytest.mark.django_db


def test_case_30_two_children_merge_with_their_parents_and_all_references() -> None:
    survivor, duplicate = (Restaurant.objects.create(name="Roma") for _ in range(2))
    for row in (survivor, duplicate):
        Visit.objects.create(place=row)
        Meal.objects.create(restaurant=row)
    before = snapshot()
    run = merged(Restaurant, "name")
    assert Place.objects.get().pk == Restaurant.objects.get().pk == survivor.pk
    assert Visit.objects.filter(place=survivor).count() == 2
    assert Meal.objects.filter(restaurant=survivor).count() == 2
    assert_undo_restores(run, before)


@pytest.mark.parametrize("both", [False, True])
def test_case_31_a_child_row_moves_to_the_survivor_or_merges_with_the_survivors(
    both: bool,
) -> None:
    if both:
        survivor: Place = Pizzeria.objects.create(name="Roma", stars=1)
    else:
        survivor = Place.objects.create(name="Roma")
    duplicate = Pizzeria.objects.create(name="Roma", stars=2, oven="stone")
    Slice.objects.create(pizzeria=duplicate)
    Meal.objects.create(restaurant=duplicate)
    before = snapshot()
    run = merged(Place, "name")
    pizzeria = Pizzeria.objects.get()
    assert (pizzeria.pk, pizzeria.oven) == (survivor.pk, "stone")
    assert pizzeria.stars == (1 if both else 2)
    assert Slice.objects.get().pizzeria_id == Meal.objects.get().restaurant_id == survivor.pk
    assert_undo_restores(run, before)


def test_case_32_text_uuid_and_composite_keys_merge_whatever_they_are_called() -> None:
    for number in (2, 1):
        Offer.objects.create(product=Product.objects.create(sku=f"s{number}", name="Pen"))
        Reading.objects.create(device=Device.objects.create(serial="1"), value=1)
        Measurement.objects.create(station=7, number=number, name="wind")
    first = Device.objects.order_by("key")[0]
    before = snapshot()
    runs = [merged(Product, "name"), merged(Device, "serial"), merged(Measurement, "name")]
    assert set(Offer.objects.values_list("product", flat=True)) == {"s1"}
    assert set(Reading.objects.values_list("device", flat=True)) == {first.pk}
    assert Measurement.objects.get().pk == (7, 1)
    undo(runs[0])
    undo(runs[1])
    assert_undo_restores(runs[2], before)
