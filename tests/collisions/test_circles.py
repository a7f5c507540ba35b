"""Collisions that would have to be merged in a circle: held back, each group by itself."""

from __future__ import annotations

import pytest

from dedupe_toolkit import merge, plan_merge, row_set
from tests.kit import assert_undo_restores, counts, merged, merged_rows, planned, snapshot
from tests.situations.circle.models import Category, City, Clerk, Country, Province, Shop

pytestmark = pytest.mark.django_db


def countries(name: str) -> list[Country]:
    """Two of one name, each with a first province and a city there: the collisions are a chain."""
    made = []
    for note in ("old", "new"):
        country = Country.objects.create(name=name)
        province = Province.objects.create(country=country, number=1, note=note)
        City.objects.create(province=province, name=f"{note} town")
        made.append(country)
    return made


def cities(name: str) -> list[City]:
    return list(City.objects.filter(province__country__name=name).order_by("pk"))


def circle() -> list[Country]:
    """The cities of two countries are the capitals of two others, which would have to be one."""
    countries("A")
    first, second = cities("A")
    capitals = ((first, "first"), (second, "second"))
    return [Country.objects.create(name=name, capital=capital) for capital, name in capitals]


def test_a_chain_that_leads_back_to_its_table_is_held_back_and_says_where() -> None:
    others = circle()
    before = snapshot()
    (held,) = planned(Country, "name", on_collision="merge").held_back
    assert held.values == {"name": "A"}
    assert held.reason == (
        f"circle.Country: merging rows {others[0].pk} and {others[1].pk} would lead back to a"
        " table already being merged; merge these two by themselves first, or take apart what"
        " makes them collide"
    )
    run = merged(Country, "name", on_collision="merge")
    assert (run.merged, len(run.held_back), snapshot()) == (0, 1, before)


def test_a_chain_back_to_the_very_rows_that_are_merged_is_held_back_too() -> None:
    rows = countries("A")
    for country, city in zip(rows, cities("A"), strict=True):
        Country.objects.filter(pk=country.pk).update(capital=city)
    before = snapshot()
    run = merged(Country, "name", on_collision="merge")
    (held,) = run.held_back
    assert held["reason"].startswith(
        f"circle.Country: merging rows {rows[0].pk} and {rows[1].pk} would lead back"
    )
    assert snapshot() == before


def test_a_circle_in_one_group_does_not_stop_the_chains_of_others() -> None:
    circle()
    countries("B")
    before = snapshot()
    run = merged(Country, "name", on_collision="merge")
    assert (run.merged, [group["values"] for group in run.held_back]) == (1, [{"name": "A"}])
    assert counts(run, "circle.Province.country") == (0, 0, 1)
    assert counts(run, "circle.City.province") == (0, 0, 1)
    assert Country.objects.filter(name="B").count() == len(cities("B")) == 1
    assert len(cities("A")) == 2
    assert_undo_restores(run, before)


def test_after_the_advice_was_followed_the_group_merges() -> None:
    first, second = circle()
    Country.objects.filter(pk=second.pk).update(capital=None)
    merged_rows(Country, first.pk, second.pk)
    before = snapshot()
    run = merged(Country, "name", on_collision="merge")
    assert not run.held_back
    assert Country.objects.get(name="first").capital == City.objects.get()
    assert_undo_restores(run, before)


def test_children_of_one_name_in_a_tree_are_such_a_circle() -> None:
    parents = [Category.objects.create(name="tools") for _ in range(2)]
    children = [
        Category.objects.create(parent=parent, name="saws", note=f"{parent.pk}")
        for parent in parents
    ]
    before = snapshot()
    (held,) = planned(Category, "name", where={"parent": None}, on_collision="merge").held_back
    assert held.reason.startswith(
        f"circle.Category: merging rows {children[0].pk} and {children[1].pk} would lead back"
    )
    assert snapshot() == before
    merged_rows(Category, *(child.pk for child in children))
    merged(Category, "name", where={"parent": None}, on_collision="merge")
    assert list(Category.objects.order_by("pk")) == [parents[0], children[0]]


def shops(*rows: tuple[int, int, int, int]) -> list[Shop]:
    """In countries and their provinces, by place, each with its number and its day, and a clerk."""
    countries = [Country.objects.create(name="A") for _ in range(3)]
    provinces = [Province.objects.create(country=each, number=1) for each in countries[:2]]
    made = []
    for country, number, province, day in rows:
        places = {"country": countries[country], "province": provinces[province]}
        made.append(Shop.objects.create(number=number, day=day, **places))
        Clerk.objects.create(shop=made[-1])
    return made


def test_rows_that_collide_with_others_at_another_level_are_held_back() -> None:
    """The third would go into the second, and the second into the first."""
    rows = shops((2, 1, 0, 5), (0, 2, 1, 5), (1, 2, 0, 6))
    before = snapshot()
    (held,) = merged(Country, "name", on_collision="merge").held_back
    assert held["reason"].startswith(
        f"circle.Shop: rows {rows[1].pk} and {rows[2].pk} would have to become one, and one of them"
        " with another row as well"
    )
    assert snapshot() == before
    merge(plan_merge(row_set(Shop, [rows[1].pk, rows[2].pk])))
    assert merged(Country, "name", on_collision="merge").held_back == []
    assert list(Clerk.objects.values_list("shop", flat=True)) == [Shop.objects.get().pk] * 3


def test_rows_that_collide_with_the_same_at_another_level_merge_once() -> None:
    rows = shops((0, 2, 0, 5), (1, 2, 1, 5), (2, 3, 0, 6))
    before = snapshot()
    run = merged(Country, "name", on_collision="merge")
    assert counts(run, "circle.Clerk.shop") == (1, 0, 0)
    assert Clerk.objects.filter(shop=rows[0]).count() == 2
    assert_undo_restores(run, before)


def test_links_that_repeat_others_at_two_levels_go_at_both() -> None:
    countries = [Country.objects.create(name="A") for _ in range(2)]
    for country in countries:
        Province.objects.create(country=country, number=1).allies.set(countries)
    before = snapshot()
    run = merged(Country, "name")
    assert Province.objects.get().allies.get() == countries[0]
    assert_undo_restores(run, before)
