"""Relations by several columns: all of them follow, or the group is held back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dedupe_toolkit import register
from dedupe_toolkit.errors import InvalidOption
from dedupe_toolkit.registry import unregister
from tests.kit import assert_undo_restores, counts, merged, snapshot
from tests.situations.joined.models import (
    Box,
    Content,
    Drawer,
    Hall,
    Job,
    Lamp,
    Part,
    Price,
    Robot,
    Sample,
    Shelf,
    Stock,
    Trial,
)
from tests.situations.odd.models import Person

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db


@pytest.fixture
def parts() -> list[Part]:
    keys = [(1, "a", "bolt"), (2, "b", "bolt"), (2, "c", "nut")]
    return [Part.objects.create(maker=maker, code=code, name=name) for maker, code, name in keys]


def of(part: Part) -> dict[str, object]:
    return {"maker": part.maker, "code": part.code}


def test_both_columns_follow(parts: list[Part]) -> None:
    for part in parts:
        Stock.objects.create(**of(part))
    for half in ({"maker": 2}, {"code": "b"}, {}):
        Stock.objects.create(**half)
    before = snapshot()
    run = merged(Part, "name")
    assert list(Stock.objects.order_by("pk").values_list("maker", "code")) == [
        (1, "a"),
        (1, "a"),
        (2, "c"),
        (2, None),
        (None, "b"),
        (None, None),
    ]
    assert counts(run, "joined.Stock.part") == (1, 0, 0)
    assert_undo_restores(run, before)


def test_rows_that_point_at_a_composite_key_follow() -> None:
    for number in (1, 2, 3):
        Sample.objects.create(site=1, number=number, name="x" if number < 3 else "y")
        Trial.objects.create(site=1, number=number)
    before = snapshot()
    run = merged(Sample, "name")
    assert list(Trial.objects.order_by("pk").values_list("site", "number")) == [
        (1, 1),
        (1, 1),
        (1, 3),
    ]
    assert counts(run, "joined.Trial.sample") == (1, 0, 0)
    assert_undo_restores(run, before)


@pytest.mark.parametrize("policy", ["hold", "merge", "discard"])
def test_rows_that_collide_by_both_columns_are_dealt_with_as_chosen(
    policy: str, parts: list[Part]
) -> None:
    for part in parts:
        Price.objects.create(**of(part), amount=part.pk)
    before = snapshot()
    run = merged(Part, "name", on_collision=policy)
    assert Price.objects.count() == (3 if policy == "hold" else 2)
    assert run.merged == (policy != "hold")
    assert_undo_restores(run, before)


@pytest.mark.parametrize("policy", ["hold", "merge", "discard"])
def test_rows_that_collide_by_one_of_the_columns_are_dealt_with_as_chosen(
    policy: str, parts: list[Part]
) -> None:
    for part in parts:
        Drawer.objects.create(**of(part), number=7 if part.name == "bolt" else 8, label=part.code)
    before = snapshot()
    run = merged(Part, "name", on_collision=policy)
    assert Drawer.objects.count() == (3 if policy == "hold" else 2)
    assert run.merged == (policy != "hold")
    assert_undo_restores(run, before)


def test_a_row_that_differs_in_one_of_the_columns_only_is_not_redundant(parts: list[Part]) -> None:
    Drawer.objects.create(**of(parts[0]), number=7)
    Drawer.objects.create(**of(parts[1]), number=7)
    before = snapshot()
    run = merged(Part, "name")
    assert not run.merged
    assert snapshot() == before


def test_a_column_of_the_parents_table_can_be_pointed_at() -> None:
    for serial in ("a", "b"):
        Robot.objects.create(serial=serial, name="Rob")
        Job.objects.create(serial=serial)
    before = snapshot()
    run = merged(Robot, "name")
    assert {job.robot for job in Job.objects.all()} == {Robot.objects.get()}
    assert counts(run, "joined.Job.robot") == (1, 0, 0)
    assert_undo_restores(run, before)


@pytest.mark.parametrize("maker", [1, 2])
def test_a_survivor_without_one_of_the_values_is_held_back(maker: int) -> None:
    kept, lost = (
        Part.objects.create(maker=number, code=code, name="bolt")
        for number, code in ((1, None), (maker, "b"))
    )
    Stock.objects.create(**of(lost))
    for number in (1, 2):
        Part.objects.create(maker=number, code=None, name="nut")
    run = merged(Part, "name")
    (held,) = run.held_back
    assert held["reason"] == (
        f"rows of joined.Stock.part point at row {lost.pk} by maker, code, which row {kept.pk} has"
        " not all: give them to it first"
    )
    assert Stock.objects.get().part == lost
    assert (run.merged, Part.objects.filter(name="nut").count()) == (1, 1)


def test_a_rule_for_a_value_that_rows_point_at_is_refused(parts: list[Part]) -> None:
    before = snapshot()
    with pytest.raises(InvalidOption) as error:
        merged(Part, "name", field_rules={"code": "longest"})
    assert str(error.value) == (
        "field rule of code: rows of joined.Drawer.part point at joined.Part by this field;"
        " use survivor or fill"
    )
    assert snapshot() == before
    assert merged(Part, "name", field_rules={"code": "fill", "maker": "survivor"}).merged == 1


def test_a_registered_column_by_value_is_no_different(parts: list[Part]) -> None:
    register(Person, references={"odd.Audit.author_text": "slug"})
    try:
        for slug in ("ann", "anna"):
            Person.objects.create(name="Ann", slug=slug)
        with pytest.raises(InvalidOption, match=r"rows of odd\.Audit\.author_text point at"):
            merged(Person, "name", field_rules={"slug": "longest"})
    finally:
        unregister(Person)


def test_a_rival_that_others_point_at_by_another_column_is_not_discarded() -> None:
    parts = [Part.objects.create(maker=maker, code="a", name="bolt") for maker in (1, 2)]
    boxes = [Box.objects.create(part=part, label=f"box {part.maker}") for part in parts]
    Content.objects.create(box=boxes[1])
    before = snapshot()
    run = merged(Part, "name", on_collision="discard")
    (held,) = run.held_back
    assert held["reason"] == (
        f"joined.Box: row {boxes[1].pk} cannot be discarded, joined.Content.box points at it"
    )
    assert snapshot() == before


@pytest.fixture
def shelved() -> Iterator[list[Part]]:
    """Two parts, each with a box of which a shelf has the key."""
    register(Box, references=["joined.Shelf.boxes__first"])
    try:
        yield [Part.objects.create(maker=maker, code="a", name="bolt") for maker in (1, 2)]
    finally:
        unregister(Box)


def test_a_rival_whose_key_may_stand_in_a_larger_value_is_not_discarded(
    shelved: list[Part],
) -> None:
    boxes = [Box.objects.create(part=part, label=f"box {part.maker}") for part in shelved]
    Shelf.objects.create(boxes={"first": boxes[1].pk})
    before = snapshot()
    (held,) = merged(Part, "name", on_collision="discard").held_back
    assert held["reason"] == (
        f"joined.Box: row {boxes[1].pk} cannot be discarded,"
        " joined.Shelf.boxes__first may hold its key"
    )
    assert snapshot() == before


def test_what_points_by_value_at_several_rows_that_collide_follows_each_of_them() -> None:
    for maker in (1, 2):
        part = Part.objects.create(maker=maker, code="c", name="bolt")
        for floor in (1, 2):
            hall = Hall.objects.create(part=part, floor=floor, label=f"{maker}.{floor}")
            Lamp.objects.create(hall=hall)
    before = snapshot()
    run = merged(Part, "name", on_collision="merge")
    assert run.held_back == []
    halls = Lamp.objects.order_by("pk").values_list("hall_id", flat=True)
    assert list(halls) == ["1.1", "1.2", "1.1", "1.2"]
    assert_undo_restores(run, before)
