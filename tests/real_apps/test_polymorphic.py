"""django-polymorphic: one object is of one type, before and after."""

from __future__ import annotations

import pytest

from tests.kit import assert_undo_restores, merged, merged_rows, snapshot
from tests.real_apps.integrity import soundly_merged
from tests.real_apps.models import Boat, Car, Trip, Vehicle

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("model", [Vehicle, Boat])
def test_two_objects_of_one_type_become_one_of_that_type(model: type[Vehicle]) -> None:
    survivor = Boat.objects.create(name="x")
    duplicate = Boat.objects.create(name="x", draught=3)
    Trip.objects.create(vehicle=duplicate, boat=duplicate)
    run, before = soundly_merged(model, "name")
    assert list(Vehicle.objects.all()) == [survivor]
    assert type(Vehicle.objects.get()) is Boat
    assert Boat.objects.get().draught == 3
    assert Trip.objects.get().vehicle == Trip.objects.get().boat == survivor
    assert_undo_restores(run, before)


def test_objects_of_different_types_are_held_back_and_the_others_merge() -> None:
    car, boat = Car.objects.create(name="x"), Boat.objects.create(name="x")
    plain, _ = (Vehicle.objects.create(name="y") for _ in range(2))
    run, before = soundly_merged(Vehicle, "name")
    assert set(Vehicle.objects.all()) == {car, boat, plain}
    assert [type(vehicle) for vehicle in Vehicle.objects.order_by("pk")] == [Car, Boat, Vehicle]
    (held,) = run.held_back
    assert held["reason"] == (
        f"rows {car.pk} and {boat.pk} differ in polymorphic_ctype_id: objects of different kinds"
    )
    assert_undo_restores(run, before)


def test_naming_the_rows_does_not_turn_one_type_into_another_either() -> None:
    parent, boat = Vehicle.objects.create(name="x"), Boat.objects.create(name="x")
    before = snapshot()
    assert merged_rows(Vehicle, parent.pk, boat.pk, into=parent.pk).merged == 0
    assert merged(Vehicle, "name", on_collision="merge").merged == 0
    assert snapshot() == before
