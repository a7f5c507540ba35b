"""The desk of a project whose routers send what is read to a replica: it reads what it has written.

The replica is the furthest behind that one can be: nothing may be asked of it at all, and where a
test lets it be asked it has no rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connections

from dedupe_toolkit.models import DismissedGroup, MergeRun, QueuedGroup, Scan
from testproject.films.models import Credit, Film, Person, PersonProfile, Role
from tests.admin.kit import (
    OVERVIEW,
    PEOPLE,
    QUEUE,
    act,
    fields_of,
    merge_safe,
    messages_of,
    press_scan,
    text_of,
)

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db

DESK = "/admin/dedupe_toolkit"
State = QueuedGroup.State


class ReadsReplica:
    """As Django's documentation has it: reads from a replica, writes to the primary."""

    def db_for_read(self, model: Any, **_hints: Any) -> str | None:
        return "other" if model._meta.app_label in ("dedupe_toolkit", "films") else None

    def db_for_write(self, model: Any, **_hints: Any) -> str:
        return "default"

    def allow_relation(self, one: Any, two: Any, **_hints: Any) -> bool:
        return True

    def allow_migrate(self, *_args: Any, **_hints: Any) -> bool:
        return True


@pytest.fixture
def steward(admin_client: Client, settings: Any) -> Client:
    settings.DATABASE_ROUTERS = [f"{__name__}.ReadsReplica"]
    return admin_client


def people_called(*names: str, **values: Any) -> list[Person]:
    return [Person.objects.using("default").create(name=name, **values) for name in names]


def people() -> int:
    return Person.objects.using("default").count()


def group_of(name: str) -> QueuedGroup:
    return QueuedGroup.objects.using("default").get(text=name)


def page_of(group: QueuedGroup) -> str:
    return f"{QUEUE}{group.pk}/"


def test_groups_are_found_reviewed_merged_and_undone(steward: Client) -> None:
    friend = people_called("Chris Marker")[0]
    ones = people_called("Agnès Varda", "Agnès Varda", discovered_by=friend)
    film = Film.objects.using("default").create(catalogue_id=1, title="Lola", year=1961)
    for person, role in zip(ones, (Role.CAST, Role.DIRECTOR), strict=True):
        PersonProfile.objects.using("default").create(person=person, known_for=film, known_as=role)
        Credit.objects.using("default").create(person=person, film=film, role=role)
    press_scan(steward)
    assert "1 group" in text_of(steward.get(OVERVIEW))
    assert "Agnès Varda" in text_of(steward.get(QUEUE))
    group = group_of("Agnès Varda")
    shown = steward.get(page_of(group))
    assert "Chris Marker" in text_of(shown), "what the rows point at has its name"
    done = steward.post(page_of(group), {**fields_of(shown), "merge": "Merge"}, follow=True)
    assert "Merged 1 row" in messages_of(done)
    assert people() == 2
    run = MergeRun.objects.using("default").get()
    for page in ("change", "undo"):
        assert steward.get(f"{DESK}/mergerun/{run.pk}/{page}/").status_code == 200
    assert "Director" in text_of(steward.get(f"{DESK}/rowchange/?run={run.pk}"))
    undone = steward.post(f"{DESK}/mergerun/{run.pk}/undo/", follow=True)
    assert "Undone." in messages_of(undone)
    assert people() == 3
    assert group_of("Agnès Varda").state == State.PENDING


def test_safe_groups_are_merged_to_the_end(steward: Client) -> None:
    people_called(*["Agnès Varda", "Jacques Demy"] * 2)
    told = messages_of(merge_safe(steward, _scanned(steward)))
    assert "2 groups merged" in told
    assert people() == 2
    assert LogEntry.objects.filter(change_message__contains="Merged 1 row").count() == 2


def _scanned(client: Client) -> Scan:
    press_scan(client)
    return Scan.objects.using("default").get()


def test_verdicts_are_kept_listed_and_taken_back(steward: Client) -> None:
    people_called(*["Agnès Varda"] * 2)
    press_scan(steward)
    act(steward, "dismiss_selected", group_of("Agnès Varda"))
    verdict = DismissedGroup.objects.using("default").get()
    rows = ", ".join(row.row for row in verdict.rows.all())
    assert rows in text_of(steward.get(f"{DESK}/dismissedgroup/"))
    data = {"action": "offer_again", "_selected_action": [verdict.pk]}
    steward.post(f"{DESK}/dismissedgroup/", data)
    assert not DismissedGroup.objects.using("default").exists()


@pytest.mark.django_db(databases=["default", "other"])
def test_rows_selected_from_the_replica_are_merged_where_they_are_written(steward: Client) -> None:
    ones = people_called("Agnès Varda", "Agnès Varda")
    for person in ones:
        Person.objects.using("other").create(pk=person.pk, name=person.name)
    data = {"action": "merge_selected", "_selected_action": [person.pk for person in ones]}
    shown = steward.post(PEOPLE, data)
    review = f"{DESK}/mergerun/merge/films/person/"
    done = steward.post(review, {**fields_of(shown), "merge": "Merge"}, follow=True)
    assert "Merged 1 row" in messages_of(done)
    assert people() == 1
    assert Person.objects.using("other").count() == 2
    assert not MergeRun.objects.using("other").exists()


@pytest.mark.django_db(databases=["default", "other"])
def test_the_address_of_a_merged_row_leads_to_its_survivor(steward: Client) -> None:
    ones = people_called("Agnès Varda", "Agnès Varda")
    merge_safe(steward, _scanned(steward))
    answer = steward.get(f"{PEOPLE}{ones[1].pk}/change/")
    assert answer.url == f"{PEOPLE}{ones[0].pk}/change/"


def test_the_desk_offers_no_journal_in_a_replica(steward: Client) -> None:
    assert "other" in connections
    shown = text_of(steward.get(f"{DESK}/mergerun/?database=other"))
    assert "By database" not in shown


class ToThePrimary(ReadsReplica):
    """Everything has a database of its own name, and none is the default."""

    def db_for_read(self, model: Any, **_hints: Any) -> str | None:
        return self.db_for_write(model)

    def db_for_write(self, model: Any, **_hints: Any) -> str:
        return "other" if model._meta.app_label in ("dedupe_toolkit", "films") else "default"


@pytest.mark.django_db(databases=["default", "other"])
def test_the_desk_is_about_the_database_that_routers_name(
    admin_client: Client, settings: Any
) -> None:
    settings.DATABASE_ROUTERS = [f"{__name__}.ToThePrimary"]
    for _ in range(2):
        Person.objects.create(name="Agnès Varda")
    press_scan(admin_client)
    group = QueuedGroup.objects.using("other").get()
    page = page_of(group)
    shown = admin_client.get(page)
    done = admin_client.post(page, {**fields_of(shown), "merge": "Merge"}, follow=True)
    assert "Merged 1 row" in messages_of(done)
    assert Person.objects.using("other").count() == 1
