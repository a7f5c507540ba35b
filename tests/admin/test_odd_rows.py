"""Odd rows, and odd people, in the admin: long texts, no log of the site, a user who left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import AnonymousUser, User
from django.core.files.storage import FileSystemStorage, Storage
from django.db import connection

from dedupe_toolkit import match_key
from dedupe_toolkit.admin.permissions import own_key
from dedupe_toolkit.admin.shown_values import shown_value_of
from dedupe_toolkit.models import MergeRun, QueuedGroup
from testproject.films.models import Person
from tests.admin.kit import (
    QUEUE,
    act,
    client_of,
    fields_of,
    merge_safe,
    messages_of,
    people_called,
    scan,
    text_of,
)
from tests.queue.scanning import scanned
from tests.situations.typed.models import Everything

if TYPE_CHECKING:
    from django.http import HttpResponse
    from django.test import Client, RequestFactory

pytestmark = pytest.mark.django_db

PAGE = "/admin/dedupe_toolkit/mergerun/merge/films/person/"
State = QueuedGroup.State
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


def unsayable(self: Any) -> str:
    raise ValueError("no name")


@pytest.mark.parametrize("name", [unsayable, lambda self: None])
def test_rows_that_cannot_say_their_names_are_called_by_their_keys(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch, name: Any
) -> None:
    monkeypatch.setattr(Person, "__str__", name)
    teacher = Person.objects.create(name="Alain Resnais")
    people = [
        Person.objects.create(name="Agnès Varda", discovered_by=one) for one in (teacher, None)
    ]
    said = text_of(admin_client.get(PAGE, {"rows": [one.pk for one in people]}))
    assert f"Person object ({people[0].pk}) #{people[0].pk}" in said
    assert f"Discovered by Person object ({teacher.pk})" in said
    merged(admin_client, people)
    run = MergeRun.objects.get()
    assert f"Person object ({people[0].pk})" in text_of(admin_client.get(f"{RUNS}{run.pk}/change/"))
    admin_client.post(f"{RUNS}{run.pk}/undo/")
    admin_client.post(PAGE, {"rows": [one.pk for one in people], "dismiss": "Dismiss"})
    logged = LogEntry.objects.filter(object_repr=f"Person object ({people[0].pk})")
    assert logged.count() == 3  # merged, undone, dismissed


@dataclass
class Words:
    """A value of a project's own, which has no hash."""

    text: str


def test_values_without_a_hash_stand_side_by_side(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    field: Any = Person._meta.get_field("biography")
    people = people_called("Agnès Varda", biography="x") + people_called("A. V.", biography="y")
    monkeypatch.setattr(field, "from_db_value", lambda value, *_: Words(value), raising=False)
    shown = admin_client.get(PAGE, {"rows": [person.pk for person in people]})
    assert "2 values give way to others" in text_of(shown)


def test_files_of_a_storage_without_addresses_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    field: Any = Everything._meta.get_field("file")
    assert 'href="/a.txt"' in shown_value_of(field, Everything(file="a.txt"), "-")
    monkeypatch.setattr(FileSystemStorage, "url", Storage.url)
    assert shown_value_of(field, Everything(file="a.txt"), "-") == "a.txt"


def test_who_is_logged_in_is_merged_into_nobody(admin_client: Client, admin_user: User) -> None:
    page = f"{RUNS}merge/auth/user/"
    other = User.objects.create_user("another")
    rows = [other.pk, admin_user.pk]
    shown = admin_client.get(page, {"rows": rows, "into": other.pk})
    assert "your own account would go" in text_of(shown)
    admin_client.post(page, fields_of(shown) | {"merge": "Merge"})
    assert User.objects.count() == 2
    shown = admin_client.get(page, {"rows": rows, "into": admin_user.pk})
    told = admin_client.post(page, fields_of(shown) | {"merge": "Merge"}, follow=True)
    assert "Merged 1 row into “admin”" in messages_of(told)


def test_the_account_of_another_database_or_of_nobody_is_not_who_is_logged_in(
    admin_user: User, rf: RequestFactory
) -> None:
    request = rf.get("/")
    request.user = admin_user
    assert own_key(request, User, "default") == admin_user.pk
    assert own_key(request, User, "other") is None
    request.user = AnonymousUser()
    assert own_key(request, User, "default") is None


def test_the_safe_ones_are_merged_without_the_account_of_whoever_merges_them(
    admin_client: Client, admin_user: User, declare: Any
) -> None:
    rules = dict.fromkeys(["username", "date_joined", "last_login", "email"], "newest")
    rules["password"] = "survivor"  # no form lets anybody put another hash there
    declare(User, keys=["last_name"], field_rules=rules)
    User.objects.filter(pk=admin_user.pk).update(last_name="Varda")
    for name, last in {"agnès": "Varda", "jacques": "Demy", "j.d.": "Demy"}.items():
        User.objects.create_superuser(name, last_name=last, email=f"{name}@example.org")
    known = scanned(match_key(User, ["last_name"]))
    known.queued.update(is_safe=True)  # as accounts are that nothing tells apart
    told = messages_of(merge_safe(admin_client, known))
    assert "1 group needs someone else, and was not merged: your own account is in it" in told
    assert User.objects.filter(last_name="Varda").count() == 2
    assert User.objects.filter(last_name="Demy").count() == 1
    assert admin_client.get("/admin/").status_code == 200
    states = dict(known.queued.values_list("text", "state"))
    assert states == {"Varda": State.OTHERS, "Demy": State.MERGED}
    left = known.queued.get(text="Varda")
    asked = {"action": "ask_again", "_selected_action": [left.pk], "index": 0}
    admin_client.post(f"{QUEUE}?state=others", asked)
    assert known.queued.get(text="Varda").run is None
    merge_safe(client_of(User.objects.get(last_name="Demy")), known)
    assert User.objects.filter(last_name="Varda").count() == 1


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


NAMES = [uuid4(), "x" * 300]
"""By which a project's own users may be known: no text, or more of it than is kept."""


@pytest.mark.parametrize("name", NAMES, ids=["no text", "a long one"])
def test_stewards_of_any_name_merge_dismiss_and_skip(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch, name: Any
) -> None:
    monkeypatch.setattr(User, "get_username", lambda _user: name)
    people_called(*["Ann", "Bob", "Cy", "Dora", "Eve"] * 2)
    found = scan(admin_client)
    *groups, last = QueuedGroup.objects.order_by("pk")[:4]
    for group, button in zip(groups, ("merge", "dismiss", "skip"), strict=True):
        page = f"{QUEUE}{group.pk}/"
        admin_client.post(page, {**fields_of(admin_client.get(page)), button: "pressed"})
    act(admin_client, "dismiss_selected", last)
    assert "1 group merged, 0 held back" in messages_of(merge_safe(admin_client, found))
    decided = QueuedGroup.objects.order_by("state").values_list("state", "by")
    states = ["dismissed", "dismissed", "merged", "merged", "skipped"]
    assert list(decided) == [(state, str(name)[:254]) for state in states]
