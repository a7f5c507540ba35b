"""Rows side by side: in survivor order, with what differs and what fills the survivor's blanks."""

from __future__ import annotations

import math

import pytest

from dedupe_toolkit import merge, plan_merge, row_set
from dedupe_toolkit.errors import InvalidOption
from dedupe_toolkit.reviewing.side_by_side import Cell, Line, SideBySide, side_by_side
from dedupe_toolkit.reviewing.side_by_side import compared as compared_rows
from dedupe_toolkit.values import MergePolicy
from testproject.films.models import Note, Person
from tests.situations.typed.models import Wide

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> list[Person]:
    return [
        Person.objects.create(name="Agnès Varda", acting_since=1954),
        Person.objects.create(name="Agnes Varda", acting_since=1954),
        Person.objects.create(name="Agnès Varda", acting_since=1958, biography="Photographer."),
        Person.objects.create(name="Agnès Varda", biography="Film maker."),
    ]


def compared(people: list[Person], into: Person | None = None) -> SideBySide:
    source = row_set(Person, [person.pk for person in people], into=into and into.pk)
    return side_by_side(source)


def line(comparison: SideBySide, name: str) -> Line:
    return next(line for line in comparison.lines if line.field.name == name)


def cells_of(line: Line) -> list[Cell]:
    return [line.cell(place) for place in range(len(line.rows))]


def cells(comparison: SideBySide, name: str) -> list[Cell]:
    return cells_of(line(comparison, name))


def test_the_oldest_row_survives_unless_another_is_chosen(people: list[Person]) -> None:
    assert compared([*reversed(people)]).survivor == people[0]
    assert compared(people, into=people[2]).survivor == people[2]
    assert list(compared([*reversed(people)], into=people[2]).rows) == people


def test_cells_are_marked_that_differ_from_the_survivor(people: list[Person]) -> None:
    comparison = compared(people)
    assert [cell.differs for cell in cells(comparison, "name")] == [False, True, False, False]
    since = [cell.differs for cell in cells(comparison, "acting_since")]
    assert since == [False, False, True, True]
    assert not line(comparison, "discovered_by").differs


@pytest.mark.parametrize("chosen", range(4))
def test_what_fills_a_blank_is_what_the_merge_takes(chosen: int, people: list[Person]) -> None:
    people[3].discovered_by = Person.objects.create(name="Alain Resnais")
    people[3].save()
    Person.objects.filter(pk=people[1].pk).update(discovered_by=people[2])
    comparison = compared(people, into=people[chosen])
    expected = {}
    for name in ("acting_since", "biography", "discovered_by"):
        held = cells(comparison, name)
        filling = [cell.value for cell in held if cell.fills]
        expected[name] = filling[0] if filling else held[chosen].value
    merge(plan_merge(comparison.source))
    survivor = Person.objects.get(pk=people[chosen].pk)
    assert {name: getattr(survivor, name) for name in expected} == expected


def test_a_foreign_key_is_shown_as_the_row_it_points_at(people: list[Person]) -> None:
    people[1].discovered_by = people[0]
    people[1].save()
    held = cells(compared(people[:2]), "discovered_by")
    assert [cell.value for cell in held] == [None, people[0]]


def test_the_fingerprint_changes_with_any_value(people: list[Person]) -> None:
    before = compared(people).fingerprint
    assert compared(people).fingerprint == before
    Person.objects.filter(pk=people[3].pk).update(biography="Film maker. ")
    assert compared(people).fingerprint != before


def test_rows_that_are_not_there_are_named(people: list[Person]) -> None:
    gone = people[-1].pk
    source = row_set(Person, [person.pk for person in people])
    people[-1].delete()
    with pytest.raises(InvalidOption, match=f"films.Person has no row {gone}$"):
        side_by_side(source)


def test_it_takes_one_statement_and_one_for_each_foreign_key(
    people: list[Person], django_assert_max_num_queries: object
) -> None:
    Person.objects.update(discovered_by=people[0])
    with django_assert_max_num_queries(2):  # type: ignore[operator]
        str(compared(people).lines)


def test_generic_keys_are_two_lines(people: list[Person]) -> None:
    notes = [Note.objects.create(subject=person, text="Look again") for person in people[:2]]
    comparison = side_by_side(row_set(Note, [note.pk for note in notes]))
    assert [one.field.name for one in comparison.lines] == ["content_type", "object_id", "text"]


def test_what_is_no_number_in_both_rows_does_not_differ() -> None:
    rows = (Wide(pk=1, value_0=math.nan), Wide(pk=2, value_0=math.nan, value_1=math.nan))
    source = row_set(Wide, [1, 2])
    lines = compared_rows(source, rows, MergePolicy()).lines
    told = {line.field.name: [cell.differs for cell in cells_of(line)] for line in lines}
    assert told["value_0"] == [False, False]
    assert told["value_1"] == [False, True]
