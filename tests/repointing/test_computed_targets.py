"""Rows that point at a value which the database computes of what a merge changes."""

from __future__ import annotations

from typing import Any

import pytest

from dedupe_toolkit import MergePolicy, match_key, plan_merge
from dedupe_toolkit.errors import InvalidOption
from tests.kit import assert_undo_restores, merged, snapshot
from tests.situations.ruled.models import Fare, Line, Stop, Tariff

pytestmark = pytest.mark.django_db


def tariffs(**second: Any) -> list[int]:
    """The keys of two of one name; the first costs 5, the second 7 or what is said of it."""
    for values in ({"base": 5}, {"base": 7, **second}):
        Tariff.objects.create(name="x", **values)
    return list(Tariff.objects.order_by("pk").values_list("pk", flat=True))


def test_rows_whose_computed_value_is_pointed_at_hold_their_group_back() -> None:
    _, duplicate = tariffs()
    line = Line.objects.create(tariff_id=duplicate, number=1)
    code = Line.objects.get().code
    Stop.objects.create(line_id=code)
    before = snapshot()
    run = merged(Tariff, "name")
    assert run.merged == 0
    assert run.held_back[0]["reason"] == (
        f"ruled.Stop.line points at row {line.pk} of ruled.Line by a value that the database"
        " computes of what the merge would change, and could not follow: repoint or delete these"
        " rows first"
    )
    assert snapshot() == before


def test_rows_at_which_nothing_points_move() -> None:
    survivor, duplicate = tariffs()
    Line.objects.create(tariff_id=duplicate, number=1)
    Line.objects.create(tariff_id=survivor, number=2)
    Stop.objects.create(line_id=Line.objects.get(number=2).code)
    before = snapshot()
    run = merged(Tariff, "name")
    assert set(Line.objects.values_list("tariff_id", flat=True)) == {survivor}
    assert_undo_restores(run, before)


@pytest.mark.parametrize(("extra", "is_merged"), [(3, 0), (None, 1)])
def test_a_survivor_keeps_the_value_it_is_known_by(extra: int | None, is_merged: int) -> None:
    tariffs(extra=extra)
    Fare.objects.create(tariff_id=5)
    Fare.objects.create(tariff_id=7 + (extra or 0))
    before = snapshot()
    run = merged(Tariff, "name")
    assert run.merged == is_merged
    assert all("price, which the database computes of" in one["reason"] for one in run.held_back)
    prices = set(Tariff.objects.values_list("price", flat=True))
    assert set(Fare.objects.values_list("tariff_id", flat=True)) <= prices
    assert_undo_restores(run, before)


def test_a_rule_for_what_it_is_computed_of_is_refused() -> None:
    tariffs()
    with pytest.raises(InvalidOption, match="by price, which the database computes of it; use"):
        plan_merge(match_key(Tariff, ["name"]), policy=MergePolicy(field_rules={"base": "max"}))
