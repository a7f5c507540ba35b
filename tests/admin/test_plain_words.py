"""No page of the admin speaks of models, commands or keys as programs name them."""

from __future__ import annotations

import re
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pytest
from django.apps import apps

from dedupe_toolkit import MergePolicy, dismiss, match_key, merge, plan_merge, row_set, undo
from dedupe_toolkit.databases import database
from dedupe_toolkit.errors import InvalidOption, UndoRefused
from dedupe_toolkit.models import MergeRun, QueuedGroup, RowChange, Scan
from testproject.films.models import Award, Credit, Film, Note, Person, PersonProfile, Role
from tests.admin.kit import text_of
from tests.queue.scanning import scanned

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


def undo_page(client: Client, run: MergeRun) -> str:
    page = client.get(f"{JOURNAL}mergerun/{run.pk}/undo/", follow=True)
    return text_of(page)


@pytest.fixture
def in_the_way() -> MergeRun:
    """A run with everything in the way of its undo that people can cause."""
    film = Film.objects.create(catalogue_id=1, title="Vagabond", year=1985)
    people = [person(0, film), Person.objects.create(name="Agnès Varda", biography="Filmed.")]
    note = Note.objects.create(subject=people[1], text="Look again")
    award = Award.objects.create(person=people[1], film=film, text="Lion")
    run = merge(plan_merge(row_set(Person, [one.pk for one in people])))
    Person.objects.filter(pk=people[0].pk).update(biography="Painted.")
    Person.objects.create(pk=people[1].pk, name="Somebody else")
    Note.objects.filter(pk=note.pk).delete()
    Award.objects.filter(pk=award.pk).update(person=Person.objects.create(name="Another"))
    return run


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", ["People: #{} is there again.", "has been changed since (biography).", "Notes: #"]),
        ("de", ["People: Nr. {} ist wieder da.", "seither geändert (biography).", "Notes: Nr."]),
        (
            "fr",
            ["People : le nº {} est de nouveau", "modifié depuis (biography).", "Notes : le nº"],
        ),
    ],
)
def test_what_is_in_the_way_of_an_undo_is_told_in_words_for_people(
    admin_client: Client, in_the_way: MergeRun, language: str, told: list[str], settings: Any
) -> None:
    settings.LANGUAGE_CODE = language
    gone = Person.objects.get(name="Somebody else").pk
    page = undo_page(admin_client, in_the_way)
    for sentence in told:
        assert sentence.format(gone) in page
    assert TECHNICAL.findall(page) == []
    with pytest.raises(UndoRefused, match=rf"films.Person {gone} is there again"):
        undo(in_the_way)


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "Others are merging People just now. Wait a moment, then try again."),
        ("de", "People werden gerade von anderen zusammengeführt."),
        ("fr", "sont en train d"),
    ],
)
def test_an_undo_beside_a_merge_is_refused_in_words_for_people(
    admin_client: Client,
    people: list[Person],
    language: str,
    told: str,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = merge(plan_merge(row_set(Person, [one.pk for one in people])))
    settings.LANGUAGE_CODE = language
    monkeypatch.setattr(
        type(database("default")), "run_lock", lambda self, label: nullcontext(False)
    )
    assert told in undo_page(admin_client, run)


def test_what_only_programmers_can_mend_is_passed_on_as_it_is(
    admin_client: Client, people: list[Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*arguments: object, **options: object) -> None:
        raise InvalidOption("field rule <b>: films.Person has no field")

    monkeypatch.setattr("dedupe_toolkit.admin.review.preview_merge", refused)
    rows = "&".join(f"rows={one.pk}" for one in people)
    page = admin_client.get(f"{REVIEW}?{rows}", follow=True).content.decode()
    assert "Whoever looks after this site will know what this says:" in page
    assert "<code>field rule &lt;b&gt;: films.Person has no field</code>" in page
    assert TECHNICAL.findall(words_of(page)) == []
