"""The admin as a person uses it: a real headless Chromium, from the change list to the undo.

With ``DEDUPE_SCREENSHOTS`` naming a folder, every page on the way is saved there as a picture:
light, dark, and as narrow as a telephone. The picture in the documentation is made so, from the
models of the test project alone::

    DEDUPE_SCREENSHOTS=/tmp/pictures pytest --ds=testproject.settings tests/test_admin_browser.py
    cp /tmp/pictures/plan-page.png docs/images/
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.db import connections
from playwright.sync_api import expect, sync_playwright

from dedupe_toolkit import find_duplicates, match_key
from testproject.films.models import Award, Credit, Film, Genre, Person, PersonProfile, Role
from tests.concurrency_kit import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.auth.models import User
    from playwright.sync_api import Page
    from pytest_django.live_server_helper import LiveServer

CHROMIUM = next(filter(None, map(shutil.which, ["chromium", "chromium-browser"])), None)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(live_server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    if CHROMIUM is None:
        if os.environ.get("DEDUPE_REQUIRE_BROWSER") == "1":
            pytest.fail("no Chromium on PATH, and DEDUPE_REQUIRE_BROWSER is 1")
        pytest.skip("no Chromium on PATH: install Debian's chromium to run the browser tests")
    # Playwright keeps an event loop in this thread, in which Django refuses to use the database.
    # Nothing here runs concurrently, and the loop ends with the test.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(
            base_url=live_server.url, viewport={"width": 1280, "height": 800}, locale="en-GB"
        )
        # only a page that never comes may fail a test, not a machine that is busy
        page.set_default_timeout(PATIENCE * 1_000)
        expect.set_options(timeout=PATIENCE * 1_000)
        yield page
        # inside the loop Django has given this thread connections that nobody else closes
        connections.close_all()
        browser.close()


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


def log_in(page: Page, user: User) -> None:
    page.goto("/admin/")
    page.get_by_label("Username").fill(user.get_username())
    page.get_by_label("Password").fill("password")
    page.get_by_role("button", name="Log in").click()


def picture(page: Page, name: str) -> None:
    folder = os.environ.get("DEDUPE_SCREENSHOTS")
    if not folder:
        return
    # high enough that the bar at the foot of the window covers nothing
    page.set_viewport_size({"width": 1280, "height": 1600})
    page.locator("#content").screenshot(path=Path(folder) / f"{name}.png")
    page.set_viewport_size({"width": 1280, "height": 800})
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.screenshot(path=Path(folder) / f"{name}-{theme}.png", full_page=True)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 400, "height": 800})
    page.screenshot(path=Path(folder) / f"{name}-narrow.png", full_page=True)
    page.set_viewport_size({"width": 1280, "height": 800})


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
    page.get_by_label("Hold back").check()
    page.get_by_role("button", name="Show the plan").click()
    assert page.get_by_role("button", name="Merge", exact=True).is_disabled()
    assert "films.PersonProfile" in page.get_by_role("alert").inner_text()
    picture(page, "held-back")

    page.get_by_label("Merge the colliding rows").check()
    page.get_by_role("button", name="Show the plan").click()
    picture(page, "plan-page")

    page.locator(f"input[name=into][value='{second.pk}']").check()
    page.get_by_role("button", name="Show the plan").click()
    assert page.locator(f"input[name=into][value='{second.pk}']").is_checked()
    page.get_by_text("Table by table").click()
    assert page.locator("tr", has_text="films.Credit.person").inner_text().split()[-3:] == [
        "0",
        "1",
        "0",
    ]
    picture(page, "other-survivor")
    assert Person.objects.filter(name="Agnès Varda").count() == 2

    page.get_by_role("button", name="Merge", exact=True).click()
    assert "Merged 1 row into “Agnès Varda”" in page.locator(".messagelist").inner_text()
    assert list(Person.objects.filter(name="Agnès Varda")) == [second]
    picture(page, "merged")

    page.locator(".messagelist").get_by_role("link").click()
    picture(page, "run")
    page.get_by_role("link", name="row change of films.Person", exact=False).first.click()
    picture(page, "row-changes")
    page.go_back()

    page.get_by_role("link", name="Undo this run").click()
    assert "Rows restored: 3." in page.locator("#dedupe-told").inner_text()
    picture(page, "undo")
    assert Person.objects.filter(name="Agnès Varda").count() == 1

    page.get_by_role("button", name="Undo this run").click()
    assert list(Person.objects.filter(name="Agnès Varda").order_by("pk")) == [first, second]
    assert page.get_by_role("link", name="Undo this run").count() == 0
    picture(page, "undone")


def test_two_people_are_dismissed_and_offered_again(
    page: Page, admin_user: User, people: tuple[Person, Person]
) -> None:
    key = match_key(Person, ["name"])
    log_in(page, admin_user)
    rows = "&".join(f"rows={person.pk}" for person in people)
    page.goto(f"/admin/dedupe_toolkit/mergerun/merge/films/person/?{rows}")
    page.get_by_label("Reason").fill("Two people of one name.")
    picture(page, "dismiss")
    page.get_by_role("button", name="Not duplicates").click()
    assert find_duplicates(key).groups == 0

    page.locator(".messagelist").get_by_role("link").click()
    assert "Two people of one name." in page.locator("#result_list").inner_text()
    picture(page, "dismissed-groups")
    page.get_by_role("checkbox", name="Select all objects on this page").check()
    page.get_by_label("Action:").select_option("Offer again: take the verdict back")
    page.get_by_role("button", name="Run").or_(page.get_by_role("button", name="Go")).click()
    assert "1 group is offered" in page.locator(".messagelist").inner_text()
    assert find_duplicates(key).groups == 1
