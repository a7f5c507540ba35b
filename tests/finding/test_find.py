"""Finding duplicates: exactly those that would make the unique constraint fail."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from django.db import connection, models
from django.test.utils import CaptureQueriesContext, register_lookup

from dedupe_toolkit import DedupeError, find_duplicates, match_key, plan_merge
from dedupe_toolkit.finding.key_rows import candidates
from dedupe_toolkit.source.constraints import condition_of
from tests.kit import lists_cut_at
from tests.situations.links.models import Author, Book
from tests.situations.odd.models import Person

pytestmark = pytest.mark.django_db


def people(*names: str | None, **values: Any) -> list[Person]:
    return [Person.objects.create(name=name, **values) for name in names]


def found(*fields: str, model: type[models.Model] = Person, **options: Any) -> list[Any]:
    """The survivor and duplicates of every group."""
    limits = {name: options.pop(name) for name in ("survivor", "limit") if name in options}
    key = match_key(model, fields, **options)
    groups = find_duplicates(key, **limits).duplicate_groups
    return [(group.survivor, *group.duplicates) for group in groups]


def test_the_totals_and_the_groups() -> None:
    rows = people("Ann", "Bob", "Ann", "Cid", "Ann", "Bob")
    totals = find_duplicates(match_key(Person, ["name"]))
    assert (totals.groups, totals.rows, totals.surplus) == (2, 5, 3)
    first = totals.duplicate_groups[0]
    assert first.values == {"name": "Ann"}
    assert (first.survivor, first.duplicates) == (rows[0].pk, (rows[2].pk, rows[4].pk))


def test_groups_come_largest_first_then_by_survivor() -> None:
    rows = people("Ann", "Bob", "Cid", "Cid", "Bob", "Ann", "Cid")
    assert [group[0] for group in found("name")] == [rows[2].pk, rows[0].pk, rows[1].pk]


def test_the_limit_bounds_the_groups_and_not_the_totals() -> None:
    people("Ann", "Ann", "Bob", "Bob")
    totals = find_duplicates(match_key(Person, ["name"]), limit=1)
    assert (totals.groups, len(totals.duplicate_groups)) == (2, 1)


def test_nulls_duplicate_nothing_unless_they_are_said_to_be_equal() -> None:
    rows = people(None, None, None, "Ann")
    assert found("name") == []
    assert found("name", nulls="equal") == [tuple(row.pk for row in rows[:3])]


def test_an_empty_string_is_a_value_unless_it_is_said_to_be_none() -> None:
    people("", "")
    assert len(found("name")) == 1
    assert found("name", blanks="distinct") == []


@pytest.mark.parametrize("field", ["name", "name__lower"])
@pytest.mark.parametrize("limit", [None, 20])
def test_nulls_that_are_equal_are_so_beside_empty_strings_that_are_not(
    field: str, limit: int | None
) -> None:
    rows = people(None, "", None, "", "Ann")
    options: Any = {"nulls": "equal", "blanks": "distinct"}
    assert found(field, limit=limit, **options) == [(rows[0].pk, rows[2].pk)]
    assert plan_merge(match_key(Person, [field], **options)).rows_to_merge == 1


class Noted(models.Transform):
    """NULL where the text is a dash, and so NULL of a text that is there."""

    lookup_name = "noted"
    function = "NULLIF"
    template = "%(function)s(%(expressions)s, '-')"


def test_the_condition_of_a_constraint_is_true_of_the_rows_that_can_be_duplicates() -> None:
    people(None, "", "-", "Ann")
    with register_lookup(models.CharField, Noted):
        for nulls, field in product(["equal", "distinct"], ["name", "name__lower", "name__noted"]):
            key = match_key(Person, [field], nulls=nulls, blanks="distinct")
            are_there = {} if nulls == "equal" else {f"{field}__isnull": False}
            condition: Any = condition_of(key)
            counted = Person.objects.filter(condition, **are_there)
            assert set(counted) == set(candidates(key, "default")), (nulls, field)


def test_transforms_are_part_of_the_key() -> None:
    rows = people("x", "y", "z")
    for row, email in zip(rows, ("Ada@x.org", " ada@X.org  ", "ada @x.org"), strict=True):
        Person.objects.filter(pk=row.pk).update(email=email)
    both = [(rows[0].pk, rows[1].pk)]
    assert found("email__trim__lower") == both
    assert found("email", ignore_case=True, ignore_space=True) == both


def test_runs_of_white_space_collapse_into_one_space() -> None:
    rows = people("Ada  Lovelace", "Ada \t\n Lovelace ", "AdaLovelace")
    assert found("name__collapse") == [(rows[0].pk, rows[1].pk)]


def test_a_json_key_can_be_looked_up() -> None:
    rows = [Person.objects.create(data=data) for data in ({"isbn": "1"}, {"isbn": "1"}, {}, {})]
    assert found("data__isbn") == [(rows[0].pk, rows[1].pk)]


def test_conditions_narrow_the_rows() -> None:
    rows = people("Ann", "Ann", "Ann")
    Person.objects.filter(pk=rows[0].pk).update(deleted=datetime(2026, 1, 1, tzinfo=UTC))
    assert found("name", where={"deleted__isnull": True}) == [(rows[1].pk, rows[2].pk)]


@pytest.mark.parametrize("limit", [None, 20])
def test_a_condition_that_no_row_can_meet_finds_nothing(limit: int | None) -> None:
    people("Ann", "Ann")
    key = match_key(Person, ["name"], where={"name__in": []})
    search = find_duplicates(key, limit=limit)
    assert (search.groups, search.rows, search.duplicate_groups) == (0, 0, ())
    assert plan_merge(key).groups == 0


def test_rows_that_the_default_manager_hides_are_found() -> None:
    author = Author.objects.create(name="Ann")
    for is_hidden in (True, False):
        Book(author=author, title="War", is_hidden=is_hidden).save()
    assert len(found("author", "title", model=Book)) == 1


def test_a_foreign_key_is_named_by_its_field_or_its_column() -> None:
    assert match_key(Book, ["author_id"]) == match_key(Book, ["author"])


@pytest.mark.parametrize(
    ("rule", "survivor"),
    [
        ("oldest", 0),
        ("newest", 2),
        ("most-complete", 1),
        ("-updated", 2),
        ("updated", 1),
        ("-updated,name", 2),
        ([models.F("slug").desc(nulls_last=True)], 0),
    ],
)
def test_the_survivor_rule_decides_whatever_the_models_ordering_is(
    rule: Any, survivor: int
) -> None:
    rows = people("Ann", "Ann", "Ann")
    for row, values in zip(
        rows,
        (
            {"slug": "z"},
            {"email": "x", "slug": "a", "updated": datetime(2020, 1, 1, tzinfo=UTC)},
            {"updated": datetime(2021, 1, 1, tzinfo=UTC)},
        ),
        strict=True,
    ):
        Person.objects.filter(pk=row.pk).update(**values)
    assert found("name", survivor=rule)[0][0] == rows[survivor].pk


def test_the_most_referenced_row_survives() -> None:
    rows = [Author.objects.create(name="Ann") for _ in range(3)]
    Book.objects.create(author=rows[1], title="a")
    for _ in range(2):
        Book.objects.create(author=rows[2], title="a")
    assert found("name", model=Author, survivor="most-referenced") == [
        (rows[2].pk, rows[1].pk, rows[0].pk)
    ]


@pytest.mark.parametrize("survivor", ["oldest", "most-complete"])
@pytest.mark.parametrize("copies", [1, 300])
def test_the_number_of_statements_does_not_depend_on_the_number_of_groups(
    copies: int, survivor: str
) -> None:
    Person.objects.bulk_create(
        Person(name=str(number)) for number in range(copies) for _ in range(2)
    )
    with CaptureQueriesContext(
        connection,
    ) as queries:
        find_duplicates(match_key(Person, ["name"]), limit=None, survivor=survivor)
    statements = [query["sql"].replace("`", '"') for query in queries]
    reading = [sql for sql in statements if 'FROM "odd_person"' in sql]
    # the groups, and before them the totals where they are not told beside the groups
    assert len(reading) == (1 if survivor == "oldest" else 2)
    # beside them what the catalogue says, and settings of the session
    assert len(statements) <= 8


def test_the_newest_survives_where_that_is_asked() -> None:
    rows = people("Ann", "Bob", "Ann", "Bob", "Bob")
    keys = [row.pk for row in rows]
    assert found("name", survivor="newest") == [
        (keys[4], keys[3], keys[1]),
        (keys[2], keys[0]),
    ]


@pytest.mark.parametrize("survivor", ["oldest", "newest"])
@pytest.mark.parametrize("limit", [20, None])
def test_a_group_says_the_text_that_its_survivor_holds(limit: int | None, survivor: str) -> None:
    rows = people("ANN", "Ann", "ann", None)
    (group,) = find_duplicates(
        match_key(Person, ["name__lower"], ignore_case=True), survivor=survivor, limit=limit
    ).duplicate_groups
    assert group.values == {"name__lower": "ann"}
    for found_group in find_duplicates(
        match_key(Person, ["name"]), survivor=survivor, limit=limit
    ).duplicate_groups:  # where a collation calls them equal
        held = {row.pk: row.name for row in rows}
        assert found_group.values == {"name": held[found_group.survivor]}


def test_a_group_too_large_for_the_server_to_collect_is_listed_whole() -> None:
    many = [row.pk for row in people(*["Ann"] * 30)]
    few = [row.pk for row in people("Bob", "Bob")]
    with lists_cut_at(20):
        assert found("name", limit=None) == [tuple(many), tuple(few)]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (["nmae"], "odd.Person has no field 'nmae'; did you mean name?"),
        (
            ["name__lowr"],
            "odd.Person.name__lowr cannot be in a key: 'lowr': no such transform;"
            " did you mean lower?",
        ),
        (["name", "name"], "odd.Person: the key names 'name' twice"),
        (
            ["quoted"],
            "odd.Person.quoted cannot be in a key: it is the reverse side of a relation,"
            " its values are rows of another table",
        ),
        ([], "odd.Person: a match key needs at least one field"),
    ],
)
def test_a_key_that_cannot_be_is_refused_with_the_reason(fields: list[str], message: str) -> None:
    with pytest.raises(DedupeError) as error:
        match_key(Person, fields)
    assert str(error.value) == message


def test_a_many_to_many_field_is_refused() -> None:
    with pytest.raises(DedupeError, match=r"Author\.tags cannot be in a key: it is many-to-many"):
        match_key(Author, ["tags"])


def test_a_relation_cannot_be_followed() -> None:
    with pytest.raises(DedupeError, match="'name': a relation cannot be followed"):
        match_key(Book, ["author__name"])


def test_a_condition_that_cannot_be_is_refused() -> None:
    with pytest.raises(
        DedupeError, match=r"odd.Person: cannot filter by born=1: there is no field"
    ):
        match_key(Person, ["name"], where={"born": 1})


def test_an_unknown_survivor_rule_is_refused() -> None:
    people("Ann", "Ann")
    with pytest.raises(DedupeError) as error:
        found("name", survivor="oldst")
    assert str(error.value) == (
        "'oldst' is no survivor rule (oldest, newest, most-complete, most-referenced) and"
        " odd.Person has no field 'oldst' to order by; did you mean oldest?"
    )
