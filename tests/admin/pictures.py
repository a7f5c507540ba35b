"""Takes a picture of every screen: light, dark, as narrow as a telephone, and right to left.

``make screenshots`` runs this under each Django and each theme, in an environment of its own. It
is no test: its pictures are to be looked at. They go to the folder ``DEDUPE_PICTURES``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dedupe_toolkit import registry
from tests.admin.browser import let_in
from tests.admin.screens import walk

if TYPE_CHECKING:
    from django.test import Client
    from playwright.sync_api import Page
    from pytest_django.live_server_helper import LiveServer

pytestmark = pytest.mark.django_db(transaction=True)

FOLDER = Path(os.environ["DEDUPE_PICTURES"])
DOCUMENTED = {
    "merge-safe": "merge-safe",
    "overview": "overview",
    "queue": "queue",
    "review": "plan-page",
    "review-after-merge": "review-after-merge",
    "review-collisions": "review-collisions",
}
"""The screens of which the documentation has a picture, and its name there."""
BARE = """
#nav-sidebar, #toggle-nav-sidebar { display: none }
#main > .content { max-width: none !important }
"""
BEYOND = ".live-region { left: auto !important }"
"""AdminLTE, under django-jazzmin, hides it beyond the left edge: pictures would begin there. The
desk's own pages have it elsewhere; the theme's lists have not."""
WIDE, NARROW = 1280, 360
HEIGHT = "Math.max(...[...document.querySelectorAll('*')].map(one => one.scrollHeight))"

DARK = """on => {  // as the switches of the themes do it
    const root = document.documentElement;
    root.classList.toggle("dark", on);
    root.dataset.bsTheme = on ? "dark" : "light";
}"""


def take(page: Page, name: str, width: int = WIDE) -> None:
    page.set_viewport_size({"width": width, "height": 740})
    # high enough that the bar at the foot of the window covers nothing
    page.set_viewport_size({"width": width, "height": min(page.evaluate(HEIGHT), 4_000)})
    page.screenshot(path=FOLDER / f"{name}.png")
    page.set_viewport_size({"width": WIDE, "height": 740})


def take_for_the_documentation(page: Page, name: str) -> None:
    """Messages and content, without the frame of the admin."""
    page.add_style_tag(content=BARE)
    page.set_viewport_size({"width": WIDE, "height": min(page.evaluate(HEIGHT), 4_000)})
    frame, content = (
        page.locator(".content").bounding_box(),
        page.locator("#content").bounding_box(),
    )
    assert frame
    assert content
    frame["height"] = content["y"] + content["height"] - frame["y"]
    page.screenshot(path=FOLDER / "docs" / f"{name}.png", clip=frame)
    page.set_viewport_size({"width": WIDE, "height": 740})


def test_left_to_right(
    page: Page, admin_client: Client, live_server: LiveServer, monkeypatch: Any, settings: Any
) -> None:
    monkeypatch.setattr(registry, "_declarations", {})
    let_in(page, admin_client, live_server)
    for screen in walk(page):
        take(page, f"{screen}-light")
        page.emulate_media(color_scheme="dark")
        page.evaluate(DARK, True)
        take(page, f"{screen}-dark")
        page.emulate_media(color_scheme="light")
        page.evaluate(DARK, False)
        take(page, f"{screen}-360", NARROW)
        if screen in DOCUMENTED and not settings.THEME:
            take_for_the_documentation(page, DOCUMENTED[screen])


def test_right_to_left(
    page: Page, admin_client: Client, live_server: LiveServer, monkeypatch: Any, settings: Any
) -> None:
    settings.LANGUAGE_CODE = "ar"  # Django speaks it, and turns its pages round
    monkeypatch.setattr(registry, "_declarations", {})
    let_in(page, admin_client, live_server)
    for screen in walk(page):
        page.add_style_tag(content=BEYOND)
        take(page, f"{screen}-rtl")
