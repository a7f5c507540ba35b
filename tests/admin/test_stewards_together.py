"""Several stewards merge at once: groups of one model, each in a thread with its own connection."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections

from dedupe_toolkit.admin import review
from dedupe_toolkit.databases import database
from dedupe_toolkit.models import MergeRun
from testproject.films.models import Credit, Film, Person, Role
from tests.admin.kit import REVIEW, client_of, fields_of, messages_of, select
from tests.concurrency_kit import PATIENCE, session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpResponse
    from django.test import Client

    Page = tuple[Client, HttpResponse]

pytestmark = pytest.mark.django_db(transaction=True)

STEWARDS = 4


def opened(film: Film, number: int) -> Page:
    """The review page of a group of its own, in the browser of a steward."""
    people = [Person.objects.create(name=f"Ann {number}") for _ in range(3)]
    for person in people:
        Credit.objects.create(person=person, film=film, role=Role.DIRECTOR)
    user = User.objects.create_superuser(f"steward {number}", password="password")
    client = client_of(user)
    return client, select(client, *people)


@pytest.fixture
def pages() -> list[Page]:
    film = Film.objects.create(catalogue_id=1, title="Vagabond", year=1985)
    return [opened(film, number) for number in range(STEWARDS)]


@pytest.fixture
def held_lock() -> Iterator[None]:
    """Somebody else is merging people, and goes on with it."""
    stack = ExitStack()

    def take() -> bool:
        return stack.enter_context(database("default").run_lock("films.Person"))

    with session() as other:
        assert other.do(take)
        yield
        other.do(stack.close)


def test_four_stewards_merge_different_groups_at_the_same_moment(
    pages: list[Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(review, "WAIT", PATIENCE)  # a busy machine must not decide this
    start = Barrier(STEWARDS)

    def press(page: Page) -> int:
        client, shown = page
        try:
            start.wait(PATIENCE)
            return client.post(REVIEW, {**fields_of(shown), "merge": "Merge"}).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(STEWARDS) as threads:
        assert list(threads.map(press, pages)) == [302] * STEWARDS
    assert Person.objects.count() == STEWARDS
    assert Credit.objects.count() == STEWARDS
    assert set(MergeRun.objects.values_list("status", "merged")) == {(MergeRun.Status.DONE, 1)}
    assert MergeRun.objects.values("by").distinct().count() == STEWARDS


def test_a_steward_who_has_waited_in_vain_keeps_every_choice(
    pages: list[Page], monkeypatch: pytest.MonkeyPatch, held_lock: None
) -> None:
    monkeypatch.setattr(review, "WAIT", 0)
    client, shown = pages[0]
    last = fields_of(shown)["rows"][-1]
    page = client.post(REVIEW, {**fields_of(shown), "into": last, "show": "Show"})
    page = client.post(REVIEW, {**fields_of(page), "merge": "Merge"})
    assert "Others are merging people just now" in messages_of(page)
    assert fields_of(page)["into"] == last
    assert not MergeRun.objects.exists()
    assert connection.get_autocommit()
