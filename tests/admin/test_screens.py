"""Every screen of the desk: accessible, within a strict policy, with no request to anybody else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from dedupe_toolkit import registry
from tests.admin.browser import let_in
from tests.admin.screens import walk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.test import Client
    from playwright.sync_api import Page
    from pytest_django.live_server_helper import LiveServer

pytestmark = [
    pytest.mark.any_database,  # a page looks the same, whatever its rows were read from
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]

GRAVE = {"serious", "critical"}
LOOKED_AT = {
    "include": [["#content"]],
    # what Django's admin draws there by itself: search fields, select2, inlines
    "exclude": [["#searchbar"], [".related-widget-wrapper"], [".inline-group"]],
}


@pytest.fixture
def steward(
    page: Page, admin_client: Client, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> Page:
    monkeypatch.setattr(registry, "_declarations", {})
    let_in(page, admin_client, live_server)
    return page


def grave_findings(page: Page) -> Iterator[str]:
    """What axe finds on the page, but in what Django draws around and within it."""
    for found in Axe().run(page, LOOKED_AT, {"preload": False}).response["violations"]:
        if found["impact"] in GRAVE:
            for node in found["nodes"]:
                yield f"{found['id']}: {node['html'][:300]}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_screen(steward: Page, scheme: Any) -> None:
    steward.emulate_media(color_scheme=scheme)
    found = {screen: list(grave_findings(steward)) for screen in walk(steward)}
    assert len(found) > 15
    assert {screen: findings for screen, findings in found.items() if findings} == {}


def test_no_screen_breaks_the_policy_or_asks_another_server(
    steward: Page, live_server: LiveServer
) -> None:
    said: list[str] = []
    asked: list[str] = []
    steward.on("console", lambda message: said.append(f"{message.text} {message.location['url']}"))
    steward.on("pageerror", lambda error: said.append(str(error)))
    steward.on("request", lambda request: asked.append(request.url))
    for _ in walk(steward):
        pass
    assert [text for text in said if not text.endswith("/favicon.ico")] == []
    assert [url for url in asked if not url.startswith(live_server.url)] == []
