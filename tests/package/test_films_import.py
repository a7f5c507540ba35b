"""The film import: what it takes from the catalogue, and what several at once make of it."""

from __future__ import annotations

import json
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from django.core.management import call_command

from testproject.films.catalogue import read_catalogue
from testproject.films.counts import film_counts
from testproject.films.importer import FilmImporter, credits_of
from testproject.films.models import Award, Film, Note, Person, Role
from tests.prove.races import unique

if TYPE_CHECKING:
    from collections.abc import Iterable

    from testproject.films.catalogue import FilmRecord

FILMS = 12


def different_credits(records: Iterable[FilmRecord]) -> int:
    return sum(len(set(credits_of(record))) for record in records)


@pytest.fixture(scope="module")
def catalogue():
    return read_catalogue()


def import_films(*, processes: int) -> StringIO:
    out = StringIO()
    call_command("import_films", processes=processes, limit=FILMS, stdout=out)
    return out


def import_alone(records: Iterable[FilmRecord]) -> FilmImporter:
    importer = FilmImporter()
    for record in records:
        importer.import_credits(importer.import_film(record), record)
    return importer


def test_the_catalogue_has_its_films_in_a_fixed_order(catalogue):
    assert len(catalogue) == 17_472
    assert catalogue[0].directors == ("Woody Allen",)
    assert read_catalogue(FILMS) == catalogue[:FILMS]


def test_names_are_split_at_commas_and_left_as_they_are(catalogue):
    names = {name for record in catalogue for name, _ in credits_of(record)}

    assert {"Jr.", "Carroll O'Connor", "Joe Nunez", "Joe Nuñez", "MAX", "Max"} <= names
    assert any("  " in name for name in names)
    assert any(not record.actors for record in catalogue)
    assert "" not in names


@pytest.mark.django_db
def test_one_importer_leaves_no_duplicates(catalogue):
    importer = import_alone(catalogue[:FILMS])

    counts = film_counts()
    assert counts["films"] == FILMS
    assert counts["duplicate people"] == 0
    assert counts["credits"] == different_credits(catalogue[:FILMS])
    assert counts["profiles"] == counts["people"]
    assert importer.tally["multiple"] == 0


@pytest.mark.django_db
def test_importing_again_changes_nothing(catalogue):
    import_alone(catalogue[:FILMS])
    before = film_counts()

    import_alone(catalogue[:FILMS])
    assert film_counts() == before


@pytest.mark.django_db
def test_an_importer_that_meets_two_people_of_one_name_takes_the_first(catalogue):
    first = Person.objects.create(name="Woody Allen")
    Person.objects.create(name="Woody Allen")

    importer = import_alone(catalogue[:1])
    assert importer.tally["multiple"] == 1
    roles = {credit.role for credit in first.credits.all()}
    assert {Role.DIRECTOR, Role.WRITER} <= roles


@pytest.mark.django_db
def test_every_kind_of_reference_is_imported(catalogue):
    winners = [record for record in catalogue if len(record.awards) > 1]
    import_alone(winners[:2])

    counts = film_counts()
    assert all(counts[kind] for kind in counts if kind != "duplicate people")
    assert Award.all_objects.count() > Award.objects.count() > 0
    assert {type(note.subject) for note in Note.objects.all()} == {Person}
    film = Film.objects.earliest("catalogue_id")
    assert film.genres.exists()
    assert film.countries.exists()
    assert film.languages.exists()


@pytest.mark.django_db
def test_a_film_of_an_older_title_is_its_remake(catalogue):
    films = [record for record in catalogue if record.title == "3:10 to Yuma"]
    import_alone(sorted(films, key=lambda record: record.year))

    remake = Film.objects.get(year=2007)
    assert remake.remake_of == Film.objects.get(year=1957)


@pytest.mark.django_db(transaction=True)
def test_importers_at_work_together_leave_duplicates_without_the_constraint():
    for _ in range(5):
        Award.all_objects.all().delete()
        Person.objects.all().delete()
        import_films(processes=3)
        if film_counts()["duplicate people"]:
            break

    assert film_counts()["duplicate people"] > 0
    assert film_counts()["films"] == FILMS


@pytest.mark.django_db(transaction=True)
def test_importers_at_work_together_leave_none_with_it(catalogue):
    with unique(Person, "name"):
        out = import_films(processes=3)

    counts = film_counts()
    assert counts["duplicate people"] == 0
    assert counts["credits"] == different_credits(catalogue[:FILMS])
    assert f"{'MultipleObjectsReturned:':<44}{0:>8}\n" in out.getvalue()


@pytest.mark.django_db(transaction=True)
def test_the_command_also_writes_its_numbers_as_json(tmp_path):
    report = tmp_path / "report.json"
    call_command("import_films", processes=1, limit=2, report=report, stdout=StringIO())

    numbers = json.loads(report.read_text())
    assert numbers["processes"] == 1
    assert numbers["films"] == 2
    assert numbers["duplicate people"] == 0
