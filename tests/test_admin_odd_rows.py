"""Odd rows, and odd people, in the admin: long texts, no log of the site, a user who left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection

from dedupe_toolkit.models import MergeRun
from testproject.films.models import Person
from tests.test_admin import client_of, fields_of, text_of
from tests.test_admin_queue import people_called

if TYPE_CHECKING:
    from django.http import HttpResponse
    from django.test import Client

pytestmark = pytest.mark.django_db

PAGE = "/admin/dedupe_toolkit/mergerun/merge/films/person/"
RUNS = "/admin/dedupe_toolkit/mergerun/"


def merged(client: Client, rows: list[Any], page: str = PAGE) -> HttpResponse:
    shown = client.get(page, {"rows": [row.pk for row in rows]})
    return client.post(page, {**fields_of(shown), "merge": "Merge"})


def test_texts_of_a_million_characters_are_folded_and_their_form_stays_small(
    admin_client: Client,
) -> None:
    people = [
        Person.objects.create(name="\u202eadraV", biography=letter * 1_000_000) for letter in "xy"
    ]
    shown = admin_client.get(PAGE, {"rows": [person.pk for person in people]})
    assert sum(len(str(value)) for value in fields_of(shown).values()) < 1_000
    assert shown.content.count(b"<details><summary>xxx") == 2
    assert merged(admin_client, people).status_code == 302
    assert Person.objects.get().biography == "x" * 1_000_000


def test_a_site_that_keeps_no_log_of_its_own_merges_all_the_same(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = people_called("Agnès Varda", "Agnès Varda")
    own = type(admin.site.get_model_admin(Person))
    monkeypatch.setattr(own, "log_change", lambda *_: None)
    assert merged(admin_client, people).status_code == 302
    assert Person.objects.count() == 1


def test_what_a_user_merged_who_was_deleted_is_still_theirs_and_can_be_undone(
    admin_client: Client,
) -> None:
    merged(admin_client, people_called("Agnès Varda", "Agnès Varda"))
    User.objects.get(username="admin").delete()
    client = client_of(User.objects.create_superuser("successor"))
    run = MergeRun.objects.get()
    assert "By: admin" in text_of(client.get(f"{RUNS}{run.pk}/change/"))
    client.post(f"{RUNS}{run.pk}/undo/")
    assert Person.objects.count() == 2


@pytest.mark.skipif(connection.vendor == "postgresql", reason="its columns hold true and false")
def test_a_truth_value_that_is_neither_true_nor_false_is_shown_as_it_stands(
    admin_client: Client,
) -> None:
    page = "/admin/dedupe_toolkit/mergerun/merge/auth/user/"
    users = [User.objects.create_user(name) for name in ("ann", "anna")]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE auth_user SET is_active = 2 WHERE username = 'anna'")
    if connection.vendor != "sqlite":  # which reads it as false
        shown = admin_client.get(page, {"rows": [user.pk for user in users]})
        assert "2 (no known choice)" in text_of(shown)
    assert merged(admin_client, users, page).status_code == 302
    assert "Active 2" in text_of(admin_client.get("/admin/dedupe_toolkit/rowchange/"))
