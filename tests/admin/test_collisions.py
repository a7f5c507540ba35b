"""Rows that collide, opened on the review page: side by side, with a resolution for each table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Permission, User

from dedupe_toolkit.models import MergeRun, MergeStep
from testproject.films.models import Film, Person, PersonProfile, Role
from tests.admin.kit import REVIEW, client_of, fields_of, messages_of, select, text_of

if TYPE_CHECKING:
    from django.http import HttpResponse
    from django.test import Client

pytestmark = pytest.mark.django_db

PROFILES = "collision_films.PersonProfile.person"


def chosen(client: Client, people: tuple[Person, ...], how: str, **more: Any) -> HttpResponse:
    page = select(client, *people)
    return client.post(REVIEW, {**fields_of(page), PROFILES: how, "show": "Show", **more})


def test_both_rows_stand_side_by_side_with_what_each_resolution_loses(
    admin_client: Client, rivals: tuple[Person, Person]
) -> None:
    first, second = (PersonProfile.objects.get(person=person) for person in rivals)
    text = text_of(select(admin_client, *rivals))
    assert "Person profiles (person): only one of each two can stay" in text
    assert f"first: {first} (#{first.pk}) second: {second} (#{second.pk})" in text
    assert "Known as Director Writer" in text
    assert "Of the second row the journal keeps: known as." in text
    assert "nothing is merged, and nothing is lost." in text


@pytest.mark.parametrize(("how", "kept"), [("merge", "rival"), ("discard", "discarded")])
def test_a_resolution_for_one_table_is_kept_shown_and_carried_out(
    admin_client: Client, rivals: tuple[Person, Person], how: str, kept: str
) -> None:
    page = chosen(admin_client, rivals, how, on_collision="hold")
    assert fields_of(page)[PROFILES] == how
    assert "Held back: nothing will be merged." not in text_of(page)
    admin_client.post(REVIEW, {**fields_of(page), "merge": "Merge"})
    assert MergeStep.objects.get(model="films.PersonProfile", action="delete").reason == kept
    assert Person.objects.count() == 1


def test_a_table_can_be_held_back_that_would_be_merged(
    admin_client: Client, rivals: tuple[Person, Person]
) -> None:
    page = chosen(admin_client, rivals, "hold")
    assert "Held back: nothing will be merged." in text_of(page)
    admin_client.post(REVIEW, {**fields_of(page), "merge": "Merge"})
    assert Person.objects.count() == 2


def test_a_colliding_row_that_has_changed_since_is_shown_before_it_is_merged(
    admin_client: Client, rivals: tuple[Person, Person]
) -> None:
    page = chosen(admin_client, rivals, "merge")
    film = Film.objects.create(catalogue_id=2, title="Jacquot", year=1991)
    PersonProfile.objects.filter(person=rivals[1]).update(known_for=film, known_as=Role.DIRECTOR)
    page = admin_client.post(REVIEW, {**fields_of(page), "merge": "Merge"})
    assert "this is not what you were shown" in messages_of(page)
    assert "Person profiles (person): other rows collide, or one of them has" in text_of(page)
    assert fields_of(page)[PROFILES] == "merge"
    assert not MergeRun.objects.exists()


def test_of_rows_that_a_user_may_not_see_no_value_is_shown(rivals: tuple[Person, Person]) -> None:
    user = User.objects.create_user("user", password="password", is_staff=True)
    rights = ["merge_duplicates", "change_person", "delete_person"]
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    text = text_of(select(client_of(user), *rivals))
    assert "They differ in nothing that you may see." in text
    assert "Known as" not in text


def test_what_is_no_resolution_is_refused(
    admin_client: Client, rivals: tuple[Person, Person]
) -> None:
    page = chosen(admin_client, rivals, "forget", follow=True)
    assert page.status_code == 302
    assert Person.objects.count() == 2
