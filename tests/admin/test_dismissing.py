"""Dismissing in the admin: the button on the review page, the list of verdicts, taking back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.contrib.sessions.models import Session
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dedupe_toolkit import DismissedGroup, dismiss, find_duplicates, match_key, row_set
from testproject.films.admin import PersonAdmin
from testproject.films.models import Person
from tests.admin.kit import (
    REVIEW,
    client_of,
    fields_of,
    merge,
    messages_of,
    select,
    text_of,
    user_who_may,
)
from tests.kit import Snapshot, snapshot

if TYPE_CHECKING:
    from django.http import HttpResponse
    from django.test import Client

pytestmark = pytest.mark.django_db

DISMISSED = "/admin/dedupe_toolkit/dismissedgroup/"
NAME = match_key(Person, ["name"])


@pytest.fixture
def people() -> list[Person]:
    return [Person.objects.create(name="Steve McQueen") for _ in range(2)]


def unlogged() -> Snapshot:
    """All rows but those of the admin's own history, and of the session."""
    own = {LogEntry._meta.db_table, Session._meta.db_table}
    return {table: rows for table, rows in snapshot().items() if table not in own}


def dismissed(client: Client, people: list[Person], **more: Any) -> HttpResponse:
    data = {**fields_of(select(client, *people)), "dismiss": "Dismiss", **more}
    return client.post(REVIEW, data, follow=True)


def offered_again(client: Client, *groups: DismissedGroup) -> HttpResponse:
    data = {"action": "offer_again", "_selected_action": [group.pk for group in groups]}
    return client.post(DISMISSED, data, follow=True)


def test_rows_dismissed_are_not_offered_by_any_key(
    admin_client: Client, people: list[Person]
) -> None:
    before = unlogged()
    response = dismissed(admin_client, people, note="  An actor and a director. ")
    assert "Dismissed: these people will not be offered" in messages_of(response)
    assert f'<a href="{DISMISSED}">Dismissed groups</a>' in messages_of(response)
    group = DismissedGroup.objects.get()
    assert (group.model, group.fields, group.by) == ("films.Person", "", "admin")
    assert group.note == "An actor and a director."
    assert [row.row for row in group.rows.all()] == [str(person.pk) for person in people]
    assert find_duplicates(NAME).groups == 0
    assert unlogged() == before


def test_showing_the_page_dismisses_nothing(admin_client: Client, people: list[Person]) -> None:
    page = select(admin_client, *people)
    assert 'value="Not duplicates: dismiss"' in page.content.decode()
    admin_client.get(REVIEW, fields_of(page) | {"dismiss": "Dismiss"})
    assert not DismissedGroup.objects.exists()


def test_dismissed_rows_can_still_be_selected_and_merged(
    admin_client: Client, people: list[Person]
) -> None:
    dismissed(admin_client, people)
    merge(admin_client, select(admin_client, *people))
    assert Person.objects.count() == 1


@pytest.mark.parametrize("verbs", [("view", "change"), ("view", "delete")])
def test_whoever_may_not_merge_may_not_dismiss(verbs: Any, people: list[Person]) -> None:
    client = client_of(user_who_may(*verbs))
    address = {"rows": [person.pk for person in people], "dismiss": "Dismiss"}
    assert client.post(REVIEW, address).status_code == 403
    assert not DismissedGroup.objects.exists()


def test_a_row_that_may_not_be_merged_may_not_be_dismissed(
    admin_client: Client, people: list[Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = select(admin_client, *people)
    monkeypatch.setattr(
        PersonAdmin, "has_delete_permission", lambda self, request, obj=None: obj != people[1]
    )
    data = fields_of(page) | {"dismiss": "Dismiss"}
    assert admin_client.post(REVIEW, data).status_code == 403
    assert not DismissedGroup.objects.exists()


def test_rows_that_the_model_admin_hides_cannot_be_dismissed(
    admin_client: Client, people: list[Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = select(admin_client, *people)
    hiding = Person.objects.exclude(pk=people[1].pk)
    monkeypatch.setattr(PersonAdmin, "get_queryset", lambda self, request: hiding.all())
    data = fields_of(page) | {"dismiss": "Dismiss"}
    assert "No longer there" in messages_of(admin_client.post(REVIEW, data, follow=True))
    assert not DismissedGroup.objects.exists()


def test_the_list_shows_the_verdicts_in_a_fixed_number_of_queries(
    admin_client: Client, people: list[Person]
) -> None:
    dismiss(row_set(Person, [person.pk for person in people]), key=NAME, note="<b>Two</b>")
    counts = []
    for _ in range(2):
        admin_client.get(DISMISSED)
        with CaptureQueriesContext(connection) as queries:
            page = admin_client.get(DISMISSED)
        counts.append(len(queries))
        for _ in range(5):
            more = [Person.objects.create(name="Chris Evans").pk for _ in range(2)]
            dismiss(row_set(Person, more))
    assert counts[0] == counts[1]
    assert f"{people[0].pk}, {people[1].pk} People name" in text_of(page)
    assert "<b>Two" not in page.content.decode()
    assert "People every key" in text_of(admin_client.get(DISMISSED))


def test_a_verdict_is_taken_back_from_the_list(admin_client: Client, people: list[Person]) -> None:
    dismissed(admin_client, people)
    response = offered_again(admin_client, DismissedGroup.objects.get())
    assert "1 group is offered as duplicates again." in messages_of(response)
    assert find_duplicates(NAME).groups == 1
    assert not DismissedGroup.objects.exists()


def test_taking_back_takes_the_rights_to_merge(people: list[Person]) -> None:
    group = dismiss(row_set(Person, [person.pk for person in people]))
    user = user_who_may("view", "change")
    user.user_permissions.add(Permission.objects.get(codename="view_dismissedgroup"))
    client = client_of(user)
    assert client.get(DISMISSED).status_code == 200
    assert offered_again(client, group).status_code == 403
    user.user_permissions.add(*Permission.objects.filter(codename="delete_person"))
    assert "offered as duplicates again" in messages_of(offered_again(client, group))


def test_verdicts_can_neither_be_added_nor_edited_nor_deleted(
    admin_client: Client, people: list[Person]
) -> None:
    group = dismiss(row_set(Person, [person.pk for person in people]))
    assert admin_client.get(f"{DISMISSED}add/").status_code == 403
    assert admin_client.post(f"{DISMISSED}{group.pk}/change/", {"note": "x"}).status_code == 403
    assert admin_client.post(f"{DISMISSED}{group.pk}/delete/", {"post": "yes"}).status_code == 403
    assert "delete_selected" not in admin_client.get(DISMISSED).content.decode()


def test_whoever_may_not_see_the_verdicts_gets_no_link(people: list[Person]) -> None:
    response = dismissed(client_of(user_who_may("view", "change", "delete")), people)
    assert "Dismissed: these people" in messages_of(response)
    assert "<a href" not in messages_of(response)


@pytest.mark.django_db(databases=["default", "other"])
def test_each_database_lists_its_own_verdicts(admin_client: Client) -> None:
    pks = [Person.objects.using("other").create(name="Steve McQueen").pk for _ in range(2)]
    group = dismiss(row_set(Person, pks), using="other", note="Elsewhere.")
    other = f"{DISMISSED}?database=other"
    assert "Elsewhere." not in admin_client.get(DISMISSED).content.decode()
    assert "Elsewhere." in admin_client.get(other).content.decode()
    admin_client.post(other, {"action": "offer_again", "_selected_action": [group.pk]})
    assert not DismissedGroup.objects.using("other").exists()


def test_the_pages_speak_the_language_of_the_site(
    admin_client: Client, people: list[Person], settings: Any
) -> None:
    settings.LANGUAGE_CODE = "de"
    assert "Keine Duplikate: ablehnen" in select(admin_client, *people).content.decode()
    assert "Abgelehnt: Diese " in messages_of(dismissed(admin_client, people))
    assert "Wieder anbieten" in admin_client.get(DISMISSED).content.decode()
