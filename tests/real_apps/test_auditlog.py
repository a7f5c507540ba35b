"""django-auditlog: entries hold a number and a text beside one content type."""

from __future__ import annotations

import pytest
from auditlog.models import LogEntry

from tests.kit import assert_undo_restores
from tests.real_apps.integrity import soundly_merged
from tests.real_apps.models import Contract, Parcel

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("model", [Contract, Parcel])
def test_the_survivor_has_the_entries_of_both(model: type[Contract] | type[Parcel]) -> None:
    for _ in range(3):
        row = model.objects.create(title="rent")
        row.title = "lease"
        row.save()
    run, before = soundly_merged(model, "title")
    survivor = model.objects.get()
    entries = LogEntry.objects.get_for_object(survivor)
    assert entries.count() == LogEntry.objects.get_for_model(model).count() == 6
    number = survivor.pk if model is Contract else None
    assert {(one.object_pk, one.object_id) for one in entries} == {(str(survivor.pk), number)}
    assert_undo_restores(run, before)
