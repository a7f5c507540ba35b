"""A headless Chromium in front of the live server, for everything that needs a real browser."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from django.conf import settings
from django.db import connections
from playwright.sync_api import expect, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.auth.models import User
    from django.test import Client
    from playwright.sync_api import Browser, Page
    from pytest_django.live_server_helper import LiveServer

CHROMIUM = next(filter(None, map(shutil.which, ["chromium", "chromium-browser"])), None)
WAIT = 60_000
"""Only a page that never comes may fail a test, not a machine that is busy. Milliseconds."""
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    if CHROMIUM is None:
        if os.environ.get("DEDUPE_REQUIRE_BROWSER") == "1":
            pytest.fail("no Chromium on PATH, and DEDUPE_REQUIRE_BROWSER is 1")
        pytest.skip("no Chromium on PATH: install Debian's chromium to run the browser tests")
    # Playwright keeps an event loop in this thread, in which Django refuses to use the database.
    # Nothing here runs concurrently, and the loop ends with the test.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        expect.set_options(timeout=WAIT)
        yield browser
        # inside the loop Django has given this thread connections that nobody else closes
        connections.close_all()
        browser.close()


@pytest.fixture
def page(browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    with window(browser, live_server) as page:
        yield page


@contextmanager
def window(browser: Browser, server: LiveServer) -> Iterator[Page]:
    """A window of a browser of its own: with cookies that no other window has."""
    context = browser.new_context(
        base_url=server.url, viewport={"width": 1280, "height": 800}, locale="en-GB"
    )
    context.set_default_timeout(WAIT)
    yield context.new_page()
    context.close()


def log_in(page: Page, user: User) -> None:
    """Log in with the form, as people do."""
    page.goto("/admin/")
    page.get_by_label("Username").fill(user.get_username())
    page.get_by_label("Password").fill("password")
    page.get_by_role("button", name="Log in").click()


def drawn_anew(page: Page) -> None:
    """Wait until the review page has drawn the answer to a choice.

    A locator waits, not a text that the page would evaluate: the page's policy refuses those.
    """
    expect(page.locator("#dedupe-form[aria-busy]")).to_have_count(0)


def let_in(page: Page, client: Client, server: LiveServer) -> None:
    """The window goes on with the client's session, whatever the form looks like."""
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": server.url}])
