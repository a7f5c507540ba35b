"""What a colleague decided of the same rows before, on the review page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.formats import date_format
from django.utils.timezone import localtime

from dedupe_toolkit import (
    dismiss,
    match_key,
    merge,
    offer_again,
    plan_merge,
    row_set,
    undo,
)
from dedupe_toolkit.reviewing.decided_before import decided_before
from testproject.films.models import Person
from tests.admin.kit import merge as press_merge
from tests.admin.kit import messages_of, select, text_of

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


def test_merges_into_the_rows_are_told(admin_client: Client) -> None:
    first, second, third, fourth = people(4)
    rows = [first.pk, second.pk, third.pk]
    run = merge(plan_merge(row_set(Person, rows, into=second.pk)), by="Bert")
    told = f"#{first.pk}, #{third.pk} merged into #{second.pk}."
    text = text_of(select(admin_client, second, fourth))
    assert f"Bert, {date_format(localtime(run.finished))}: {told}" in text
    undo(run)
    text = text_of(select(admin_client, second, fourth))
    assert told not in text
    text = text_of(select(admin_client, first, fourth))
    assert f"#{first.pk} merged into another, which was undone." in text


def test_a_merge_of_which_this_group_was_undone_is_told_as_undone(admin_client: Client) -> None:
    first, second, third = people(3)
    others = [Person.objects.create(name="Chris Marker") for _ in range(2)]
    run = merge(plan_merge(match_key(Person, ["name"])), by="Bert")
    undo(run, survivors=[first.pk])
    text = text_of(select(admin_client, first, second, third))
    assert f"#{second.pk}, #{third.pk} merged into another, which was undone." in text
    assert f"merged into #{first.pk}" not in text
    text = text_of(select(admin_client, others[0], third))
    assert f"#{others[1].pk} merged into #{others[0].pk}." in text


def test_a_verdict_given_while_the_page_was_open_is_told_before_anything_is_merged(
    admin_client: Client,
) -> None:
    first, second = people(2)
    page = select(admin_client, first, second)
    dismiss(row_set(Person, [first.pk, second.pk]), by="Ann", note="Mother and daughter.")
    again = press_merge(admin_client, page)
    assert "this is not what you were shown" in messages_of(again)
    told = text_of(again).partition("What has changed")[2]
    assert f"#{first.pk}, #{second.pk} said to be no duplicate. Mother and daughter." in told
    assert Person.objects.count() == 2
    press_merge(admin_client, again)  # who has read it may still merge
    assert Person.objects.count() == 1


def test_a_verdict_taken_back_while_the_page_was_open_is_told_as_well(admin_client: Client) -> None:
    first, second = people(2)
    verdict = dismiss(row_set(Person, [first.pk, second.pk]), by="Ann")
    page = select(admin_client, first, second)
    offer_again(verdict)
    told = text_of(press_merge(admin_client, page)).partition("What has changed")[2]
    assert "a verdict that they are no duplicates was taken back" in told
    assert Person.objects.count() == 2


def test_what_an_undo_has_left_in_the_history_of_the_rows_is_told(admin_client: Client) -> None:
    rows = people(2)
    page = select(admin_client, *rows)
    undo(merge(plan_merge(row_set(Person, [row.pk for row in rows]))))
    LogEntry.objects.create(
        user=User.objects.get(),
        content_type=ContentType.objects.get_for_model(Person),
        object_id=rows[1].pk,
        action_flag=CHANGE,
    )
    told = text_of(press_merge(admin_client, page)).partition("What has changed")[2]
    assert "log entries (object id): 1 instead of 0 point at the duplicates" in told.lower()
    assert Person.objects.count() == 2


def test_one_of_two_verdicts_taken_back_is_told_beside_the_other_that_stands(
    admin_client: Client,
) -> None:
    first, second = people(2)
    rows = row_set(Person, [first.pk, second.pk])
    verdict = dismiss(rows, by="Ann", note="Mother and daughter.")
    dismiss(rows, by="Bert")
    page = select(admin_client, first, second)
    offer_again(verdict)
    told = text_of(press_merge(admin_client, page))
    assert "a verdict that they are no duplicates was taken back" in told
    assert "Bert" in told.partition("Decided before")[2]
    assert Person.objects.count() == 2


def test_what_was_decided_is_looked_up_by_indexes(people_merged: list[str]) -> None:
    with CaptureQueriesContext(connection) as queries:
        decided_before(Person, people_merged, "default")
    (query,) = queries
    with connection.cursor() as cursor:
        plan = "QUERY PLAN" if connection.vendor == "sqlite" else ""
        cursor.execute(f"EXPLAIN {plan} {query['sql']}")
        plan = " ".join(str(row) for row in cursor.fetchall())
    assert "dedupe_change_into" in plan
    assert "dedupe_change_merged" in plan


@pytest.fixture
def people_merged(db: None) -> list[str]:
    """The keys of rows into which others were merged, among many."""
    Person.objects.bulk_create(Person(name=f"Person {number % 1_000}") for number in range(3_000))
    merge(plan_merge(match_key(Person, ["name"])))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE")
    return [str(pk) for pk in Person.objects.order_by("pk").values_list("pk", flat=True)[:2]]
