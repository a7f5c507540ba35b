"""The review page as a fast steward uses it: in headless Chromium, with the keyboard alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import expect

from dedupe_toolkit import match_key
from dedupe_toolkit.models import DismissedGroup, MergeRun, QueuedGroup
from testproject.films.models import Credit, Film, Person, Role
from tests.browser_kit import drawn_anew, let_in, log_in, window
from tests.scan_kit import scanned

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

State = QueuedGroup.State
NAMES = ["Agnès Varda", "Chris Marker", "Jacques Demy"]


@pytest.fixture
def groups() -> list[QueuedGroup]:
    """Three groups in the queue, each of two people who differ in a year."""
    for place, name in enumerate(NAMES):
        film = Film.objects.create(catalogue_id=place, title=f"Film {place}", year=1960)
        people = [Person.objects.create(name=name, acting_since=1950 + n) for n in range(2)]
        Credit.objects.create(person=people[1], film=film, role=Role.DIRECTOR)
    return list(scanned(match_key(Person, ["name"])).queued.order_by("pk"))


INLINE = """() => {
    const script = document.createElement("script");
    script.textContent = "window.ran = true";
    document.head.append(script);
    return window.ran ?? null;
}"""


def open_group(page: Page, group: QueuedGroup) -> None:
    page.goto(f"/admin/dedupe_toolkit/queuedgroup/{group.pk}/")


def press(page: Page, key: str) -> None:
    """A key that draws the page anew, waited for."""
    with page.expect_response(lambda response: "queuedgroup" in response.url):
        page.keyboard.press(key)
    drawn_anew(page)


def years(name: str) -> list[int | None]:
    people = Person.objects.filter(name=name).order_by("pk")
    return list(people.values_list("acting_since", flat=True))


def test_a_queue_is_worked_through_with_the_keyboard_alone(
    page: Page,
    admin_user: User,
    groups: list[QueuedGroup],
) -> None:
    refused: list[str] = []
    asked: list[str] = []
    page.on("console", lambda said: refused.append(said.text) if said.type == "error" else None)
    page.on("request", lambda request: asked.append(request.url))
    log_in(page, admin_user)
    name = groups[0].text  # each database finds them in an order of its own
    pks = Person.objects.filter(name=name).order_by("pk").values_list("pk", flat=True)
    open_group(page, groups[0])
    assert f"Group 1 of 3 · {name} · 0 done" in page.locator(".dedupe-standing").inner_text()
    assert "1 credit moves" in page.locator(".dedupe-told").inner_text()
    for verb in ("Merge and next", "Merge", "Not duplicates: dismiss", "Skip"):
        expect(page.get_by_role("button", name=verb, exact=True)).to_be_in_viewport(ratio=1)

    press(page, "2")
    assert f"#{pks[1]} · since" in page.locator("th.dedupe-survivor").inner_text()
    assert page.locator("input[name=into]").nth(1).evaluate("e => e === document.activeElement")
    press(page, "ArrowRight")
    assert page.locator("input[name=into]").first.is_checked()

    page.keyboard.press("j")
    press(page, "ArrowRight")  # among the choices for the year: to the next one
    page.keyboard.press("m")
    page.wait_for_url(f"**/{groups[1].pk}/")
    assert f"Merged 1 row into “{name}”" in page.locator(".messagelist").inner_text()
    assert len(years(name)) == 1

    assert not [text for text in refused if "favicon" not in text and "404" not in text]
    assert page.evaluate(INLINE) is None, "the policy is in force"

    page.keyboard.press("u")
    page.wait_for_url(f"**/{groups[0].pk}/")
    assert years(name) == [1950, 1951]
    page.keyboard.press("s")
    page.wait_for_url(f"**/{groups[1].pk}/")
    page.keyboard.press("n")
    page.wait_for_url(f"**/{groups[2].pk}/")
    page.keyboard.press("m")
    page.wait_for_url("**/queuedgroup/?*")

    states = QueuedGroup.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == [State.SKIPPED, State.DISMISSED, State.MERGED]
    assert DismissedGroup.objects.count() == 1
    assert all(url.startswith(page.url.split("/admin")[0]) for url in asked)


def test_two_stewards_in_two_browsers_do_not_stand_in_each_others_way(
    browser: Browser,
    live_server: LiveServer,
    groups: list[QueuedGroup],
) -> None:
    with window(browser, live_server) as one, window(browser, live_server) as two:
        for place, desk in enumerate([one, two]):
            user = User.objects.create_superuser(f"steward {place}")
            client = Client()
            client.force_login(user)
            let_in(desk, client, live_server)
            open_group(desk, groups[place])
        one.keyboard.press("m")
        two.keyboard.press("m")
        one.wait_for_url(lambda url: not url.endswith(f"/{groups[0].pk}/"))
        two.wait_for_url(f"**/{groups[2].pk}/")
        assert [len(years(group.text)) for group in groups] == [1, 1, 2]

        open_group(one, groups[2])
        one.keyboard.press("m")
        one.wait_for_url("**/queuedgroup/?*")
        two.keyboard.press("m")
        two.wait_for_url(lambda url: not url.endswith(f"/{groups[2].pk}/"))
        told = two.locator(".messagelist").inner_text()
        assert f"“{groups[2].text}” has no duplicates any more." in told
    assert [len(years(group.text)) for group in groups] == [1, 1, 1]
    by = MergeRun.objects.order_by("by").values_list("by", flat=True)
    assert list(by) == ["steward 0", "steward 0", "steward 1"]


def test_single_keys_can_be_switched_off_for_good(
    page: Page,
    admin_user: User,
    groups: list[QueuedGroup],
) -> None:
    log_in(page, admin_user)
    open_group(page, groups[0])
    page.keyboard.press("?")
    page.get_by_label("Single keys decide and choose").uncheck()
    page.locator("h1").click()
    page.keyboard.press("n")
    page.reload()
    assert not page.locator("#dedupe-keys-on").is_checked()
    page.keyboard.press("m")
    page.keyboard.press("s")
    assert page.url.endswith(f"/{groups[0].pk}/")
    assert QueuedGroup.objects.filter(state=State.PENDING).count() == 3


def test_letters_in_the_reason_decide_nothing(
    page: Page,
    admin_user: User,
    groups: list[QueuedGroup],
) -> None:
    log_in(page, admin_user)
    open_group(page, groups[0])
    page.get_by_label("Reason").fill("")
    page.get_by_label("Reason").press_sequentially("names mean nothing")
    with page.expect_response(lambda response: "queuedgroup" in response.url):
        page.locator("input[name=into]").nth(1).check()
    drawn_anew(page)
    assert page.get_by_label("Reason").input_value() == "names mean nothing", "kept when redrawn"
    page.get_by_role("button", name="Not duplicates").click()
    page.wait_for_url(f"**/{groups[1].pk}/")
    assert DismissedGroup.objects.get().note == "names mean nothing"


def test_without_javascript_a_button_shows_the_choice(
    page: Page,
    admin_user: User,
    groups: list[QueuedGroup],
) -> None:
    log_in(page, admin_user)
    page.route("**/review.js", lambda route: route.abort())
    open_group(page, groups[0])
    name = groups[0].text
    second = Person.objects.filter(name=name).order_by("pk")[1]
    page.locator(f"input[name=field_acting_since][value='row:{second.pk}']").check()
    page.get_by_role("button", name="Show the plan").click()
    result = page.locator("tr", has_text="Acting since").locator(".dedupe-result .dedupe-value")
    assert result.inner_text() == "1951"
    page.get_by_role("button", name="Merge", exact=True).click()
    assert years(name) == [1951]
