"""Rights in the admin: our own, on the rows concerned, and on rows that would vanish."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.auth.models import Permission, User

from dedupe_toolkit import MergePolicy, dismiss, match_key, merge, plan_merge, row_set
from dedupe_toolkit.models import DismissedGroup, MergeRun
from testproject.films.admin import CreditAdmin, PersonAdmin
from testproject.films.models import Award, Credit, Film, Genre, Person, PersonProfile, Role
from tests.admin.kit import OWN, REVIEW, client_of, fields_of, messages_of, text_of, user_who_may
from tests.admin.kit import merge as press_merge

if TYPE_CHECKING:
    from django.http import HttpResponse
    from django.test import Client

pytestmark = pytest.mark.django_db

JOURNAL = "/admin/dedupe_toolkit/"
ALL = ("view", "change", "delete")


@pytest.fixture
def people() -> list[Person]:
    return [Person.objects.create(name="Steve McQueen") for _ in range(2)]


@pytest.fixture
def run(people: list[Person]) -> MergeRun:
    return merge(plan_merge(row_set(Person, [person.pk for person in people])))


def page_of(client: Client, people: list[Person]) -> HttpResponse:
    return client.get(REVIEW, {"rows": [person.pk for person in people]})


def grant(user: User, *codenames: str) -> User:
    user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
    return User.objects.get(pk=user.pk)


def hide(monkeypatch: pytest.MonkeyPatch, **hidden: Any) -> None:
    monkeypatch.setattr(
        PersonAdmin, "get_queryset", lambda self, request: Person.objects.exclude(**hidden)
    )


# -- rights of our own -------------------------------------------------------------------------


@pytest.mark.parametrize("own", [(), ("dismiss_duplicates",), ("undo_merges",)])
def test_merging_takes_the_right_to_merge(own: tuple[str, ...], people: list[Person]) -> None:
    client = client_of(user_who_may(*ALL, own=own))
    data = {"rows": [person.pk for person in people], "merge": "Merge"}
    assert client.post(REVIEW, data).status_code == 403
    assert Person.objects.count() == 2


@pytest.mark.parametrize("own", [(), ("merge_duplicates",), ("undo_merges",)])
def test_dismissing_takes_the_right_to_dismiss(own: tuple[str, ...], people: list[Person]) -> None:
    client = client_of(user_who_may(*ALL, own=own))
    data = {"rows": [person.pk for person in people], "dismiss": "Dismiss"}
    assert client.post(REVIEW, data).status_code == 403
    assert not DismissedGroup.objects.exists()


def test_a_page_has_only_the_buttons_that_its_user_may_press(people: list[Person]) -> None:
    user = user_who_may(*ALL, own=("dismiss_duplicates",))
    page = page_of(client_of(user), people).content.decode()
    assert 'name="dismiss"' in page
    assert 'name="merge"' not in page
    user = grant(user, "merge_duplicates")
    assert 'name="merge"' in page_of(client_of(user), people).content.decode()


def test_undo_takes_the_right_to_undo(run: MergeRun) -> None:
    user = grant(user_who_may(*ALL, own=("merge_duplicates",)), "view_mergerun")
    assert client_of(user).post(f"{JOURNAL}mergerun/{run.pk}/undo/").status_code == 403
    user = grant(user, "undo_merges")
    client_of(user).post(f"{JOURNAL}mergerun/{run.pk}/undo/")
    assert Person.objects.count() == 2


# -- rows of other models ----------------------------------------------------------------------


@pytest.fixture
def credited(people: list[Person]) -> list[Person]:
    """Both have the same credit: one of the two would go."""
    film = Film.objects.create(catalogue_id=1, title="Bullitt", year=1968)
    for person in people:
        Credit.objects.create(person=person, film=film, role=Role.CAST)
    return people


def test_rows_that_would_vanish_elsewhere_take_the_right_to_delete_them(
    credited: list[Person],
) -> None:
    user = user_who_may(*ALL)
    page = page_of(client_of(user), credited)
    assert "your account may not delete them: credit" in text_of(page)
    press_merge(client_of(user), page)
    assert Person.objects.count() == Credit.objects.count() == 2
    user = grant(user, "delete_credit")
    press_merge(client_of(user), page_of(client_of(user), credited))
    assert Person.objects.count() == Credit.objects.count() == 1


def test_the_model_admin_of_those_rows_is_asked(
    admin_client: Client, credited: list[Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CreditAdmin, "has_delete_permission", lambda self, request, obj=None: False)
    page = page_of(admin_client, credited)
    assert "your account may not delete them: credit" in text_of(page)
    press_merge(admin_client, page)
    assert Person.objects.count() == 2


def test_rows_that_are_only_repointed_take_no_right(people: list[Person]) -> None:
    film = Film.objects.create(catalogue_id=1, title="Bullitt", year=1968)
    Award.objects.create(person=people[1], film=film, text="Golden Lion")
    client = client_of(user_who_may(*ALL))
    press_merge(client, page_of(client, people))
    assert Person.objects.count() == 1


def test_links_of_automatic_tables_are_nobodys_to_delete(people: list[Person]) -> None:
    for person in people:
        person.genres.add(Genre.objects.get_or_create(name="Drama")[0])
    client = client_of(user_who_may(*ALL))
    press_merge(client, page_of(client, people))
    assert Person.objects.count() == 1


def test_links_that_another_model_declares_are_nobodys_to_delete_either() -> None:
    genres = [Genre.objects.create(name=name) for name in ("Drama", "Dramas")]
    film = Film.objects.create(catalogue_id=1, title="Bullitt", year=1968)
    film.genres.set(genres)
    user = grant(user_who_may(), "view_genre", "change_genre", "delete_genre")
    url = "/admin/dedupe_toolkit/mergerun/merge/films/genre/"
    client = client_of(user)
    page = client.get(url, {"rows": [genre.pk for genre in genres]})
    client.post(url, fields_of(page) | {"merge": "Merge"})
    assert Genre.objects.count() == film.genres.count() == 1


def test_undoing_takes_the_right_to_delete_what_the_merge_deleted(credited: list[Person]) -> None:
    run = merge(plan_merge(row_set(Person, [person.pk for person in credited])))
    user = grant(user_who_may(*ALL), "view_mergerun")
    assert client_of(user).post(f"{JOURNAL}mergerun/{run.pk}/undo/").status_code == 403
    user = grant(user, "delete_credit")
    client_of(user).post(f"{JOURNAL}mergerun/{run.pk}/undo/")
    assert Person.objects.count() == Credit.objects.count() == 2


# -- reading -----------------------------------------------------------------------------------


def test_what_is_about_hidden_rows_is_neither_listed_nor_opened_nor_undone(
    admin_client: Client,
    people: list[Person],
    run: MergeRun,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dismiss(row_set(Person, [people[0].pk, Person.objects.create(name="Steve").pk]))
    pages = {
        f"{JOURNAL}mergerun/": f"Merge run {run.pk} of",
        f"{JOURNAL}rowchange/": "merged into its survivor",
        f"{JOURNAL}rowchange/?run={run.pk}": "merged into its survivor",
        f"{JOURNAL}dismissedgroup/": "People every key",
    }
    for url, told in pages.items():
        assert told in text_of(admin_client.get(url)), url
    hide(monkeypatch, pk=people[0].pk)
    for url, told in pages.items():
        assert told not in text_of(admin_client.get(url)), url
    assert admin_client.get(f"{JOURNAL}mergerun/{run.pk}/change/").status_code in {302, 403}
    for method in (admin_client.get, admin_client.post):
        assert method(f"{JOURNAL}mergerun/{run.pk}/undo/").status_code == 403
    assert Person.objects.filter(name="Steve McQueen").count() == 1


def test_what_is_about_other_rows_stays_readable(
    admin_client: Client, run: MergeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide(monkeypatch, pk=Person.objects.create(name="Chris Marker").pk)
    assert f"Merge run {run.pk} of" in text_of(admin_client.get(f"{JOURNAL}mergerun/"))
    assert admin_client.get(f"{JOURNAL}mergerun/{run.pk}/change/").status_code == 200
    admin_client.post(f"{JOURNAL}mergerun/{run.pk}/undo/")
    assert Person.objects.filter(name="Steve McQueen").count() == 2


def test_groups_held_back_are_hidden_with_their_rows(
    admin_client: Client, credited: list[Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    Credit.objects.all().delete()
    film = Film.objects.get()
    for person, role in zip(credited, (Role.CAST, Role.WRITER), strict=True):
        PersonProfile.objects.create(person=person, known_for=film, known_as=role)
    run = merge(plan_merge(match_key(Person, ["name"]), policy=MergePolicy()))
    assert run.groups_held_back == 1
    hide(monkeypatch, pk=credited[1].pk)
    assert f"Merge run {run.pk} of" not in text_of(admin_client.get(f"{JOURNAL}mergerun/"))


def test_runs_of_a_model_are_for_those_who_may_see_its_rows(run: MergeRun) -> None:
    user = grant(user_who_may(), "view_mergerun", "view_rowchange")
    assert f"Merge run {run.pk} of" not in text_of(client_of(user).get(f"{JOURNAL}mergerun/"))
    assert "0 row changes" in text_of(client_of(user).get(f"{JOURNAL}rowchange/?run={run.pk}"))
    user = grant(user, "view_person")
    assert f"Merge run {run.pk} of" in text_of(client_of(user).get(f"{JOURNAL}mergerun/"))
    assert "1 row change" in text_of(client_of(user).get(f"{JOURNAL}rowchange/?run={run.pk}"))


def test_a_row_that_may_not_be_changed_keeps_its_merge(
    admin_client: Client, run: MergeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        PersonAdmin, "has_change_permission", lambda self, request, obj=None: obj is None
    )
    assert admin_client.post(f"{JOURNAL}mergerun/{run.pk}/undo/").status_code == 403
    assert Person.objects.count() == 1


# -- who did it --------------------------------------------------------------------------------


def test_a_run_knows_who_merged_and_from_where(
    admin_client: Client, admin_user: User, people: list[Person]
) -> None:
    press_merge(admin_client, page_of(admin_client, people))
    run = MergeRun.objects.get()
    assert (run.by, run.user, run.origin) == ("admin", admin_user, "admin")
    page = text_of(admin_client.get(f"{JOURNAL}mergerun/{run.pk}/change/"))
    assert "By: admin" in page
    assert "Merged from: the admin" in page
    admin_user.delete()
    run.refresh_from_db()
    assert (run.by, run.user) == ("admin", None)


def test_a_run_from_code_keeps_the_name_or_user_it_is_given(
    admin_user: User, people: list[Person]
) -> None:
    rows = row_set(Person, [person.pk for person in people])
    run = merge(plan_merge(rows), by="the nightly import")
    assert (run.by, run.user, run.origin) == ("the nightly import", None, "code")
    more = [people[0].pk, Person.objects.create(name="Steve McQueen").pk]
    run = merge(plan_merge(row_set(Person, more)), by=admin_user)
    assert (run.by, run.user) == ("admin", admin_user)


def test_verdicts_and_undone_merges_stand_in_the_history_of_their_rows(
    admin_client: Client, people: list[Person], run: MergeRun
) -> None:
    admin_client.post(f"{JOURNAL}mergerun/{run.pk}/undo/")
    entries = LogEntry.objects.filter(content_type__model="person").order_by("pk")
    first, second = (str(person.pk) for person in people)
    assert list(entries.values_list("object_id", "action_flag")) == [
        (first, CHANGE),
        (second, ADDITION),
    ]
    assert all(f"Merge run {run.pk}" in entry.get_change_message() for entry in entries)
    LogEntry.objects.all().delete()
    page = page_of(admin_client, people)
    data = fields_of(page) | {"dismiss": "Dismiss", "note": "Two men."}
    assert "Dismissed" in messages_of(admin_client.post(REVIEW, data, follow=True))
    assert set(LogEntry.objects.values_list("object_id", flat=True)) == {first, second}
    assert "Two men." in LogEntry.objects.first().get_change_message()


def test_the_rights_are_offered_where_permissions_are_given() -> None:
    found = Permission.objects.filter(codename__in=[*OWN, "scan_duplicates"])
    assert found.count() == 4
