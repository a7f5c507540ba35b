"""What the review page of a queued group asks, on each database, and what it goes by meanwhile."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from dedupe_toolkit import match_key
from dedupe_toolkit.admin import display
from dedupe_toolkit.admin.page import PER_PAGE
from dedupe_toolkit.databases import caching
from dedupe_toolkit.databases.places import place_of
from dedupe_toolkit.errors import DedupeError
from dedupe_toolkit.models import MergeRun, QueuedGroup, Scan
from dedupe_toolkit.queue.scanning import find_groups
from testproject.films.models import Award, Credit, Film, Person, PersonProfile, Role
from tests.admin.kit import (
    ALL_RIGHTS,
    QUEUE,
    client_of,
    fields_of,
    people_called,
    scan,
    steward,
    text_of,
)
from tests.kit import snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.test import Client

pytestmark = pytest.mark.django_db

MOST = 15
"""Queries of a page, whatever the database: those of a user without all rights."""
KEPT = 10
"""Beside them, those of the first page that a process shows, which asks what the database is made
of, and keeps what it was told: that is asked once in some minutes, whatever the page."""
BELOW = 45
"""For each table of which rows collide and are merged as well: that is planned in full."""


@pytest.fixture
def desk(admin_client: Client) -> tuple[Client, str]:
    """A steward with no more than the rights it takes, and the page of a queued group."""
    people_called(*["Agnès Varda", "Jacques Demy", "Alain Resnais"] * 2)
    scan(admin_client)
    caching.forget()
    ContentType.objects.clear_cache()
    rights = (*ALL_RIGHTS, "change_personprofile", "delete_personprofile")
    return client_of(steward(*rights)), page_of("Agnès Varda")


def page_of(name: str) -> str:
    row = Person.objects.filter(name=name).earliest("pk").pk
    return f"{QUEUE}{QueuedGroup.objects.get(row=row).pk}/"


def collide(name: str) -> None:
    """Give each person of that name a profile of their own."""
    film = Film.objects.create(catalogue_id=1, title="Cléo de 5 à 7", year=1962)
    roles = (Role.DIRECTOR, Role.CAST)
    for person, role in zip(Person.objects.filter(name=name), roles, strict=True):
        PersonProfile.objects.create(person=person, known_for=film, known_as=role)


def own_queries_of_the_first(client: Client, page: str, choice: str = "") -> int:
    """Those of the first page of a process, without what it keeps for all others."""
    caching.forget()
    queries = queries_of(client, page, choice)
    kept = len(caching._memory.answers)
    assert 0 < kept <= KEPT, kept
    return len(queries) - kept


def queries_of(client: Client, page: str, choice: str = "") -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(page, {"on_collision": choice} if choice else {}).status_code == 200
    return [query["sql"] for query in captured]


def test_a_page_takes_fifteen_queries_at_most(desk: tuple[Client, str]) -> None:
    client, page = desk
    assert own_queries_of_the_first(client, page) <= MOST
    queries = queries_of(client, page)
    assert len(queries) <= MOST, "\n".join(queries)


@pytest.mark.parametrize("choice", ["hold", "discard"])
def test_a_page_with_rows_that_collide_takes_fifteen_queries_at_most(
    desk: tuple[Client, str], choice: str
) -> None:
    client, page = desk
    collide("Agnès Varda")
    assert own_queries_of_the_first(client, page, choice) <= MOST
    queries = queries_of(client, page, choice)
    assert len(queries) <= MOST, "\n".join(queries)


def test_a_page_on_which_more_is_merged_takes_a_fixed_number_of_queries(
    desk: tuple[Client, str],
) -> None:
    client, page = desk
    collide("Agnès Varda")
    queries_of(client, page)
    assert len(queries_of(client, page)) <= BELOW
    people = list(Person.objects.filter(name="Agnès Varda"))
    for number in range(3):
        film = Film.objects.create(catalogue_id=10 + number, title="Vagabond", year=1985)
        for person in people:
            Credit.objects.create(person=person, film=film, role=Role.CAST)
            Award.objects.create(person=person, film=film, text="Lion")
    people[0].discovered_by = people[1]
    people[0].save()
    queries = queries_of(client, page)
    assert len(queries) <= 2 * BELOW, "\n".join(queries)


@pytest.mark.parametrize("choice", ["", "discard"])
def test_a_page_takes_as_many_queries_among_a_hundred_thousand_rows(
    desk: tuple[Client, str], choice: str
) -> None:
    client, page = desk
    collide("Agnès Varda")
    queries_of(client, page, choice)
    few = len(queries_of(client, page, choice))
    rows = (Person(name=f"Person {number % 50_000}") for number in range(100_000))
    Person.objects.bulk_create(rows, batch_size=5_000)
    known = Scan.objects.get()
    find_groups(known, match_key(Person, ["name"]))
    assert known.groups == 50_003
    page = page_of("Agnès Varda")
    assert len(queries_of(client, page, choice)) == few


def test_nine_times_as_many_rows_are_at_most_nine_times_the_work(desk: tuple[Client, str]) -> None:
    client, page = desk
    called = [0]

    def count(_frame: Any, event: str, _argument: Any) -> None:
        called[0] += event == "call"

    worked = []
    for number in (98, 800):
        rows = (Person(name="Agnès Varda", acting_since=number) for _ in range(number))
        Person.objects.bulk_create(rows)
        client.get(page)
        called[0] = 0
        sys.setprofile(count)
        try:
            assert client.get(page).status_code == 200
        finally:
            sys.setprofile(None)
        worked.append(called[0])
    few, many = worked  # of 100 and of 900 rows
    assert many < 9 * few


def test_of_a_large_group_no_more_values_are_written_than_stand_on_the_page(
    desk: tuple[Client, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, page = desk
    Person.objects.bulk_create(
        Person(name="Agnès Varda", acting_since=number) for number in range(1, 901)
    )
    written: Counter[str] = Counter()
    write = display.shown_cell

    def counting(field: Any, *args: Any) -> str:
        written[field.name] += 1
        return write(field, *args)

    monkeypatch.setattr(display, "shown_cell", counting)
    told = text_of(client.get(page, {"page": 7}))
    assert "902 people become one" in told
    assert "350 / 902" in told
    # beside the fifty rows the one that stays, and the one that a value comes from
    assert max(written.values()) <= PER_PAGE + 2


# -- what it goes by ------------------------------------------------------------------------------


@pytest.fixture
def ruled(transactional_db: None) -> Iterator[list[str]]:
    """Statements that a test has to take back: some databases commit what they make."""
    undo: list[str] = []
    yield undo
    with connection.cursor() as cursor:
        for statement in undo:
            cursor.execute(statement)


def rule(ruled: list[str]) -> None:
    """A unique rule of which no model knows: a person has one award of a kind."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE UNIQUE INDEX one_award ON films_award (is_removed, person_id)")
    ruled.append("DROP INDEX one_award" + " ON films_award" * (connection.vendor == "mysql"))


def awarded(name: str) -> None:
    film = Film.objects.create(catalogue_id=1, title="Cléo de 5 à 7", year=1962)
    for person, text in zip(people_called(name, name), ("Lion", "Bear"), strict=True):
        Award.objects.create(person=person, film=film, text=text)


def test_what_a_page_goes_by_is_asked_anew_to_merge_and_after_it_was_found_to_be_old(
    ruled: list[str], admin_client: Client
) -> None:
    awarded("Agnès Varda")
    scan(admin_client)
    page = page_of("Agnès Varda")
    shown = admin_client.get(page)
    assert "1 award moves" in text_of(shown)
    rule(ruled)
    still = admin_client.get(page)
    assert "1 award moves" in text_of(still)
    before = snapshot()
    told = admin_client.post(page, {**fields_of(still), "merge": "Merge"})
    assert "this is not what you were shown" in text_of(told)
    assert "cannot both belong to the row that stays" in text_of(told)
    assert snapshot() == before
    assert not MergeRun.objects.exists()
    assert "cannot both belong to the row that stays" in text_of(admin_client.get(page))


def test_a_page_asks_anew_after_some_minutes(
    ruled: list[str], admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    awarded("Agnès Varda")
    scan(admin_client)
    page = page_of("Agnès Varda")
    admin_client.get(page)
    rule(ruled)
    monkeypatch.setattr(caching, "RECALLED_SECONDS", 0)
    assert "cannot both belong to the row that stays" in text_of(admin_client.get(page))


@pytest.mark.parametrize("error", [DatabaseError("a table is gone"), DedupeError("no table")])
def test_after_an_error_the_catalogue_is_asked_anew(db: None, error: Exception) -> None:
    with caching.recalling():
        place_of(Award, "default")
    with CaptureQueriesContext(connection) as queries, caching.recalling():
        place_of(Award, "default")
    assert not queries
    with pytest.raises(type(error)), caching.recalling():
        raise error
    with CaptureQueriesContext(connection) as queries, caching.recalling():
        place_of(Award, "default")
    assert len(queries) == 1
