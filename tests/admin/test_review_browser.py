"""The review page as a fast steward uses it: in headless Chromium, with the keyboard alone."""

from __future__ import annotations

from time import sleep
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from playwright.sync_api import expect

from dedupe_toolkit import match_key, merge
from dedupe_toolkit.admin import review
from dedupe_toolkit.models import DismissedGroup, MergeRun, QueuedGroup
from testproject.films.models import Credit, Film, Person, Role
from tests.admin.browser import drawn_anew, let_in, log_in, window
from tests.admin.kit import REVIEW
from tests.queue.scanning import scanned

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route
    from pytest_django.live_server_helper import LiveServer

pytestmark = [
    pytest.mark.any_database,  # what the scripts of a page do is the same, wherever its rows are
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]

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
        assert f"“{groups[2].text}” has been merged already, by steward 0." in told
    assert [len(years(group.text)) for group in groups] == [1, 1, 1]
    by = MergeRun.objects.order_by("by").values_list("by", flat=True)
    assert list(by) == ["steward 0", "steward 0", "steward 1"]


def test_who_presses_twice_is_told_what_the_first_has_done(
    page: Page, admin_user: User, groups: list[QueuedGroup], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(review, "merge", _late)
    log_in(page, admin_user)
    open_group(page, groups[0])
    posted: list[str] = []
    page.on("request", lambda one: posted.append(one.url) if one.method == "POST" else None)
    page.get_by_role("button", name="Merge and next").evaluate(TWICE)
    told = f"Merged 1 row into “{groups[0].text}”"
    expect(page.locator(".messagelist")).to_contain_text(told)
    assert len(posted) == 1
    page.locator(".messagelist .dedupe-undo button").evaluate(TWICE)
    expect(page.locator(".messagelist")).to_contain_text("Undone.")
    assert len(posted) == 2
    page.wait_for_load_state()
    page.keyboard.press("s")  # on a new page everything can be pressed again
    page.wait_for_url(f"**/{groups[1].pk}/")


TWICE = """button => {
    setTimeout(() => button.click(), 50);
    setTimeout(() => button.click(), 250);
}"""


def _late(*args: Any, **options: Any) -> MergeRun:
    """A merge that takes its time, so that there is some to press again."""
    sleep(1)
    return merge(*args, **options)


def test_who_goes_back_after_a_merge_is_told_of_it_and_can_take_it_back(
    page: Page, admin_user: User, groups: list[QueuedGroup]
) -> None:
    log_in(page, admin_user)
    open_group(page, groups[0])
    page.keyboard.press("m")
    page.wait_for_url(f"**/{groups[1].pk}/")
    page.go_back()
    expect(page.locator(".messagelist")).to_contain_text("has been merged already, by admin.")
    page.locator(".messagelist .dedupe-undo button").click()
    page.wait_for_url(f"**/{groups[0].pk}/")
    assert len(years(groups[0].text)) == 2


def test_who_looks_at_a_row_and_goes_back_sees_the_plan_of_their_choice(
    page: Page, admin_user: User, groups: list[QueuedGroup]
) -> None:
    log_in(page, admin_user)
    open_group(page, groups[0])
    press(page, "2")
    page.get_by_label("Reason").fill("seen on the row")
    page.locator(".dedupe-about a").first.click()
    page.wait_for_url("**/change/")
    page.go_back()
    # the browser presses the second again by itself; what the page says has to be about it
    expect(page.locator("input[name=into]").nth(1)).to_be_checked()
    second = Person.objects.filter(name=groups[0].text).order_by("pk")[1]
    expect(page.locator("th.dedupe-survivor")).to_contain_text(f"#{second.pk}")
    expect(page.get_by_label("Reason")).to_have_value("seen on the row")
    drawn_anew(page)
    page.keyboard.press("m")
    page.wait_for_url(f"**/{groups[1].pk}/")
    assert years(groups[0].text) == [1951]


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


def test_return_in_the_reason_leaves_out_no_row_and_keeps_the_reason(
    page: Page, admin_user: User, groups: list[QueuedGroup]
) -> None:
    Person.objects.create(name=groups[0].text)
    log_in(page, admin_user)
    open_group(page, groups[0])
    page.get_by_label("Reason").fill("three of one name")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.locator("input[name=into]").count() == 3
    assert page.get_by_label("Reason").input_value() == "three of one name"
    assert not DismissedGroup.objects.exists()
    assert len(years(groups[0].text)) == 3


def test_whoever_has_moved_on_is_not_called_back_when_the_page_is_drawn(
    page: Page, admin_user: User, groups: list[QueuedGroup]
) -> None:
    log_in(page, admin_user)
    open_group(page, groups[0])
    waiting: list[Route] = []
    page.route("**/queuedgroup/*/", lambda route: waiting.append(route))
    page.keyboard.press("2")
    reason = page.get_by_label("Reason")
    reason.press_sequentially("mother")
    reason.press("Home")
    waiting[0].continue_()
    drawn_anew(page)
    page.unroute("**/queuedgroup/*/")
    expect(reason).to_be_focused()
    page.keyboard.type("my ")
    assert reason.input_value() == "my mother"
    assert len(years(groups[0].text)) == 2, "no letter of it was taken for a key"


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


def test_a_steward_who_is_logged_out_comes_back_to_what_was_chosen(
    page: Page, live_server: LiveServer, groups: list[QueuedGroup]
) -> None:
    log_in(page, User.objects.create_superuser("steward", password="password"))
    for key in ("ArrowRight", "m"):  # one draws the page anew, the other merges
        open_group(page, groups[0])
        Session.objects.all().delete()
        if key == "m":
            page.locator("input[name=into]").nth(1).evaluate("radio => { radio.checked = true }")
        page.get_by_label("Reason").fill("mother & son")
        page.locator("h1").click()
        page.keyboard.press(key)
        page.get_by_label("Username").fill("steward")
        page.get_by_label("Password").fill("password")
        page.get_by_role("button", name="Log in").click()
        expect(page.locator(".messagelist")).to_contain_text("nothing was written")
        expect(page.locator("input[name=into]").nth(1)).to_be_checked()
        expect(page.get_by_label("Reason")).to_have_value("mother & son")
    assert not MergeRun.objects.exists()
    page.keyboard.press("m")
    page.wait_for_url(f"**/{groups[1].pk}/")
    assert years(groups[0].text) == [1951]


PLACES = """element => {
    const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    const text = texts.nextNode();
    const left = place => {
        const range = document.createRange();
        range.setStart(text, place);
        range.setEnd(text, place + 1);
        return range.getBoundingClientRect().left;
    };
    const written = text.data.trimEnd();
    return [left(0), left(written.length - 1)];
}"""
"""Where the first and the last letter of an element stand."""

AFTER_DAY = """element => {
    const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    const found = {};
    for (let text = texts.nextNode(); text; text = texts.nextNode()) {
        for (const { 0: part, index } of text.data.matchAll(/[0-9]{4}|·/g)) {
            const range = document.createRange();
            range.setStart(text, index);
            range.setEnd(text, index + 1);
            found[part === "·" ? "dot" : "year"] = range.getBoundingClientRect().left;
        }
    }
    return [found.year, found.dot];
}"""
"""Where a year, and the last dot between the facts of a row, stand."""


def test_a_page_from_right_to_left_writes_english_sentences_from_left_to_right(
    page: Page, admin_user: User, groups: list[QueuedGroup], settings: Any
) -> None:
    log_in(page, admin_user)
    settings.LANGUAGE_CODE = "ar"  # of which the desk knows nothing
    open_group(page, groups[0])
    assert page.locator("html").get_attribute("dir") == "rtl"
    for sentence in ("#dedupe-told", ".dedupe-equal summary", "#dedupe-rows", ".dedupe-about"):
        first, last = page.locator(sentence).first.evaluate(PLACES)
        assert first < last, sentence
    year, dot = page.locator(".dedupe-about").last.evaluate(AFTER_DAY)
    assert year < dot


def test_arrows_move_among_the_choices_for_rows_that_collide_and_scroll_the_rows(
    page: Page, admin_user: User, rivals: tuple[Person, Person]
) -> None:
    log_in(page, admin_user)
    page.goto(f"{REVIEW}?rows={rivals[0].pk}&rows={rivals[1].pk}")
    into = page.locator("input[name=into]:checked").get_attribute("value")
    chosen = page.locator("input[name='collision_films.PersonProfile.person']:checked")
    before = chosen.get_attribute("value")
    chosen.focus()
    with page.expect_response(lambda response: REVIEW in response.url):
        page.keyboard.press("ArrowRight")
    drawn_anew(page)
    assert chosen.get_attribute("value") != before
    page.locator(".dedupe-scroll").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".dedupe-scroll").first).to_be_focused()
    assert page.locator("input[name=into]:checked").get_attribute("value") == into


COVERED = """() => {
    const active = document.activeElement;
    const { left, top, width, height } = active.getBoundingClientRect();
    const found = document.elementFromPoint(left + Math.min(width / 2, 20), top + height / 2);
    const isBar = (one) => Boolean(one?.closest(".dedupe-decide"));
    return isBar(found) && !isBar(active) ? active.outerHTML : null;
}"""


@pytest.mark.parametrize("width", [360, 1280])
def test_the_bar_that_decides_covers_nothing_that_the_keyboard_comes_to(
    page: Page, admin_user: User, width: int
) -> None:
    for number in range(12):
        Person.objects.create(name="Georges Méliès", acting_since=1896 + number % 3)
    (group,) = scanned(match_key(Person, ["name"])).queued.all()
    page.set_viewport_size({"width": width, "height": 640})
    log_in(page, admin_user)
    open_group(page, group)
    covered = []
    for key in ("Tab", "Shift+Tab"):
        for _ in range(60):
            page.keyboard.press(key)
            covered.append(page.evaluate(COVERED))
    assert set(covered) == {None}


BURIED = """() => {
    const active = document.activeElement;
    const { left, top, width, height } = active.getBoundingClientRect();
    const found = document.elementFromPoint(left + Math.min(width / 2, 10), top + height / 2);
    return active === document.body || !found || active.contains(found) || found.contains(active)
        || found.closest("label")?.control === active ? null : active.outerHTML;
}"""


@pytest.mark.parametrize("address", ["queuedgroup/", "scan/"])
def test_nothing_of_the_queue_and_the_overview_is_covered_when_the_keyboard_comes_to_it(
    page: Page, admin_user: User, groups: list[QueuedGroup], address: str
) -> None:
    page.set_viewport_size({"width": 1280, "height": 500})
    log_in(page, admin_user)
    page.goto(f"/admin/dedupe_toolkit/{address}")
    buried = []
    for key in ("Tab", "Shift+Tab"):
        for _ in range(40):
            page.keyboard.press(key)
            buried.append(page.evaluate(BURIED))
    assert set(buried) == {None}


def test_the_space_bar_does_what_it_does_on_any_page(
    page: Page, admin_user: User, groups: list[QueuedGroup]
) -> None:
    log_in(page, admin_user)
    open_group(page, groups[0])
    summary = page.locator("#dedupe-keys summary")
    summary.focus()
    page.keyboard.press("Space")
    assert page.locator("#dedupe-keys").get_attribute("open") is not None
    page.locator("#dedupe-keys-on").focus()
    page.keyboard.press("Space")
    expect(page.locator("#dedupe-keys-on")).not_to_be_checked()
    page.keyboard.press("Space")
    expect(page.locator("#dedupe-keys-on")).to_be_checked()
    page.locator("input[name=into]").last.focus()
    press(page, "Space")
    expect(page.locator("input[name=into]").last).to_be_checked()
    expect(page.locator("input[name=into]").last).to_be_focused()
    assert len(years(groups[0].text)) == 2
