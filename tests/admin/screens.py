"""Every screen of the desk in turn, as a steward comes by it: for pictures and for axe.

`walk` leads a browser from one to the next and yields the name of each while it is on show.
Nothing is found by its words, so that it walks in every language and under every theme.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dedupe_toolkit import match_key, register
from dedupe_toolkit.models import MergeRun, QueuedGroup, Scan
from dedupe_toolkit.queue.examining import examine, finish
from dedupe_toolkit.queue.queued import scanned_key
from dedupe_toolkit.queue.scanning import find_groups
from testproject.films.models import Award, Credit, Film, Genre, Person, PersonProfile, Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

DESK = "/admin/dedupe_toolkit"
OVERVIEW = f"{DESK}/scan/"
QUEUE = f"{DESK}/queuedgroup/"
SAFE = [
    "Alice Guy", "Anna Karina", "Barbara Loden", "Chantal Akerman", "Chris Marker",
    "Delphine Seyrig", "Eric Rohmer", "Forough Farrokhzad", "Jacques Tati", "Larisa Shepitko",
    "Maya Deren", "Nelly Kaplan", "Ousmane Sembène", "Safi Faye", "Yasujirō Ozu",
]  # fmt: skip


def walk(page: Page) -> Iterator[str]:
    """The screens, from a site that knows no key to one whose runs are looked at.

    The registry has to be empty when it begins, and so have the tables.
    """
    yield from _overviews(page)
    yield from _reviewing(page)
    yield from _merging(page)
    yield from _looking_back(page)


def _overviews(page: Page) -> Iterator[str]:
    page.goto(OVERVIEW)
    yield "overview-no-key"
    # no word on collisions: they hold a group back until a person has decided
    register(Person, keys=["name"])
    page.goto(OVERVIEW)
    yield "overview-never-scanned"
    _press(page, ".dedupe-actions form [type=submit]")
    page.wait_for_url(f"**{OVERVIEW}")
    yield "overview-clean"
    film_people()
    scan, key = Scan.objects.get(), match_key(Person, ["name"])
    key = scanned_key(scan, key, "default")
    find_groups(scan, key)
    examine(scan, key, 7)
    page.goto(f"{OVERVIEW}{scan.pk}/")
    yield "progress"
    while examine(scan, key, 100):
        pass
    finish(scan)
    page.goto(OVERVIEW)
    yield "overview"
    page.goto(f"{QUEUE}?scan={scan.pk}")
    yield "queue"


def _reviewing(page: Page) -> Iterator[str]:
    page.goto(_address("Jacques Demy"))
    yield "review-collisions"
    page.goto(_address("Georges Méliès"))
    yield "review-many"
    page.goto(_address("Agnès Varda"))
    yield "review"
    page.keyboard.press("?")
    yield "review-keys"
    _press(page, "[name=merge_next]")
    page.wait_for_load_state()
    yield "review-after-merge"
    people = Person.objects.filter(name="Alice Guy").values_list("pk", flat=True)
    rows = "&".join(f"rows={pk}" for pk in people)
    page.goto(f"{DESK}/mergerun/merge/films/person/?{rows}")
    yield "compare"


def _merging(page: Page) -> Iterator[str]:
    page.goto("/admin/films/film/")
    page.check("input[name=_selected_action] >> nth=0")
    page.check("input[name=_selected_action] >> nth=1")
    page.evaluate("""() => {
        const form = document.getElementById("changelist-form");
        form.querySelector("[name=action]").value = "find_among_selected";
        form.submit();
    }""")
    page.wait_for_url("**/key/")
    yield "choose-key"
    page.goto(f"{QUEUE}merge-safe/{Scan.objects.earliest('pk').pk}/")
    yield "merge-safe"
    _press(page, "#content [type=submit], .submit-row [type=submit]")
    page.wait_for_url(f"**{OVERVIEW}")
    yield "overview-after-merge"


def _looking_back(page: Page) -> Iterator[str]:
    run = MergeRun.objects.earliest("pk")
    page.goto(f"{DESK}/mergerun/")
    yield "runs"
    page.goto(f"{DESK}/mergerun/{run.pk}/change/")
    yield "run"
    page.goto(f"{DESK}/mergerun/{run.pk}/undo/")
    yield "undo"
    page.goto(f"{DESK}/rowchange/?run={run.pk}")
    yield "row-changes"
    page.goto(f"/admin/films/person/{Person.objects.get(name='Agnès Varda').pk}/change/")
    yield "change-page"
    page.goto(_address("Jacques Demy"))
    _press(page, "[name=dismiss]")
    page.goto(f"{DESK}/dismissedgroup/")
    yield "dismissed-groups"


def _address(name: str) -> str:
    return f"{QUEUE}{QueuedGroup.objects.get(text=name).pk}/"


def _press(page: Page, selector: str) -> None:
    page.locator(selector).first.click()


def film_people() -> None:
    """People as several importers left them: some alike, some different, two with rival rows."""
    films = [
        Film.objects.create(catalogue_id=number, title=title, year=year)
        for number, (title, year) in enumerate(
            [("La Pointe Courte", 1955), ("Cléo from 5 to 7", 1962), ("Lola", 1961)], start=1
        )
    ]
    Person.objects.bulk_create(Person(name=name) for name in SAFE for _ in range(2))
    _two_halves(films)
    _rivals(films)
    for number in range(12):
        Person.objects.create(name="Georges Méliès", acting_since=1896 + number % 3)


def _two_halves(films: list[Film]) -> None:
    """Agnès Varda: what is known of her is split between two rows."""
    first = Person.objects.create(name="Agnès Varda", acting_since=1954)
    second = Person.objects.create(
        name="Agnès Varda",
        biography="Photographer first, film maker ever after.",
        acting_since=1958,
    )
    first.genres.add(Genre.objects.create(name="Drama"))
    for film in films[:2]:
        Credit.objects.create(person=second, film=film, role=Role.DIRECTOR)
    Credit.objects.create(person=first, film=films[0], role=Role.DIRECTOR)
    Award.objects.create(person=second, film=films[1], text="Golden Lion")


def _rivals(films: list[Film]) -> None:
    """Jacques Demy: each of his rows has a profile, and there may be one for each person."""
    for number, (film, role) in enumerate([(films[2], Role.DIRECTOR), (films[1], Role.CAST)]):
        person = Person.objects.create(name="Jacques Demy", acting_since=1951 + 5 * number)
        PersonProfile.objects.create(person=person, known_for=film, known_as=role)
        Credit.objects.create(person=person, film=film, role=role)
