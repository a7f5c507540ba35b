"""The admin as a person uses it: a real headless Chromium, from the change list to the undo."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dedupe_toolkit import find_duplicates, match_key
from testproject.films.models import Award, Credit, Film, Genre, Person, PersonProfile, Role
from tests.admin.browser import log_in

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from playwright.sync_api import Page

pytestmark = [
    pytest.mark.any_database,  # a page does the same, wherever its rows are
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def people() -> tuple[Person, Person]:
    """Agnès Varda as two importers left her: what is known of her is split between two rows."""
    first = Person.objects.create(name="Agnès Varda", acting_since=1954)
    second = Person.objects.create(
        name="Agnès Varda",
        biography="Photographer first, film maker ever after.",
        acting_since=1958,
    )
    Person.objects.create(name="Chris Marker")
    first.genres.add(Genre.objects.create(name="Drama"))
    films = [
        Film.objects.create(catalogue_id=number, title=title, year=year)
        for number, (title, year) in enumerate(
            [("La Pointe Courte", 1955), ("Cléo from 5 to 7", 1962), ("Vagabond", 1985)], start=1
        )
    ]
    for film in films:
        Credit.objects.create(person=second, film=film, role=Role.DIRECTOR)
    Credit.objects.create(person=first, film=films[0], role=Role.DIRECTOR)
    Award.objects.create(person=second, film=films[2], text="Golden Lion")
    for person, film in ((first, films[0]), (second, films[1])):
        PersonProfile.objects.create(person=person, known_for=film, known_as=Role.DIRECTOR)
    return first, second


def test_two_people_are_selected_merged_and_brought_back(
    page: Page, admin_user: User, people: tuple[Person, Person]
) -> None:
    first, second = people
    log_in(page, admin_user)

    page.goto("/admin/films/person/?q=Varda")
    page.get_by_role("checkbox", name="Select all objects on this page").check()
    page.get_by_label("Action:").select_option("Merge selected people")
    page.get_by_role("button", name="Run").or_(page.get_by_role("button", name="Go")).click()

    assert page.get_by_role("radio", name="Agnès Varda").first.is_checked()
    page.get_by_label("Hold back: merge nothing").check()
    page.get_by_role("button", name="Show the plan").click()
    assert page.get_by_role("button", name="Merge", exact=True).is_disabled()
    assert "Person profiles" in page.get_by_role("alert").inner_text()

    page.get_by_label("Merge the colliding rows").check()
    page.get_by_role("button", name="Show the plan").click()

    page.locator(f"input[name=into][value='{second.pk}']").check()
    page.get_by_role("button", name="Show the plan").click()
    assert page.locator(f"input[name=into][value='{second.pk}']").is_checked()
    page.get_by_text("Table by table").click()
    assert page.locator("tr", has_text="Credits (person)").inner_text().split()[-3:] == [
        "0",
        "1",
        "0",
    ]
    assert Person.objects.filter(name="Agnès Varda").count() == 2

    page.get_by_role("button", name="Merge", exact=True).click()
    assert "Merged 1 row into “Agnès Varda”" in page.locator(".messagelist").inner_text()
    assert list(Person.objects.filter(name="Agnès Varda")) == [second]

    page.locator(".messagelist").get_by_role("link").click()
    page.get_by_role("link", name="row change of People", exact=False).first.click()
    page.go_back()

    page.get_by_role("link", name="Undo this run").click()
    assert "Rows restored: 3." in page.locator("#dedupe-told").inner_text()
    assert Person.objects.filter(name="Agnès Varda").count() == 1

    page.get_by_role("button", name="Undo this run").click()
    assert list(Person.objects.filter(name="Agnès Varda").order_by("pk")) == [first, second]
    assert page.get_by_role("link", name="Undo this run").count() == 0


def test_two_people_are_dismissed_and_offered_again(
    page: Page, admin_user: User, people: tuple[Person, Person]
) -> None:
    key = match_key(Person, ["name"])
    log_in(page, admin_user)
    rows = "&".join(f"rows={person.pk}" for person in people)
    page.goto(f"/admin/dedupe_toolkit/mergerun/merge/films/person/?{rows}")
    page.get_by_label("Reason").fill("Two people of one name.")
    page.get_by_role("button", name="Not duplicates").click()
    assert find_duplicates(key).groups == 0

    page.locator(".messagelist").get_by_role("link").click()
    assert "Two people of one name." in page.locator("#result_list").inner_text()
    page.get_by_role("checkbox", name="Select all objects on this page").check()
    page.get_by_label("Action:").select_option("Offer again: take the verdict back")
    page.get_by_role("button", name="Run").or_(page.get_by_role("button", name="Go")).click()
    assert "1 group is offered" in page.locator(".messagelist").inner_text()
    assert find_duplicates(key).groups == 1
