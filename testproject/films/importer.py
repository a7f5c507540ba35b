"""Imports films with plain ``get_or_create``, as thousands of projects do.

Nothing here is wrong for one process. With several, looking a person up by a name that no
constraint keeps unique is a race, and every process that loses it leaves one more row.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from typing import TYPE_CHECKING, TypeVar

from testproject.films.catalogue import FilmRecord, read_catalogue
from testproject.films.models import (
    Award,
    Country,
    Credit,
    Film,
    Genre,
    Label,
    Language,
    Note,
    Person,
    PersonProfile,
    Role,
)

if TYPE_CHECKING:
    from dedupe_toolkit.prove.processes import Turn

logger = logging.getLogger(__name__)
REDELIVERED = 3
"""Every so many films, one reaches all importers instead of one of them."""

AnyLabel = TypeVar("AnyLabel", bound=Label)


def import_films(turn: Turn, limit: int | None) -> Counter[str]:
    """Import this process's films of the catalogue; count what happened.

    The films are handed out as by a queue that delivers at least once: most reach one process,
    some reach all of them at the same moment. Credits that are there already are left out.
    """
    importer = FilmImporter()
    started = time.perf_counter()
    for number, record in enumerate(read_catalogue(limit)):
        if number % REDELIVERED == 0:
            film = importer.import_film(record)
            turn.wait()
            importer.import_credits(film, record)
        elif number % turn.processes == turn.number:
            importer.import_credits(importer.import_film(record), record)
    importer.tally["milliseconds"] = round(1000 * (time.perf_counter() - started))
    return importer.tally


def credits_of(record: FilmRecord) -> list[tuple[str, Role]]:
    """Everybody the catalogue names in a film, with the part they had in it."""
    columns = [
        (Role.DIRECTOR, record.directors),
        (Role.WRITER, record.writers),
        (Role.CAST, record.actors),
    ]
    return [(name, role) for role, names in columns for name in names]


class FilmImporter:
    """One importer: it remembers the people it has met, to ask the database less often."""

    def __init__(self) -> None:
        self.tally: Counter[str] = Counter()
        self.people: dict[str, Person] = {}

    def import_film(self, record: FilmRecord) -> Film:
        """Get or create the film: safe, because its catalogue number is unique."""
        film, is_new = Film.objects.get_or_create(
            catalogue_id=record.catalogue_id,
            defaults={"title": record.title, "year": record.year},
        )
        if is_new:
            _describe(film, record)
        return film

    def import_credits(self, film: Film, record: FilmRecord) -> None:
        """Credit everybody the film names and nobody has credited yet."""
        for name, role in credits_of(record):
            if not film.credits.filter(person__name=name, role=role).exists():
                self._import_credit(film, record, name, role)

    def _import_credit(self, film: Film, record: FilmRecord, name: str, role: Role) -> None:
        if name not in self.people:
            self.people[name] = self._get_or_create_person(film, record, name, role)
        person = self.people[name]
        _, is_new = Credit.objects.get_or_create(person=person, film=film, role=role)
        if is_new and role != Role.CAST:
            _award(person, film, record)

    def _get_or_create_person(
        self, film: Film, record: FilmRecord, name: str, role: Role
    ) -> Person:
        self.tally["calls"] += 1
        try:
            person, is_new = Person.objects.get_or_create(
                name=name, defaults=_first_facts(film, role)
            )
        except Person.MultipleObjectsReturned:
            self.tally["multiple"] += 1
            logger.info("More than one person is called %r; took the first.", name)
            return Person.objects.filter(name=name).earliest("pk")
        if is_new:
            _introduce(person, film, record, role)
        return person


def _first_facts(film: Film, role: Role) -> dict[str, str | int]:
    """What the first credit tells about a person: something else for every role."""
    if role == Role.DIRECTOR:
        return {"biography": f"Directed {film}."}
    if role == Role.CAST and film.year:
        return {"acting_since": film.year}
    return {}


def _introduce(person: Person, film: Film, record: FilmRecord, role: Role) -> None:
    PersonProfile.objects.create(person=person, known_for=film, known_as=role)
    _remember_discoverer(person, record)
    if role != Role.CAST:
        Note.objects.create(subject=person, text=f"First seen as {role} of {film}.")
        person.genres.add(*film.genres.all())


def _remember_discoverer(person: Person, record: FilmRecord) -> None:
    """Whoever directed somebody's first film discovered them; nobody discovers themselves."""
    directors = Person.objects.filter(name__in=record.directors[:1]).exclude(pk=person.pk)
    if director := directors.order_by("pk").last():
        Person.objects.filter(pk=person.pk).update(discovered_by=director)


def _award(person: Person, film: Film, record: FilmRecord) -> None:
    """List a film's awards with a person; next to an Oscar won, nominations are hidden."""
    has_won = any(text.startswith("Won") for text in record.awards)
    for text in record.awards:
        is_removed = has_won and text.startswith("Nominated")
        Award.objects.create(person=person, film=film, text=text, is_removed=is_removed)


def _describe(film: Film, record: FilmRecord) -> None:
    film.genres.add(*_labels(Genre, record.genres))
    film.countries.add(*_labels(Country, record.countries))
    film.languages.add(*_labels(Language, record.languages))
    originals = Film.objects.filter(title=film.title, year__lt=film.year or 0)
    if original := originals.order_by("year").first():
        Film.objects.filter(pk=film.pk).update(remake_of=original)


def _labels(model: type[AnyLabel], names: tuple[str, ...]) -> list[AnyLabel]:
    return [model._default_manager.get_or_create(name=name)[0] for name in names]
