"""Duplicates on the change pages of a model: by the mixin, by object tools and a middleware."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User

from dedupe_toolkit import dismiss, match_key, merge, plan_merge, row_set, undo
from testproject.films.admin import PersonAdmin
from testproject.films.models import Film, Person
from tests.admin.kit import PEOPLE, client_of, messages_of, text_of, user_who_may

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db

FILMS = "/admin/films/film/"
MIDDLEWARE = "dedupe_toolkit.admin.middleware.MergedRowMiddleware"


def people_called(*names: str) -> list[Person]:
    return [Person.objects.create(name=name) for name in names]


def merged(*people: Person) -> Any:
    return merge(plan_merge(row_set(Person, [person.pk for person in people])))


def page_of(client: Client, person: Person, **more: Any) -> Any:
    return client.get(f"{PEOPLE}{person.pk}/change/", follow=True, **more)


def test_rows_equal_on_a_declared_key_are_shown_with_a_way_to_compare(admin_client: Client) -> None:
    first, second, other = people_called("Agnès Varda", "Agnès Varda", "Chris Marker")
    page = page_of(admin_client, first)
    assert f"Possible duplicates: Agnès Varda ({second.pk}) · Compare" in text_of(page)
    assert f"rows={first.pk}&amp;rows={second.pk}" in page.content.decode()
    assert "Possible duplicates: — Merged from: —" in text_of(page_of(admin_client, other))


def test_rows_said_to_be_two_people_are_not_shown(admin_client: Client) -> None:
    people = people_called("Agnès Varda", "Agnès Varda")
    dismiss(row_set(Person, [person.pk for person in people]))
    assert "Possible duplicates: —" in text_of(page_of(admin_client, people[0]))


def test_rows_hidden_from_a_user_are_not_shown(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = people_called("Agnès Varda", "Agnès Varda")
    seen = Person.objects.exclude(pk=second.pk)
    monkeypatch.setattr(PersonAdmin, "get_queryset", lambda self, request: seen.all())
    assert "Possible duplicates: —" in text_of(page_of(admin_client, first))


def test_the_page_of_a_survivor_tells_which_rows_it_was(admin_client: Client) -> None:
    first, second = people_called("Agnès Varda", "Agnes Varda")
    run = merged(first, second)
    assert f"Merged from: {second.pk} ( Merge run {run.pk} )" in text_of(
        page_of(admin_client, first)
    )
    undo(run)
    assert "Merged from: —" in text_of(page_of(admin_client, first))


def test_the_address_of_a_merged_row_leads_to_its_survivor(admin_client: Client) -> None:
    first, second, third = people_called("Agnès Varda", "Agnes Varda", "A. Varda")
    merged(second, third)
    merged(first, second)
    page = page_of(admin_client, third)
    assert page.redirect_chain[-1][0] == f"{PEOPLE}{first.pk}/change/"
    assert f"Person {third.pk} was merged into “Agnès Varda”" in messages_of(page)


def test_an_address_of_no_row_at_all_is_what_it_always_was(admin_client: Client) -> None:
    page = admin_client.get(f"{PEOPLE}2000000000/change/", follow=True)
    assert "Perhaps it was deleted?" in messages_of(page)
    page = admin_client.get(f"{PEOPLE}nonsense/change/", follow=True)
    assert "Perhaps it was deleted?" in messages_of(page)


def test_a_survivor_that_a_user_may_not_see_is_not_told_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = people_called("Agnès Varda", "Agnes Varda")
    merged(first, second)
    monkeypatch.setattr(PersonAdmin, "get_queryset", lambda self, request: Person.objects.none())
    client = client_of(User.objects.create_superuser("root"))
    assert "was merged into" not in messages_of(page_of(client, second))


def test_a_row_is_still_added_changed_and_only_looked_at(admin_client: Client) -> None:
    data = {"name": "Agnès Varda", "biography": "", "credits-TOTAL_FORMS": 0}
    data |= {"credits-INITIAL_FORMS": 0}
    assert admin_client.get(f"{PEOPLE}add/").status_code == 200
    admin_client.post(f"{PEOPLE}add/", data)
    person = Person.objects.get()
    admin_client.post(f"{PEOPLE}{person.pk}/change/", data | {"name": "Agnes Varda"})
    person.refresh_from_db()
    assert person.name == "Agnes Varda"
    people_called("Agnes Varda")
    reader = client_of(user_who_may("view"))
    page = text_of(page_of(reader, person))
    assert "Possible duplicates: Agnes Varda" in page
    assert "Compare" not in page


def test_a_key_that_no_index_begins_with_is_not_looked_up(
    admin_client: Client, django_assert_max_num_queries: Any
) -> None:
    assert match_key(Person, ["name"]).fields == ("name",)
    first, _ = people_called("Agnès Varda", "Agnès Varda")
    with django_assert_max_num_queries(25):
        page_of(admin_client, first)


# -- without the mixin ---------------------------------------------------------------------------


@pytest.fixture
def films(settings: Any) -> list[Film]:
    """Films, whose `ModelAdmin` has no mixin, on a site with the middleware."""
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, MIDDLEWARE]
    films = [Film.objects.create(catalogue_id=n, title="Vagabond", year=1985) for n in range(2)]
    merge(plan_merge(row_set(Film, [film.pk for film in films])))
    return films


def test_the_middleware_leads_from_a_merged_row_to_its_survivor(
    admin_client: Client, films: list[Film]
) -> None:
    page = admin_client.get(f"{FILMS}{films[1].pk}/change/", follow=True)
    assert page.redirect_chain == [(f"{FILMS}{films[0].pk}/change/", 302)]
    assert f"Film {films[1].pk} was merged into “{films[0]}”" in messages_of(page)
    assert admin_client.get(f"{FILMS}{films[0].pk}/change/").status_code == 200
    for nothing in ("2000000000", "nonsense"):
        page = admin_client.get(f"{FILMS}{nothing}/change/", follow=True)
        assert "Perhaps it was deleted?" in messages_of(page)


def test_the_middleware_tells_nothing_to_those_who_may_not_see_the_survivor(
    client: Client, films: list[Film]
) -> None:
    address = f"{FILMS}{films[1].pk}/change/"
    assert client.get(address).url.startswith("/admin/login/")
    user = user_who_may("view")
    page = client_of(user).get(address, follow=True)
    assert "was merged into" not in page.content.decode()


def test_object_tools_lead_to_likely_and_to_merged_rows(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = "dedupe_toolkit/change_form.html"
    monkeypatch.setattr(PersonAdmin, "change_form_template", template)
    first, second, third = people_called("Agnès Varda", "Agnès Varda", "A. Varda")
    run = merged(first, third)
    page = page_of(admin_client, first).content.decode()
    compare = f"rows={first.pk}&amp;rows={second.pk}"
    assert re.search(f'<li><a href="[^"]*{compare}">1 possible duplicate</a></li>', page)
    assert re.search(f'<li><a href="[^"]*mergerun/{run.pk}/change/[^"]*">1 merged row</a>', page)
    assert (
        "possible duplicate<"
        not in page_of(client_of(user_who_may("change")), first).content.decode()
    )
    assert admin_client.get(f"{PEOPLE}add/").status_code == 200
