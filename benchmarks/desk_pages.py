"""The pages of the desk: their queries, and the seconds that they take, as tables grow.

``make desk-pages`` prints them for a steward with no more rights than it takes. It is a
measurement, and nothing fails for being slow: the least of some repeats counts, for the machine may
have other things to do. `SIZES` and `DATABASE_URL` choose how many rows and which database.
"""

from __future__ import annotations

import os
from time import perf_counter
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dedupe_toolkit import match_key, merge, plan_merge, row_set
from dedupe_toolkit.models import QueuedGroup
from testproject.films.models import Award, Film, Person, PersonProfile, Role
from tests.admin.kit import ALL_RIGHTS, client_of, steward
from tests.queue.scanning import scanned

if TYPE_CHECKING:
    from django.test import Client

# a scan commits after each part; in one transaction PostgreSQL would run out of locks
pytestmark = pytest.mark.django_db(transaction=True)

SIZES = [int(size) for size in os.environ.get("SIZES", "100 100000 1000000").split()]
REPEATS = 7
DESK = "/admin/dedupe_toolkit"
BATCH = 10_000
EACH_FIFTH = 5
"""One row in so many has a duplicate."""

VIEWS = ("view_mergerun", "view_rowchange", "change_personprofile", "delete_personprofile")


@pytest.mark.parametrize("size", SIZES)
def test_the_pages_of_the_desk(size: int, capsys: Any) -> None:
    scanned(_people(size))
    client = client_of(steward(*ALL_RIGHTS, *VIEWS))
    lines = [_measured(client, name, url) for name, url in _pages().items()]
    with capsys.disabled():
        print(f"\n{size:,} rows on {connection.display_name}: queries, least seconds of {REPEATS}")
        for name, queries, seconds in lines:
            print(f"{name:<44}{queries:>4}{seconds:>8.3f}")


def _people(size: int) -> Any:
    """People, a fifth of them twice; two with profiles that collide, and a merge in the journal."""
    kept = size * EACH_FIFTH // (EACH_FIFTH + 1)
    numbers = [*range(kept), *range(0, kept, EACH_FIFTH)]
    for start in range(0, len(numbers), BATCH):
        Person.objects.bulk_create(
            Person(name=f"Person {number}") for number in numbers[start : start + BATCH]
        )
    film = Film.objects.create(catalogue_id=1, title="Cléo de 5 à 7", year=1962)
    roles = (Role.DIRECTOR, Role.CAST)
    for person, role in zip(Person.objects.filter(name="Person 5"), roles, strict=True):
        PersonProfile.objects.create(person=person, known_for=film, known_as=role)
    twins = Person.objects.filter(name="Person 0")
    for person in twins:
        Award.objects.create(person=person, film=film, text="Lion")
    merge(plan_merge(row_set(Person, list(twins.values_list("pk", flat=True)))))
    connection.cursor().execute("ANALYZE TABLE films_person" if _is_mysql() else "ANALYZE")
    return match_key(Person, ["name"])


def _is_mysql() -> bool:
    return connection.vendor == "mysql"


def _pages() -> dict[str, str]:
    queue = f"{DESK}/queuedgroup/"
    collide, plain = (QueuedGroup.objects.get(text=text) for text in ("Person 5", "Person 10"))
    return {
        "overview": f"{DESK}/scan/",
        "queue": queue,
        "queue, searched": f"{queue}?q=Person+10",
        "review": f"{queue}{plain.pk}/",
        "review, rows that collide are held": f"{queue}{collide.pk}/?on_collision=hold",
        "review, rows that collide are merged": f"{queue}{collide.pk}/?on_collision=merge",
        "merge the safe ones": f"{queue}merge-safe/{plain.scan_id}/",
        "merge runs": f"{DESK}/mergerun/",
        "row changes": f"{DESK}/rowchange/",
    }


def _measured(client: Client, name: str, url: str) -> tuple[str, int, float]:
    assert client.get(url).status_code == 200, name  # the first asks what the database is made of
    with CaptureQueriesContext(connection) as captured:
        client.get(url)
        queries = len(captured)
    taken = []
    for _ in range(REPEATS):
        began = perf_counter()
        client.get(url)
        taken.append(perf_counter() - began)
    return name, queries, min(taken)
