"""Keys that are amounts, moments or bytes: they lead on, are named and undone as any other."""

from __future__ import annotations

import uuid
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.http import Http404
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import get_default_timezone, make_naive

from dedupe_toolkit import (
    dismiss,
    find_duplicates,
    get_object_or_survivor,
    match_key,
    row_set,
    survivor_of,
    survivors_of,
    undo,
)
from dedupe_toolkit.errors import InvalidMatchKey
from dedupe_toolkit.journal.key_texts import key_of, keys_of
from dedupe_toolkit.journal.old_keys import merged_from
from dedupe_toolkit.plain import plain_key
from tests.kit import assert_undo_restores, merged, merged_rows, snapshot
from tests.situations.measured.models import (
    Address,
    Day,
    Digest,
    Entry,
    Hour,
    Moment,
    Price,
    Slot,
    Span,
    Token,
    Weight,
)
from tests.situations.spelled.models import Remark
from tests.situations.typed.models import Everything

if TYPE_CHECKING:
    from django.db.models import Model

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
KEYS: dict[type[Model], list[Any]] = {
    Price: [Decimal("1.50"), Decimal("2.00"), Decimal("-0.10"), Decimal("999999.99")],
    Weight: [1.5, 2.0, 0.1 + 0.2, -1e22],
    Day: [date(2026, 1, 2), date(2026, 1, 3), date(1, 1, 1), date(9999, 12, 31)],
    Moment: [
        NOON,
        NOON.replace(microsecond=5),
        NOON.replace(microsecond=500_000),
        NOON.replace(1970),
    ],
    Hour: [time(12), time(12, 0, 0, 5), time(0), time(23, 59, 59, 999_999)],
    Span: [
        timedelta(hours=30),
        timedelta(0),
        timedelta(days=-1, microseconds=1),
        timedelta(days=31),
    ],
    Address: ["10.0.0.1", "2001:db8::1", "10.0.0.2", "fe80::1"],
    Digest: [b"\x00\xff", b"plain", b"X'00'", b"\xff"],
}
kinds = pytest.mark.parametrize("model", KEYS, ids=lambda model: model.__name__)


def pairs(model: Any) -> list[tuple[Any, Any]]:
    """Two groups of two rows, the survivor of each first; something points at each duplicate."""
    found = []
    for number in (0, 2):
        kept, gone = sorted(KEYS[model][number : number + 2])
        for key in (kept, gone):
            model.objects.create(key=key, name=str(number))
        Entry.objects.create(**{model._meta.model_name: model.objects.get(key=gone)})
        found.append((kept, gone))
    return found


@kinds
def test_old_keys_lead_on_and_each_group_can_be_undone(model: Any) -> None:
    groups, before = pairs(model), snapshot()
    run = merged(model, "name")
    assert run.merged == 2
    (kept, gone), (other, _) = groups
    for survivor, duplicate in groups:
        assert survivor_of(model, duplicate) == survivor
        assert survivor_of(model, plain_key(model, duplicate)) == survivor
        assert get_object_or_survivor(model, duplicate).pk == survivor
        (old,) = merged_from(model, survivor, "default")
        assert key_of(model, old.row, "default") == duplicate
    every = [key for group in groups for key in group]
    expected = {gone: kept for kept, gone in groups} | {kept: kept for kept, _ in groups}
    assert survivors_of(model, every) == expected
    undo(run, survivors=[kept])
    assert survivor_of(model, gone) == gone
    assert model.objects.count() == 3
    undo(run, survivors=[other])
    assert snapshot() == before


@kinds
def test_chains_of_merges_are_followed(model: Any) -> None:
    first, second, third = sorted(KEYS[model][:3])
    for key in (second, third):
        model.objects.create(key=key, name="x")
    merged(model, "name")
    model.objects.create(key=first, name="x")
    merged(model, "name")
    assert survivor_of(model, third) == first
    assert list(model.objects.values_list("pk", flat=True)) == [first]


@kinds
def test_rows_are_named_one_by_one_and_dismissed(model: Any) -> None:
    groups, before = pairs(model), snapshot()
    (kept, gone), (_, other) = groups
    run = merged_rows(model, kept, gone, into=gone)
    assert survivor_of(model, kept) == gone
    assert_undo_restores(run, before)
    dismiss(row_set(model, [plain_key(model, key) for key in groups[0]]))
    assert find_duplicates(match_key(model, ["name"])).groups == 1
    run = merged(model, "name")
    assert not model.objects.filter(pk=other).exists()
    assert_undo_restores(run, before)


@kinds
def test_generic_keys_of_all_these_models_follow_where_django_could_read_them(model: Any) -> None:
    ((kept, gone), _), type_ = pairs(model), ContentType.objects.get_for_model(model)
    Remark.objects.create(content_type=type_, object_id=str(gone))
    before = snapshot()
    run = merged(model, "name")
    # nobody could read the text that Python has for bytes
    held = str(gone if model is Digest else model.objects.get(pk=kept).pk)
    assert Remark.objects.get().object_id == held
    assert_undo_restores(run, before)


@kinds
def test_functions_give_values_to_rows_with_such_keys(model: Any) -> None:
    ((kept, gone), _), before = pairs(model), snapshot()
    run = merged_rows(model, kept, gone, field_rules={"note": lambda notes: f"of {len(notes)}"})
    assert model.objects.get(pk=kept).note == "of 2"
    assert_undo_restores(run, before)


def test_bytes_lead_on_however_a_session_shows_them() -> None:
    ((kept, gone), _), before = pairs(Digest), snapshot()
    run = merged(Digest, "name")
    shown_otherwise = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        if shown_otherwise:
            cursor.execute("SET LOCAL bytea_output = 'escape'")
        assert survivor_of(Digest, gone) == kept
        undo(run)
        dismiss(row_set(Digest, [kept, gone]))
        if shown_otherwise:
            cursor.execute("SET LOCAL bytea_output = 'hex'")
    assert snapshot() == before
    assert find_duplicates(match_key(Digest, ["name"])).groups == 1


def test_uuids_in_sixteen_bytes_are_followed_as_text() -> None:
    kept, gone = sorted(uuid.UUID(bytes=bytes([255 - number] * 16)) for number in range(2))
    for key in (kept, gone):
        row = Token.objects.create(key=key, name="x")
        Remark.objects.create(subject=row)
    before = snapshot()
    run = merged(Token, "name")
    assert set(Remark.objects.values_list("object_id", flat=True)) == {str(kept)}
    assert survivor_of(Token, gone) == kept
    assert plain_key(Token, gone) == str(gone)
    assert survivors_of(Token, [gone, str(gone)]) == {gone: kept, str(gone): kept}
    assert_undo_restores(run, before)


def test_functions_give_bytes() -> None:
    values = (b"", b"\x00\xff'")
    rows = [Everything.objects.create(name="x", binary=binary).pk for binary in values]
    before = snapshot()
    run = merged_rows(Everything, *rows, field_rules={"binary": max})
    assert bytes(Everything.objects.get().binary) == b"\x00\xff'"
    assert_undo_restores(run, before)


@pytest.mark.parametrize("model", [Price, Weight, Day, Moment, Hour, Span])
def test_what_is_no_key_of_a_model_is_told_and_ends_no_transaction(model: Any) -> None:
    for ask in (survivor_of, lambda model, text: key_of(model, text, "default")):
        with pytest.raises(InvalidMatchKey, match=f"measured.{model.__name__}"):
            ask(model, "no such thing")
    assert model.objects.count() == 0


def test_a_moment_comes_back_with_its_time_zone_and_is_taken_without() -> None:
    for key in KEYS[Moment][:2]:
        Moment.objects.create(key=key, name="x")
    merged(Moment, "name")
    found = survivor_of(Moment, KEYS[Moment][1])
    assert found.tzinfo is not None
    assert Moment.objects.get(pk=found).pk == NOON
    # a moment without a time zone is of the project's
    typed = make_naive(KEYS[Moment][1], get_default_timezone())
    assert survivor_of(Moment, str(typed)) == NOON
    assert survivor_of(Moment, typed) == NOON


def test_keys_of_several_such_parts_lead_on() -> None:
    for price in ("1.50", "2.00"):
        Slot.objects.create(moment=NOON, price=Decimal(price), name="x")
    kept, gone = Slot.objects.order_by("price").values_list("pk", flat=True)
    before = snapshot()
    run = merged(Slot, "name")
    assert survivor_of(Slot, gone) == kept
    assert survivors_of(Slot, [gone, kept]) == {gone: kept, kept: kept}
    undo(run, survivors=[kept])
    assert snapshot() == before


def test_many_old_keys_take_a_statement_for_every_hundred_of_them() -> None:
    rows = [Weight.objects.create(key=number / 7, name="x") for number in range(150)]
    merged(Weight, "name")
    with CaptureQueriesContext(connection) as asked:
        found = survivors_of(Weight, [row.pk for row in rows])
    assert set(found.values()) == {rows[0].pk}
    # the table; two times the texts, two steps of the chain, the keys, and their texts once more
    assert sum("SAVEPOINT" not in query["sql"] for query in asked) < 12


UNHEARD_OF: dict[type[Model], list[Any]] = {
    Price: [Decimal("123456789"), "1e400", Decimal("1.505"), Decimal("999999.994")],
    Day: [date(2, 1, 1)],
    Moment: [datetime.max, datetime.min.replace(tzinfo=UTC)],
    Hour: [time(11)],
    Span: [timedelta.max, timedelta.min],
    Address: ["no address", "10.0.0.1/8"],
    Slot: [(NOON, Decimal("123456789")), (NOON, Decimal("1.505"))],
}


@pytest.mark.parametrize("model", UNHEARD_OF, ids=lambda model: model.__name__)
def test_what_no_row_can_have_for_a_key_leads_nowhere_and_ends_no_transaction(model: Any) -> None:
    if model is not Slot:
        for key in KEYS[model]:
            model.objects.create(key=key, name="x")
        merged(model, "name")
    else:
        for price in ("1.50", "1.51", "999999.99"):
            Slot.objects.create(moment=NOON, price=Decimal(price), name="x")
        merged(Slot, "name")
    for key in UNHEARD_OF[model]:
        with suppress(InvalidMatchKey):
            assert survivor_of(model, key) == key
        with pytest.raises(Http404):
            get_object_or_survivor(model, key)
    assert model.objects.count() == 1


def test_of_many_keys_the_one_is_named_that_is_none() -> None:
    texts = [str(day) for day in KEYS[Day]]
    with pytest.raises(InvalidMatchKey, match="Day: 'no day' cannot"):
        survivors_of(Day, [*texts, "no day"])
    with pytest.raises(InvalidMatchKey, match="Day: 'no day' cannot"):
        keys_of(Day, [*texts, "no day"], "default")


def test_keys_of_several_parts_may_be_lists() -> None:
    parts = [NOON, Decimal("1.50")]
    assert survivors_of(Slot, [parts]) == {tuple(parts): tuple(parts)}
