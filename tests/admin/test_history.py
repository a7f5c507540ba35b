"""What the history of rows says of verdicts, merges and undone merges of many of them at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dedupe_toolkit.models import MergeRun, QueuedGroup
from testproject.films.admin import PersonAdmin
from tests.admin.kit import act, merge_safe, people_called, scan

if TYPE_CHECKING:
    from django.test import Client

    from testproject.films.models import Person

pytestmark = pytest.mark.django_db


def history() -> dict[int, str]:
    """What the history says of each person, by their keys."""
    entries = LogEntry.objects.filter(content_type__model="person").order_by("pk")
    return {int(entry.object_id or 0): entry.get_change_message() for entry in entries}


def written(client: Client, rows: int) -> int:
    """How many statements write the history of so many rows that are dismissed in groups."""
    people_called(*[f"Person {number}" for number in range(rows // 2)] * 2)
    scan(client)
    with CaptureQueriesContext(connection) as queries:
        act(client, "dismiss_selected", *QueuedGroup.objects.filter(state="pending"))
    return sum('INTO "django_admin_log"' in q["sql"].replace("`", '"') for q in queries)


def test_a_verdict_on_many_groups_stands_in_the_history_of_their_rows(
    admin_client: Client,
) -> None:
    varda, marker, other_varda, other_marker = people_called(*["Agnès Varda", "Chris Marker"] * 2)
    demy = people_called("Jacques Demy", "Jacques Demy")
    scan(admin_client)
    chosen = QueuedGroup.objects.exclude(text="Jacques Demy")
    act(admin_client, "dismiss_selected", *chosen, note="Two people each")
    told = history()
    assert told.keys() == {varda.pk, marker.pk, other_varda.pk, other_marker.pk}
    assert told.keys().isdisjoint(person.pk for person in demy)
    assert told[varda.pk] == (
        f"Said to be no duplicate of “Agnès Varda” ({other_varda.pk}). Two people each"
    )
    assert LogEntry.objects.filter(object_repr="Agnès Varda").count() == 2


def test_the_history_of_many_rows_is_written_by_few_statements(admin_client: Client) -> None:
    assert written(admin_client, 10) == 1
    assert written(admin_client, 60) == 1


def test_a_merge_of_safe_groups_stands_in_the_history_of_their_survivors(
    admin_client: Client,
) -> None:
    varda, marker = people_called("Agnès Varda", "Chris Marker")
    people_called(*["Agnès Varda"] * 2, "Chris Marker", "Jacques Demy")
    merge_safe(admin_client, scan(admin_client))
    run = MergeRun.objects.get()
    assert history() == {
        varda.pk: f"Merged 2 rows into “Agnès Varda”. {run}",
        marker.pk: f"Merged 1 row into “Chris Marker”. {run}",
    }


def test_an_admin_with_a_history_of_its_own_is_told_of_each_row(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []

    def keep(admin: PersonAdmin, request: object, row: Person, message: str) -> None:
        told.append(row.pk)

    monkeypatch.setattr(PersonAdmin, "log_change", keep)
    people = people_called("Agnès Varda", "Agnès Varda")
    scan(admin_client)
    act(admin_client, "dismiss_selected", *QueuedGroup.objects.all())
    assert told == [person.pk for person in people]
    assert not history()
