"""A fast steward at the desk: 200 groups of the films data, decided with the keyboard alone.

``make steward`` runs this in headless Chromium and prints the seconds of each decision: from the
key that decides to the next group on the screen, choices and redrawn pages included. It is a
measurement, and nothing fails for being slow. `COUNT` and `DATABASE_URL` choose how many groups
and which database.
"""

from __future__ import annotations

import os
import random
from collections import defaultdict
from statistics import median, quantiles
from time import perf_counter
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.db.models import Count

from dedupe_toolkit import match_key
from dedupe_toolkit.models import OPEN_STATES, QueuedGroup
from testproject.films.catalogue import read_catalogue
from testproject.films.importer import FilmImporter
from testproject.films.models import Credit, Person, PersonProfile
from tests.admin.browser import browser, drawn_anew, let_in, page
from tests.queue.scanning import scanned

if TYPE_CHECKING:
    from django.test import Client
    from playwright.sync_api import Page
    from pytest_django.live_server_helper import LiveServer

__all__ = ["browser", "page"]

pytestmark = pytest.mark.browser

COUNT = int(os.environ.get("COUNT", "200"))
FILMS = 300


def test_a_fast_steward(
    page: Page,
    admin_client: Client,
    live_server: LiveServer,
    transactional_db: None,
    capsys: Any,
) -> None:
    _import_people_twice()
    groups = scanned(match_key(Person, ["name"])).queued.order_by("pk")
    let_in(page, admin_client, live_server)
    page.goto(f"/admin/dedupe_toolkit/queuedgroup/{groups[0].pk}/")
    taken = _work(page)
    assert not QueuedGroup.objects.filter(state__in=OPEN_STATES).exclude(state="skipped").exists()
    with capsys.disabled():
        _report(taken)


def _import_people_twice() -> None:
    """The people of the first films; of each that is in several, what is known is split in two."""
    importer = FilmImporter()
    for record in read_catalogue(FILMS):
        importer.import_credits(importer.import_film(record), record)
    known = Person.objects.annotate(parts=Count("credits")).filter(parts__gt=1)
    for person in known.order_by("-parts", "pk")[:COUNT]:
        twin = Person.objects.create(
            name=person.name, acting_since=(person.acting_since or 1950) + 1, biography="Seen twice"
        )
        other = list(person.credits.order_by("pk"))[1::2]
        PersonProfile.objects.create(person=twin, known_for=other[0].film, known_as="writer")
        Credit.objects.filter(pk__in=[credit.pk for credit in other]).update(person=twin)


def _work(page: Page) -> dict[str, list[float]]:
    """Decide group after group, most of them as a look suggests, some after a change of mind."""
    dice = random.Random(7)  # noqa: S311  # the same decisions in every run
    taken = defaultdict(list)
    for _ in range(COUNT):
        chance = dice.random()
        began = perf_counter()
        choices = ["2"] if chance < 0.3 else ["j", "ArrowRight"] if chance < 0.5 else []
        for key in choices:
            _choose(page, key)
        verdict = "n" if chance > 0.9 else "s" if chance > 0.85 else "m"
        before = page.url
        page.keyboard.press(verdict)
        page.wait_for_url(lambda url, before=before: url != before)
        taken[" ".join([*choices, verdict])].append(perf_counter() - began)
    return taken


def _choose(page: Page, key: str) -> None:
    """Press a key of the review page; wait until it is drawn anew, where the key chooses."""
    if key == "j":
        page.keyboard.press(key)
        return
    with page.expect_response(lambda response: "queuedgroup" in response.url):
        page.keyboard.press(key)
    drawn_anew(page)


def _report(taken: dict[str, list[float]]) -> None:
    seconds = [second for kind in taken.values() for second in kind]
    print(f"\n{len(seconds)} groups decided on {connection.display_name} in {sum(seconds):.0f} s")
    print(f"{'keys':<16}{'decisions':>10}{'median s':>10}{'90 % s':>10}{'slowest s':>10}")
    for keys, kind in [*sorted(taken.items()), ("all", seconds)]:
        nine = quantiles(kind, n=10)[-1] if len(kind) > 1 else kind[0]
        print(f"{keys:<16}{len(kind):>10}{median(kind):>10.2f}{nine:>10.2f}{max(kind):>10.2f}")
