"""Long work as a page does it by itself: scans and merges slice after slice, in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dedupe_toolkit.admin import slices
from dedupe_toolkit.models import MergeRun, QueuedGroup, Scan, SelectedRow
from testproject.films.models import Person
from tests.admin.browser import let_in

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.test import Client
    from playwright.sync_api import Page, Request
    from pytest_django.live_server_helper import LiveServer

pytestmark = [
    pytest.mark.any_database,  # a page does the same, wherever its rows are
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]

OVERVIEW = "/admin/dedupe_toolkit/scan/"
GROUPS = 40


@pytest.fixture
def steward(
    page: Page,
    admin_user: User,
    monkeypatch: pytest.MonkeyPatch,
) -> Page:
    """A browser in front of the overview; every slice has one batch of ten groups."""
    monkeypatch.setattr(slices, "SECONDS", 0)
    monkeypatch.setattr(slices, "FIRST_BATCH", 10)
    Person.objects.bulk_create(
        Person(name=f"Person {number}") for number in range(GROUPS) for _ in range(2)
    )
    page.goto("/admin/login/")
    page.fill("#id_username", "admin")
    page.fill("#id_password", "password")
    page.click("[type=submit]")
    page.goto(OVERVIEW)
    return page


def test_twenty_thousand_rows_selected_across_all_pages_go_to_the_queue(
    page: Page, admin_client: Client, live_server: LiveServer
) -> None:
    Person.objects.bulk_create(Person(name=f"Person {number % 1_000}") for number in range(20_000))
    let_in(page, admin_client, live_server)
    page.goto("/admin/films/person/?q=Person")
    page.check("#action-toggle")
    page.click(".actions .question a")
    assert "20000" in page.inner_text(".actions .all").replace(",", "")
    page.select_option("[name=action]", "find_among_selected")
    with page.expect_request(lambda request: request.method == "POST") as posted:
        page.click(".actions button[type=submit]")
    assert len(posted.value.post_data or "") < 20_000, "the rows are not named one by one"
    page.wait_for_url("**/queuedgroup/?*")
    assert "1000 duplicate groups" in page.inner_text(".paginator").replace(",", "")
    assert SelectedRow.objects.count() == 20_000


def scan(steward: Page) -> None:
    steward.locator("input[value=Scan]").click()
    steward.wait_for_url(lambda url: url.endswith(OVERVIEW))


def merge_safe(steward: Page) -> None:
    steward.click("text=Merge the")
    steward.click("input[type=submit].default")
    steward.wait_for_url(lambda url: url.endswith(OVERVIEW))


def test_the_page_scans_and_merges_to_the_end_by_itself(steward: Page) -> None:
    asked: list[Request] = []

    def keep(request: Request) -> None:
        asked.append(request)

    steward.on("request", keep)
    scan(steward)
    assert f"{GROUPS} groups" in " ".join(steward.inner_text(".dedupe-counts").split())
    posted = [request.url for request in asked if request.method == "POST"]
    slices_of_scan = [url for url in posted if not url.endswith(OVERVIEW)]
    assert len(slices_of_scan) == GROUPS // 10
    merge_safe(steward)
    assert f"{GROUPS} groups merged, 0 held back" in steward.inner_text(".messagelist")
    assert Person.objects.count() == GROUPS


def test_a_merge_is_cancelled_between_batches_and_gone_on_with(steward: Page) -> None:
    scan(steward)
    steward.click("text=Merge the")
    waiting: list[object] = []

    def hold_the_second(route: object) -> None:
        """The first slice is answered; the next waits until Cancel has been pressed."""
        waiting.append(route)
        if len(waiting) == 2:
            steward.click("[name=cancel]", no_wait_after=True)
        route.continue_()  # type: ignore[attr-defined]  # a Route

    steward.route("**/merging/**", hold_the_second)
    steward.click("input[type=submit].default")
    steward.wait_for_url(lambda url: url.endswith(OVERVIEW))
    steward.unroute("**/merging/**")
    left = Person.objects.count() - GROUPS
    assert 0 < left < GROUPS
    assert QueuedGroup.objects.filter(state=QueuedGroup.State.PENDING, run=None).count() == left
    merge_safe(steward)
    assert Person.objects.count() == GROUPS
    assert MergeRun.objects.count() == 2


def test_a_page_that_loses_the_server_says_so_and_goes_on_when_asked(steward: Page) -> None:
    steward.route(
        "**/scan/*/",
        lambda route: route.abort() if route.request.method == "POST" else route.continue_(),
    )
    with steward.expect_event("requestfailed"):
        steward.locator("input[value=Scan]").click()
    steward.wait_for_selector("#dedupe-failed:visible")
    steward.unroute("**/scan/*/")
    steward.click("[name=slice]")
    steward.wait_for_url(lambda url: url.endswith(OVERVIEW))
    assert Scan.objects.get().status == Scan.Status.DONE
