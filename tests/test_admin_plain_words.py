"""No page of the admin speaks of models, commands or keys as programs name them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.apps import apps

from dedupe_toolkit import MergePolicy, dismiss, match_key, merge, plan_merge, row_set
from dedupe_toolkit.models import MergeRun, QueuedGroup, RowChange, Scan
from testproject.films.models import Award, Credit, Film, Person, PersonProfile, Role
from tests.scan_kit import scanned

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db

JOURNAL = "/admin/dedupe_toolkit/"
REVIEW = f"{JOURNAL}mergerun/merge/films/person/"

LABELS = "|".join(app.label for app in apps.get_app_configs())
TECHNICAL = re.compile(rf"\b(?:{LABELS})\.[A-Za-z]\w+|(?<![\w-])--[a-z]\w*|primary key", re.I)
"""A model by its label, an option of a command, a key."""


def words_of(page: str) -> str:
    """What people read or hear of a page; the code that it shows to developers left out."""
    page = re.sub(r"<(script|style|pre|code)\b.*?</\1>", " ", page, flags=re.S)
    spoken = re.findall(r'(?:aria-label|title|placeholder|alt)="([^"]*)"', page)
    return " ".join([re.sub(r"<[^>]*>", " ", page), *spoken])


def person(number: int, film: Film, **values: Any) -> Person:
    found = Person.objects.create(name="Agnès Varda", **values)
    Credit.objects.create(person=found, film=film, role=Role.DIRECTOR)
    Award.objects.create(person=found, film=film, text=f"Lion {number}")
    PersonProfile.objects.create(person=found, known_for=film, known_as=list(Role)[number])
    return found


@pytest.fixture
def people() -> list[Person]:
    film = Film.objects.create(catalogue_id=1, title="Vagabond", year=1985)
    return [person(number, film, acting_since=1950 + number) for number in range(2)]


@pytest.fixture
def addresses(people: list[Person]) -> list[str]:
    """Every kind of page that there is, with something on it."""
    key = match_key(Person, ["name"])
    scan = scanned(key)
    held = merge(plan_merge(key, policy=MergePolicy(on_collision="hold")))
    film = Film.objects.get()
    others = [person(number, film, biography="Photographer") for number in range(2)]
    run = merge(plan_merge(row_set(Person, [one.pk for one in others])))
    dismiss(row_set(Person, [others[0].pk, people[0].pk]), by="Ann", note="Two people")
    group = QueuedGroup.objects.get(scan=scan)
    change = RowChange.objects.first()
    assert held.groups_held_back == 1
    assert change is not None
    rows = "&".join(f"rows={one.pk}" for one in people)
    return [
        f"{JOURNAL}scan/",
        f"{JOURNAL}queuedgroup/",
        f"{JOURNAL}queuedgroup/?scan={scan.pk}",
        f"{JOURNAL}queuedgroup/{group.pk}/",
        *(f"{REVIEW}?{rows}&on_collision={rule}" for rule in ("", "hold", "merge", "discard")),
        f"{JOURNAL}mergerun/",
        *(f"{JOURNAL}mergerun/{number}/change/" for number in (run.pk, held.pk)),
        f"{JOURNAL}mergerun/{run.pk}/undo/",
        f"{JOURNAL}rowchange/",
        f"{JOURNAL}rowchange/?run={run.pk}",
        f"{JOURNAL}rowchange/{change.pk}/change/",
        f"{JOURNAL}dismissedgroup/",
        f"/admin/films/person/{others[0].pk}/change/",
        "/admin/",
        JOURNAL,
    ]


@pytest.mark.parametrize("language", ["en", "de"])
def test_no_page_speaks_of_what_only_programs_call_so(
    admin_client: Client, addresses: list[str], language: str, settings: Any
) -> None:
    settings.LANGUAGE_CODE = language
    assert Scan.objects.exists()
    assert MergeRun.objects.count() == 2
    found = {}
    for address in addresses:
        page = admin_client.get(address, follow=True)
        assert page.status_code == 200, address
        technical = TECHNICAL.findall(words_of(page.content.decode()))
        if technical:
            found[address] = technical
    assert found == {}
