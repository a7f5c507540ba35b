"""PostgreSQL's own types travel exactly, and keys inside its arrays follow."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange, NumericRange

from dedupe_toolkit import (
    MergePolicy,
    find_duplicates,
    match_key,
    merge,
    plan_merge,
    register,
    undo,
)
from dedupe_toolkit.errors import InvalidMatchKey, UndoRefused
from dedupe_toolkit.journal.reading import changes_of
from dedupe_toolkit.models import RowChange
from dedupe_toolkit.registry import unregister
from tests.kit import assert_undo_restores, counts, merged, planned, session_in, snapshot
from tests.situations.arrays.models import Booking, Chord, Singer, Song
from tests.situations.hstore.models import Instrument, Repair
from tests.situations.keyed.models import Device, Reading
from tests.situations.odd.models import Person

pytestmark = pytest.mark.django_db

VALUES: list[dict[str, Any]] = [
    {"tags": [], "matrix": [[1, 2], [3, 4]]},
    {"tags": ['a"b', "c,d", "{e}", "NULL", "", " ", "\\", "😀", "O'B"], "numbers": []},
    {"numbers": [Decimal("1.0000000001"), Decimal("-9999999999.9999999999")]},
    {"period": DateTimeTZRange(datetime(2026, 1, 1, tzinfo=UTC), None, "[)")},
    {"span": NumericRange(-5, 2**62, "[)"), "prices": NumericRange(Decimal("1.5"), None, "()")},
    {"span": NumericRange(empty=True), "ratio": float("inf")},
    {"ratio": float("nan"), "tags": ["x"] * 1000},
]


@pytest.mark.parametrize("survivor", ["oldest", "newest"])
@pytest.mark.parametrize("limit", [20, None])
def test_a_group_says_the_text_of_its_survivor_where_others_only_equal_it(
    limit: int | None, survivor: str
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE COLLATION any_case"
            " (provider = icu, locale = 'und-u-ks-level2', deterministic = false)"
        )
        cursor.execute("ALTER TABLE odd_person ALTER name TYPE varchar(50) COLLATE any_case")
    held = {Person.objects.create(name=name).pk: name for name in ("ANN", "Ann", "ann")}
    key = match_key(Person, ["name"])
    (group,) = find_duplicates(key, survivor=survivor, limit=limit).duplicate_groups
    assert group.values == {"name": held[group.survivor]}


def test_keys_that_are_arrays_stay_whole() -> None:
    chords = [[1, 5, 8], [1, 4, 8], [2, 6, 9]]
    for notes, name in zip(chords, ("C", "C", "D"), strict=True):
        Chord.objects.create(notes=notes, name=name)
    before = snapshot()
    run = merged(Chord, "name")
    assert list(Chord.objects.order_by("pk").values_list("pk", flat=True)) == chords[1:]
    assert_undo_restores(run, before)


def test_a_search_leaves_the_settings_of_an_outer_transaction_alone() -> None:
    def settings() -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('enable_sort'), current_setting('jit')")
            return cursor.fetchone()

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL jit = off")
    before = settings()
    find_duplicates(match_key(Singer, ["name"]))
    assert settings() == before == ("on", "off")


@pytest.mark.parametrize("values", VALUES, ids=lambda values: ",".join(values))
def test_a_row_with_the_databases_own_types_comes_back_exactly(values: dict[str, Any]) -> None:
    Singer.objects.create(name="x")
    Singer.objects.create(name="x", **values)
    before = snapshot()
    run = merged(Singer, "name")
    assert Singer.objects.count() == 1
    assert_undo_restores(run, before)


LABELS: list[dict[str, str | None]] = [
    {},
    {"wood": "maple", "varnish": None, "": ""},
    {'a"b\\': "c=>d, 'e'", "NULL": "NULL", "{x}": "%s %%", "ü😀": " \t\n "},
    {"long": "x" * 70_000, **{str(number): str(number) for number in range(500)}},
]


@pytest.mark.parametrize("labels", LABELS, ids=["empty", "blanks", "quotes", "long"])
def test_an_hstore_comes_back_exactly(labels: dict[str, str | None]) -> None:
    Instrument.objects.create(name="x", labels={"kept": "yes"})
    Repair.objects.create(instrument=Instrument.objects.create(name="x", labels=labels))
    before = snapshot()
    run = merged(Instrument, "name")
    assert Instrument.objects.get().labels == {"kept": "yes"}
    assert_undo_restores(run, before)


@pytest.mark.parametrize("labels", LABELS, ids=["empty", "blanks", "quotes", "long"])
def test_an_hstore_taken_from_a_duplicate_arrives_exactly(labels: dict[str, str | None]) -> None:
    for value in (None, labels):
        Instrument.objects.create(name="x", labels=value)
    before = snapshot()
    run = merged(Instrument, "name")
    assert Instrument.objects.get().labels == labels
    assert_undo_restores(run, before)


def test_an_hstore_changed_since_is_in_the_way_of_undo() -> None:
    kept = Instrument.objects.create(name="x")
    Instrument.objects.create(name="x", labels={"a": "1"})
    run = merged(Instrument, "name")
    Instrument.objects.filter(pk=kept.pk).update(labels={"a": "2"})
    with pytest.raises(UndoRefused, match=r"has been changed since \(labels\)"):
        undo(run)


def test_rows_that_an_exclusion_constraint_keeps_apart_hold_their_group_back() -> None:
    for name, slot in (("a", (1, 5)), ("a", (4, 9)), ("b", (1, 5)), ("b", (5, 9))):
        singer = Singer.objects.create(name=name)
        Booking.objects.create(singer=singer, slot=NumericRange(*slot))
    plan = plan_merge(match_key(Singer, ["name"]))
    assert len(plan.held_back) == 1
    run = merge(plan)
    assert run.merged == 1
    (held,) = run.held_back
    assert held["values"] == {"name": "a"}
    assert "would violate exclusion constraint no_overlap" in held["reason"]
    assert Booking.objects.count() == 4


def test_undo_finds_row_changes_whose_keys_are_below_those_of_earlier_ones() -> None:
    """A sequence with a cache gives each session keys in advance, so they are not in order."""
    runs = []
    for name, next_key in (("a", 1000), ("b", 500)):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT setval(pg_get_serial_sequence('dedupe_toolkit_rowchange', 'id'), %s)",
                [next_key],
            )
        before = snapshot()
        for _ in range(2):
            Repair.objects.create(instrument=Instrument.objects.create(name=name))
        runs.append(merged(Instrument, "name"))
    assert len(list(changes_of(runs[1].steps.all(), RowChange.objects.all()))) == 2
    undo(runs[1])
    Instrument.objects.filter(name="b").delete()
    assert snapshot() == before


def test_keys_inside_an_array_follow_and_stand_once() -> None:
    register(Singer, references=["arrays.Song.singers"])
    try:
        kept, lost, third, other = (Singer.objects.create(name=name) for name in "aaab")
        arrays = [
            [lost.pk, other.pk],
            [other.pk, kept.pk, lost.pk, third.pk],
            [other.pk],
            [],
            [third.pk, lost.pk],
        ]
        songs = [Song.objects.create(singers=array) for array in arrays]
        before = snapshot()
        run = merged(Singer, "name")
        assert [Song.objects.get(pk=song.pk).singers for song in songs] == [
            [kept.pk, other.pk],
            [other.pk, kept.pk],
            [other.pk],
            [],
            [kept.pk],
        ]
        assert counts(run, "arrays.Song.singers") == (3, 0, 0)
        assert_undo_restores(run, before)
    finally:
        unregister(Singer)


@pytest.mark.parametrize("setting", ["on", "off"])
def test_a_search_leaves_the_planner_as_it_was(setting: str) -> None:
    """It is told to hash joins, for one statement: also inside a transaction of the caller's."""
    for name in ("Ann", "ANN", "Bob"):
        Singer.objects.create(name=name)
    key = match_key(Singer, ["name"], ignore_case=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('enable_mergejoin', %s, false)", [setting])
        try:
            assert find_duplicates(key).groups == plan_merge(key).groups == 1
            cursor.execute("SHOW enable_mergejoin")
            assert cursor.fetchone() == (setting,)
        finally:
            cursor.execute("RESET enable_mergejoin")


def size_of_work_tables() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT SUM(pg_relation_size(oid)) FROM pg_class"
            " WHERE relname LIKE 'dedupe_batch_%' AND relpersistence = 't' AND relkind = 'r'"
        )
        return int(cursor.fetchone()[0])


def test_work_tables_stay_as_small_as_a_batch_however_many_there_are() -> None:
    Singer.objects.bulk_create(Singer(name=f"{name}") for name in range(1200) for _ in range(2))
    plan = plan_merge(match_key(Singer, ["name"]), policy=MergePolicy(batch_size=100))
    assert merge(plan).batches == 12
    # the planner goes by their size, and would read all of a large table for a few rows
    assert size_of_work_tables() < 4 * 8192


def test_rules_that_write_elsewhere_are_named_as_triggers_are() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE ruled_log (note text)")
        cursor.execute(
            "CREATE RULE note_it AS ON UPDATE TO keyed_reading DO ALSO INSERT INTO ruled_log"
            " VALUES ('moved')"
        )
    for _ in range(2):
        Reading.objects.create(device=Device.objects.create(serial="x"), value=1)
    assert planned(Device, "serial").triggers == ("keyed.Reading (note_it)",)


@pytest.mark.parametrize("table", ["keyed_device", "keyed_reading", "of no model"])
def test_rows_that_row_level_security_hides_are_never_passed_over(table: str) -> None:
    for value in (1, 2):
        Reading.objects.create(device=Device.objects.create(serial="1"), value=value)
    key = match_key(Device, ["serial"])
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        if table == "of no model":
            cursor.execute(
                f'CREATE TABLE "{table}" (device uuid REFERENCES keyed_device ON DELETE CASCADE)'
            )
        cursor.execute("CREATE ROLE clerk; GRANT ALL ON ALL TABLES IN SCHEMA public TO clerk")
        cursor.execute(f'CREATE POLICY nothing ON "{table}" TO clerk USING (false)')
        cursor.execute("SET LOCAL ROLE clerk")
        assert plan_merge(key).groups == 1
        cursor.execute(f'RESET ROLE; ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
        cursor.execute("SET LOCAL ROLE clerk")
        with pytest.raises(InvalidMatchKey, match=f"row level security .*{table}"):
            plan_merge(key)
        cursor.execute("RESET ROLE")
        run = merge(plan_merge(key))  # a superuser sees all rows
        assert run.merged == 1
        if table != "of no model":
            cursor.execute("SET LOCAL ROLE clerk")
            with pytest.raises(InvalidMatchKey, match=f"row level security .*{table}"):
                undo(run)


def test_ranges_of_moments_are_known_for_what_they_were_in_another_time_zone() -> None:
    period = DateTimeTZRange(datetime(2026, 1, 1, tzinfo=UTC), None, "[)")
    Singer.objects.create(name="x")
    Singer.objects.create(name="x", period=period)
    before = snapshot()
    with session_in("Asia/Tokyo"):
        run = merged(Singer, "name", field_rules={"period": "fill"})
    with session_in("America/New_York"):
        Singer.objects.update(period=DateTimeTZRange(period.lower, None, "()"))
        with pytest.raises(UndoRefused, match="period"):
            undo(run)
        Singer.objects.update(period=period)
        undo(run)
    assert snapshot() == before
