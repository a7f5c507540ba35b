"""People of the films who are duplicates."""

from __future__ import annotations

import pytest

from testproject.films.models import Award, Credit, Film, Person, PersonProfile, Role


@pytest.fixture
def people() -> tuple[Person, Person]:
    first = Person.objects.create(name="Agnès Varda", acting_since=1954)
    second = Person.objects.create(
        name="Agnès Varda", acting_since=1958, biography="Photographer first."
    )
    film = Film.objects.create(catalogue_id=1, title="Vagabond", year=1985)
    Credit.objects.create(person=second, film=film, role=Role.DIRECTOR)
    Award.objects.create(person=second, film=film, text="Golden Lion")
    return first, second


@pytest.fixture
def rivals(people: tuple[Person, Person]) -> tuple[Person, Person]:
    """The same, with a profile each: only one can stay, so they collide."""
    film = Film.objects.get()
    for person, known_as in zip(people, (Role.DIRECTOR, Role.WRITER), strict=True):
        PersonProfile.objects.create(person=person, known_for=film, known_as=known_as)
    return people
