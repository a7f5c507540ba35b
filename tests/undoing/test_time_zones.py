"""A run merged in one time zone and undone in another: what it left is known for what it was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from dedupe_toolkit import (
    dismiss,
    find_duplicates,
    get_object_or_survivor,
    match_key,
    row_set,
    survivor_of,
    undo,
)
from dedupe_toolkit.errors import UndoRefused
from tests.kit import merged, merged_rows, session_in, snapshot
from tests.situations.measured.models import Entry, Instant, Moment
from tests.situations.typed.models import Everything

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor == "sqlite", reason="a file has no time zone"),
]
NOON = datetime(2026, 10, 25, 0, 30, 0, 5, tzinfo=UTC)
HOURS = [NOON + timedelta(hours=number) for number in range(3)]


def test_a_moment_that_a_survivor_was_given_is_known_in_any_time_zone() -> None:
    Everything.objects.create(name="x", uuid=None)
    Everything.objects.create(name="x", uuid=None, moment=NOON)
    before = snapshot()
    with session_in("Asia/Tokyo"):
        run = merged(Everything, "name", field_rules={"moment": "fill"})
    Everything.objects.update(moment=NOON + timedelta(microseconds=1))
    with session_in("America/New_York"), pytest.raises(UndoRefused, match="moment"):
        undo(run)
    Everything.objects.update(moment=NOON)
    with session_in("America/New_York"):
        undo(run)
    assert snapshot() == before


@pytest.mark.parametrize("given", [NOON, None])
def test_a_moment_that_comes_or_goes_later_is_a_change_that_undo_does_not_overwrite(
    given: datetime | None,
) -> None:
    Everything.objects.create(name="x", uuid=None, moment=None if given else NOON)
    Everything.objects.create(name="x", uuid=None, moment=given)
    rule = "fill" if given else lambda moments: None
    run = merged_rows(
        Everything,
        *Everything.objects.values_list("pk", flat=True),
        field_rules={"moment": rule},
    )
    assert Everything.objects.get().moment == given
    Everything.objects.update(moment=None if given else NOON)
    with pytest.raises(UndoRefused, match="moment"):
        undo(run)
    assert Everything.objects.get().moment == (None if given else NOON)


def test_keys_that_are_moments_lead_on_in_any_time_zone() -> None:
    for moment in HOURS:
        Moment.objects.create(key=moment, name="x")
        Entry.objects.create(moment_id=moment)
    before = snapshot()
    with session_in("Asia/Tokyo"):
        run = merged(Moment, "name")
    assert survivor_of(Moment, HOURS[2]) == NOON
    with session_in("America/New_York"):
        assert survivor_of(Moment, HOURS[1]) == NOON
        undo(run, survivors=[NOON])
    assert snapshot() == before


def test_keys_that_each_session_shows_in_hours_of_its_own_lead_on_in_those() -> None:
    for moment in HOURS:
        Instant.objects.create(key=moment, name="x")
    before = snapshot()
    run = merged(Instant, "name")
    with session_in("Asia/Tokyo"):
        left = Instant.objects.get().pk
        assert survivor_of(Instant, left + timedelta(hours=2)) == left
        assert get_object_or_survivor(Instant, left + timedelta(hours=1)).pk == left
        undo(run, survivors=[left])
    assert snapshot() == before
    dismiss(row_set(Instant, HOURS))
    with session_in("America/New_York"):
        assert find_duplicates(match_key(Instant, ["name"])).groups == 0


def test_verdicts_on_such_rows_hold_in_any_time_zone() -> None:
    for moment in HOURS:
        Moment.objects.create(key=moment, name="x")
    with session_in("Asia/Tokyo"):
        dismiss(row_set(Moment, HOURS))
    with session_in("America/New_York"):
        assert find_duplicates(match_key(Moment, ["name"])).groups == 0
