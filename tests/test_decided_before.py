"""What a colleague decided of the same rows before, on the review page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dedupe_toolkit import dismiss, merge, plan_merge, row_set, undo
from testproject.films.models import Person
from tests.test_admin import select, text_of

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db


def people(number: int) -> list[Person]:
    return [Person.objects.create(name="Agnès Varda") for _ in range(number)]


def test_verdicts_and_undone_merges_of_the_rows_are_told(admin_client: Client) -> None:
    first, second, third = people(3)
    undo(merge(plan_merge(row_set(Person, [first.pk, second.pk])), by="Bert"))
    dismiss(row_set(Person, [first.pk, third.pk]), by="Ann", note="Mother and daughter.")
    text = text_of(select(admin_client, first, second, third))
    verdict = f"#{first.pk}, #{third.pk} said to be no duplicate. Mother and daughter."
    undone = f"#{second.pk} merged into another, which was undone."
    assert "Ann, " in text
    assert "Bert, " in text
    assert text.index(verdict) < text.index(undone)


def test_what_was_decided_of_other_rows_is_not_told(admin_client: Client) -> None:
    first, second, *others = people(4)
    undo(merge(plan_merge(row_set(Person, [one.pk for one in others])), by="Bert"))
    dismiss(row_set(Person, [one.pk for one in others]), by="Ann")
    assert "Decided before" not in text_of(select(admin_client, first, second))
