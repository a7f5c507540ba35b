"""Cases 1 to 6: which rows are duplicates, and which of them survives."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from dedupe_toolkit import dismiss, find_duplicates, match_key, row_set
from dedupe_toolkit.source.constraints import constraint_for
from tests.cases.rules import ruled
from tests.kit import assert_undo_restores, merged, snapshot
from tests.situations.links.models import Author, Book
from tests.situations.odd.models import Person

pytestmark = pytest.mark.django_db


def found(model: Any, *fields: str, **options: Any) -> list[tuple[Any, ...]]:
    groups = find_duplicates(match_key(model, fields, **options)).duplicate_groups
    return [(group.survivor, *group.duplicates) for group in groups]


def test_case_01_rows_with_null_in_the_key_are_duplicates_only_when_asked() -> None:
    nulls = [Person.objects.create(name=None, email="x").pk for _ in range(5)]
    blanks = [Person.objects.create(name="").pk for _ in range(2)]
    assert found(Person, "name") == [tuple(blanks)]
    assert found(Person, "name", nulls="equal") == [tuple(nulls), tuple(blanks)]
    assert found(Person, "name", where={"name__gt": ""}) == []
    before = snapshot()
    run = merged(Person, "name", nulls="equal")
    assert list(Person.objects.order_by("pk").values_list("pk", flat=True)) == [nulls[0], blanks[0]]
    assert_undo_restores(run, before)


@pytest.mark.django_db(transaction=True)
def test_case_02_case_and_space_are_compared_as_the_constraint_made_later_does() -> None:
    pks = [Person.objects.create(email=email).pk for email in ("Ada@x.org", "ada@X.org ", "b")]
    key = match_key(Person, ["email"], ignore_case=True, ignore_space=True)
    (group,) = find_duplicates(key).duplicate_groups
    assert (group.survivor, group.duplicates) == (pks[0], (pks[1],))
    is_enforced = connection.features.supports_expression_indexes
    if is_enforced:
        with pytest.raises(IntegrityError), ruled(Person, constraint_for(key)):
            pass
    before = snapshot()
    run = merged(Person, "email__collapse__lower")
    with ruled(Person, constraint_for(key)):
        if is_enforced:
            with pytest.raises(IntegrityError), transaction.atomic():
                Person.objects.create(email=" ADA@x.org")
    assert_undo_restores(run, before)


def test_case_03_rows_hidden_by_the_default_manager_are_found() -> None:
    author = Author.objects.create(name="Ann")
    for is_hidden in (False, True):
        Book(author=author, title="War", is_hidden=is_hidden).save()
    assert Book.objects.count() == 1
    before = snapshot()
    run = merged(Book, "author", "title")
    assert run.rows_merged == 1
    assert Book._base_manager.count() == 1
    assert_undo_restores(run, before)


def test_case_04_the_oldest_row_has_the_lowest_key_whatever_the_ordering() -> None:
    assert Person._meta.ordering == ["-name"]
    pks = [Person.objects.create(name=name, email="x").pk for name in ("a", "c", "b")]
    for _ in range(3):
        assert found(Person, "email") == [tuple(pks)]
    before = snapshot()
    run = merged(Person, "email")
    assert Person.objects.get().pk == pks[0]
    assert_undo_restores(run, before)


def test_case_05_a_table_without_duplicates_takes_a_fixed_number_of_statements() -> None:
    assert statements_among(rows=2) == statements_among(rows=3000) <= 2


def test_case_06_a_dismissed_group_comes_again_only_with_a_row_changed_in_a_key_field() -> None:
    pks = [Person.objects.create(name=name).pk for name in ("Ann", "Ann", "Bob")]
    dismiss(row_set(Person, pks[:2]), key=match_key(Person, ["name"]))
    assert found(Person, "name") == []
    assert merged(Person, "name").rows_merged == 0
    Person.objects.filter(pk=pks[1]).update(email="ann@x.org")
    assert found(Person, "name") == []
    Person.objects.filter(pk=pks[1]).update(name="Bob")
    assert found(Person, "name") == [(pks[1], pks[2])]
    before = snapshot()
    run = merged(Person, "name")
    assert list(Person.objects.order_by("pk").values_list("pk", flat=True)) == pks[:2]
    assert_undo_restores(run, before)


def statements_among(*, rows: int) -> int:
    Person.objects.bulk_create(Person(name=f"{number} of {rows}") for number in range(rows))
    with CaptureQueriesContext(connection) as queries:
        assert found(Person, "name") == []
    reading = [query for query in queries if 'FROM "odd_person"' in query["sql"].replace("`", '"')]
    # beside them what the catalogue says, and settings of the session
    assert len(queries) <= 8
    return len(reading)
