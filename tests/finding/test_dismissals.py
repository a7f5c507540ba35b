"""Dismissed groups: a person said that their rows are not duplicates, so nobody is asked again."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dedupe_toolkit import (
    DedupeError,
    DismissedGroup,
    dismiss,
    find_duplicates,
    match_key,
    offer_again,
    plan_merge,
    row_set,
    undo,
)
from dedupe_toolkit.models import DismissedRow
from dedupe_toolkit.reviewing.held_back import held_back
from tests.kit import merged, merged_rows, snapshot
from tests.situations.family.models import Pizzeria, Restaurant
from tests.situations.keyed.models import Device, Measurement, Product
from tests.situations.links.models import Author, AuthorProxy
from tests.situations.odd.models import Person

pytestmark = pytest.mark.django_db

NAME = match_key(Person, ["name"])


def people(*names: str | None, **values: Any) -> list[int]:
    return [Person.objects.create(name=name, **values).pk for name in names]


def groups_of(key: Any) -> list[tuple[Any, ...]]:
    """The groups offered: found, and in the plan, which must agree."""
    found = find_duplicates(key, limit=None)
    groups = [(group.survivor, *group.duplicates) for group in found.duplicate_groups]
    plan = plan_merge(key)
    assert plan.groups == found.groups == len(groups)
    assert plan.rows_to_merge == found.surplus == sum(len(group) - 1 for group in groups)
    return groups


def dismissed_by(key: Any, *pks: Any) -> DismissedGroup:
    return dismiss(row_set(key.model, pks), key=key)


def gone(*pks: int) -> None:
    # without Django's cascade: one of the models that point at people has no table
    Person.objects.filter(pk__in=pks)._raw_delete("default")


# -- what is offered ---------------------------------------------------------------------------


def test_a_condition_that_no_row_can_meet_finds_nothing_beside_a_dismissed_group() -> None:
    ann, ann2, *_ = people("Ann", "Ann")
    dismissed_by(NAME, ann, ann2)
    found = find_duplicates(match_key(NAME.model, ["name"], where={"name__in": []}))
    assert (found.groups, found.dismissed) == (0, 0)


def test_a_dismissed_group_is_neither_found_nor_merged_and_the_others_are() -> None:
    ann, bob, ann2, bob2 = people("Ann", "Bob", "Ann", "Bob")
    dismissed_by(NAME, ann, ann2)
    assert groups_of(NAME) == [(bob, bob2)]
    found = find_duplicates(NAME)
    assert (found.groups, found.rows, found.surplus, found.dismissed) == (1, 2, 1, 1)
    run = merged(Person, "name")
    assert run.rows_merged == 1
    assert set(Person.objects.values_list("pk", flat=True)) == {ann, ann2, bob}


def test_a_group_that_a_row_joins_is_offered_again() -> None:
    pks = people("Ann", "Ann")
    dismissed_by(NAME, *pks)
    pks += people("Ann")
    assert groups_of(NAME) == [tuple(pks)]
    assert find_duplicates(NAME).dismissed == 0


def test_what_is_left_of_a_dismissed_group_stays_dismissed() -> None:
    pks = people("Ann", "Ann", "Ann", "Ann")
    dismissed_by(NAME, *pks)
    gone(pks[0])
    Person.objects.filter(pk=pks[1]).update(name="Bob")
    assert groups_of(NAME) == []
    assert find_duplicates(NAME).dismissed == 1


def test_a_row_changed_in_a_key_field_is_offered_with_those_it_joins() -> None:
    ann, ann2, bob = people("Ann", "Ann", "Bob")
    dismissed_by(NAME, ann, ann2)
    Person.objects.filter(pk=ann2).update(name="Bob")
    assert groups_of(NAME) == [(ann2, bob)]


def test_two_verdicts_do_not_dismiss_the_rows_of_both_together() -> None:
    pks = people("Ann", "Ann", "Bob", "Bob")
    dismissed_by(NAME, *pks[:2])
    dismissed_by(NAME, *pks[2:])
    Person.objects.update(name="Ann")
    assert groups_of(NAME) == [tuple(pks)]


def test_a_later_verdict_on_fewer_rows_takes_nothing_from_an_earlier_one() -> None:
    pks = people("Ann", "Ann", "Ann")
    dismissed_by(NAME, *pks)
    dismissed_by(NAME, *pks[1:])
    assert groups_of(NAME) == []


def test_a_verdict_on_rows_of_several_groups_dismisses_each() -> None:
    pks = people("Ann", "Ann", "Bob", "Bob", "Bob")
    dismiss(row_set(Person, pks))
    assert groups_of(NAME) == []
    assert find_duplicates(NAME).dismissed == 2


def test_a_verdict_by_one_key_holds_for_that_key_in_any_order_and_for_no_other() -> None:
    pks = people("Ann", "Ann", email="x")
    dismissed_by(match_key(Person, ["name", "email"]), *pks)
    assert groups_of(match_key(Person, ["email", "name"])) == []
    assert groups_of(NAME) == groups_of(match_key(Person, ["name__lower"])) == [tuple(pks)]


def test_a_verdict_without_a_key_holds_for_every_key() -> None:
    pks = people("Ann", "Ann", email="x")
    dismiss(row_set(Person, pks))
    assert groups_of(NAME) == groups_of(match_key(Person, ["email"])) == []


def test_a_verdict_is_about_rows_of_its_model_only() -> None:
    pks = people("Ann", "Ann")
    authors = [Author.objects.create(pk=pk, name="Ann").pk for pk in pks]
    Product.objects.create(sku="no number", name="Ann")
    dismiss(row_set(Person, pks))
    dismiss(row_set(Product, ["no number", Product.objects.create(sku="b", name="Ann").pk]))
    assert groups_of(match_key(Author, ["name"])) == [tuple(authors)]


def test_nulls_that_are_equal_are_dismissed_too() -> None:
    nulls, ann = people(None, None), people("Ann", "Ann")
    key = match_key(Person, ["name", "updated"], nulls="equal")
    assert groups_of(key) == [tuple(nulls), tuple(ann)]
    dismissed_by(key, *nulls)
    assert groups_of(key) == [tuple(ann)]


def test_conditions_decide_which_rows_are_in_the_group() -> None:
    pks = people("Ann", "Ann", "Ann")
    Person.objects.filter(pk=pks[2]).update(email="gone")
    key = match_key(Person, ["name"], where={"email": ""})
    dismissed_by(key, *pks[:2])
    assert groups_of(key) == []
    assert groups_of(NAME) == [tuple(pks)]


def test_rows_with_uuids_are_dismissed() -> None:
    pks = [Device.objects.create(serial=serial).pk for serial in "aabb"]
    key = match_key(Device, ["serial"])
    dismissed_by(key, *pks[:2])
    assert [set(group) for group in groups_of(key)] == [set(pks[2:])]


def test_rows_with_texts_for_keys_are_dismissed() -> None:
    pks = [Product.objects.create(sku=sku, name="Reel").pk for sku in ('16 "A" %s', "ß 1")]
    key = match_key(Product, ["name"])
    dismissed_by(key, *pks)
    assert groups_of(key) == []


def test_rows_with_composite_keys_are_dismissed() -> None:
    rows = [(station, number) for station in (1, 2) for number in (1, 2)]
    for station, number in rows:
        Measurement.objects.create(station=station, number=number, name=f"s{number}")
    key = match_key(Measurement, ["name"])
    dismissed_by(key, (1, 1), (2, 1))
    assert groups_of(key) == [((1, 2), (2, 2))]


def test_objects_of_several_tables_and_proxies_are_dismissed_as_one() -> None:
    places = [Pizzeria.objects.create().pk for _ in range(2)]
    dismiss(row_set(Pizzeria, places))
    for model in (Pizzeria, Restaurant):
        (field,) = [f for f in model._meta.concrete_fields if not f.unique][:1]
        assert groups_of(match_key(model, [field.name])) == []
    authors = [Author.objects.create(name="Ann").pk for _ in range(2)]
    dismiss(row_set(AuthorProxy, authors))
    assert groups_of(match_key(Author, ["name"])) == []


@pytest.mark.django_db(databases=["default", "other"])
def test_each_database_has_its_own_verdicts() -> None:
    for alias in ("default", "other"):
        for pk in (1, 2):
            Person.objects.using(alias).create(pk=pk, name="Ann")
    dismiss(row_set(Person, [1, 2]), key=NAME, using="other")
    assert find_duplicates(NAME).groups == 1
    assert find_duplicates(NAME, using="other").groups == 0


def test_every_group_can_be_asked_for() -> None:
    pks = people("Ann", "Ann", "Bob", "Bob")
    dismissed_by(NAME, *pks[:2])
    found = find_duplicates(NAME, include_dismissed=True)
    assert (found.groups, found.rows, found.dismissed) == (2, 4, 1)
    assert len(found.duplicate_groups) == 2


# -- merging -----------------------------------------------------------------------------------


def test_rows_named_one_by_one_are_merged_whatever_was_said_of_them() -> None:
    pks = people("Ann", "Ann")
    dismiss(row_set(Person, pks))
    assert merged_rows(Person, *pks).rows_merged == 1


def test_a_verdict_outlives_a_merge_and_its_undo() -> None:
    pks = people("Ann", "Ann")
    dismiss(row_set(Person, pks))
    before = snapshot()
    run = merged_rows(Person, *pks)
    more = people("Ann")
    assert groups_of(NAME) == [(pks[0], *more)]
    gone(*more)
    undo(run)
    assert snapshot() == before
    assert groups_of(NAME) == []


def test_a_group_held_back_and_then_dismissed_does_not_wait_for_review_any_more() -> None:
    pks = people("Ann", "Ann", "Bob", "Bob")
    for pk in pks:
        Person.objects.filter(pk=pk).update(email=f"{pk}@x.org")
    merged(Person, "name", on_conflict="hold")
    assert [group.rows for group in held_back()] == [pks[:2], pks[2:]]
    dismissed_by(match_key(Person, ["name", "data"]), *pks[:2])
    dismissed_by(NAME, *pks[2:])
    assert [group.rows for group in held_back()] == [pks[:2]]


def test_a_group_held_back_with_composite_keys_can_be_dismissed() -> None:
    for note in ("a", "b"):
        Measurement.objects.create(station=1, number=ord(note), name="s", note=note)
    merged(Measurement, "name", on_conflict="hold")
    (group,) = held_back()
    dismiss(row_set(Measurement, group.rows))
    assert list(held_back()) == []


# -- verdicts ----------------------------------------------------------------------------------


def test_a_verdict_taken_back_offers_its_group_again() -> None:
    pks = people("Ann", "Ann", "Bob", "Bob")
    first, second = dismissed_by(NAME, *pks[:2]), dismissed_by(NAME, *pks[2:])
    offer_again(first)
    assert groups_of(NAME) == [tuple(pks[:2])]
    offer_again(second.pk)
    assert groups_of(NAME) == [tuple(pks[:2]), tuple(pks[2:])]
    assert not DismissedRow.objects.exists()


def test_a_verdict_that_is_not_there_cannot_be_taken_back_nor_any_other_with_it() -> None:
    verdict = dismissed_by(NAME, *people("Ann", "Ann"))
    with pytest.raises(DedupeError, match=f"there is no dismissed group {verdict.pk + 1}"):
        offer_again(verdict, verdict.pk + 1)
    assert groups_of(NAME) == []


def test_a_verdict_says_who_gave_it_and_why() -> None:
    verdict = dismiss(row_set(Person, people("Ann", "Ann")), key=NAME, by="eve", note="Twins.")
    verdict.refresh_from_db()
    assert (verdict.model, verdict.fields) == ("odd.Person", "name")
    assert (verdict.by, verdict.note) == ("eve", "Twins.")


def test_a_verdict_replaces_the_earlier_ones_that_it_repeats_and_no_others() -> None:
    pks = people("Ann", "Ann", "Ann", email="x")
    others = [
        dismissed_by(match_key(Person, ["email"]), *pks),
        dismissed_by(NAME, *pks),
        dismiss(row_set(Person, pks[:2])),
        dismiss(row_set(Author, [Author.objects.create(pk=pk, name="Ann").pk for pk in pks])),
    ]
    replaced = dismissed_by(NAME, *pks[:2])
    last = dismissed_by(NAME, *pks[:2])
    assert set(DismissedGroup.objects.all()) == {*others, last}
    assert replaced != last
    everything = dismiss(row_set(Person, pks))
    assert set(DismissedGroup.objects.all()) == {others[-1], everything}


def test_why_another_person_dismissed_the_same_rows_is_kept() -> None:
    rows = row_set(Person, people("Ann", "Ann"))
    dismiss(rows, by="Ann", note="Twins.")
    dismiss(rows, by="Cy")
    dismiss(rows, by="Bob", note="Cousins?")
    dismiss(rows, by="Bob", note="They are.")
    told = DismissedGroup.objects.order_by("by").values_list("by", "note")
    assert list(told) == [("Ann", "Twins."), ("Bob", "They are.")]


def test_a_dismissal_writes_nothing_but_the_verdict() -> None:
    pks = people("Ann", "Ann")
    before = snapshot()
    offer_again(dismissed_by(NAME, *pks))
    dismissed_by(NAME, *pks)
    assert snapshot() == before


def test_rows_that_are_not_equal_on_the_key_are_named_with_their_values() -> None:
    ann, bob = people("Ann", "Bob")
    with pytest.raises(DedupeError) as error:
        dismissed_by(NAME, ann, bob)
    assert str(error.value) == (
        f"odd.Person: rows {ann}, {bob} are not equal on name: 'Ann'; 'Bob'"
    )
    nulls = people(None, None)
    with pytest.raises(DedupeError, match="are not equal on name"):
        dismissed_by(NAME, *nulls)
    assert not DismissedGroup.objects.exists()


def test_rows_that_are_not_there_are_named() -> None:
    (ann,) = people("Ann")
    with pytest.raises(DedupeError, match=rf"odd\.Person has no row {ann + 1}$"):
        dismissed_by(NAME, ann, ann + 1)


def test_one_row_cannot_be_dismissed() -> None:
    (ann,) = people("Ann")
    with pytest.raises(DedupeError, match=r"odd\.Person: name at least two different rows"):
        dismissed_by(NAME, ann, ann)


def test_a_key_of_another_model_is_refused() -> None:
    pks = people("Ann", "Ann")
    with pytest.raises(DedupeError, match=r"odd\.Person: .* by a key of links\.Author"):
        dismiss(row_set(Person, pks), key=match_key(Author, ["name"]))


# -- statements --------------------------------------------------------------------------------


def statements(work: Any) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        work(NAME)
    return [query["sql"] for query in queries]


@pytest.mark.parametrize("work", [find_duplicates, plan_merge])
def test_as_long_as_nothing_is_dismissed_one_statement_more_asks_for_that(work: Any) -> None:
    people("Ann", "Ann")
    dismiss(row_set(Author, [Author.objects.create(name="Ann").pk for _ in range(2)]))
    # PostgreSQL is asked for the places of all tables by their names, too
    asked_of = re.compile(r"FROM .dedupe_toolkit_dismissed")
    about_verdicts = [sql for sql in statements(work) if asked_of.search(sql)]
    (asked,) = about_verdicts
    assert asked.startswith("SELECT 1 ")
    assert asked.endswith("LIMIT 1")
    assert "odd_person" not in asked


@pytest.mark.parametrize("work", [find_duplicates, plan_merge])
def test_the_number_of_statements_does_not_depend_on_the_number_of_verdicts(work: Any) -> None:
    counts = []
    for _ in range(2):
        for _ in range(5):
            dismissed_by(NAME, *people(*[f"Ann {DismissedGroup.objects.count()}"] * 2))
        people("Bob", "Bob")
        counts.append(len(statements(work)))
    assert counts[0] == counts[1]
