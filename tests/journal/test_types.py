"""Every type of column travels through the journal and back without losing a bit."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.kit import assert_undo_restores, merged, snapshot
from tests.situations.typed.models import Detail, Everything, Wide

pytestmark = pytest.mark.django_db

EXTREMES: list[dict[str, Any]] = [
    {},
    {"big": 2**63 - 1, "positive_big": 2**63 - 1, "integer": 2**31 - 1, "small": 2**15 - 1},
    {"big": -(2**63), "positive_big": 0, "integer": -(2**31), "small": -(2**15)},
    {"positive_small": 2**15 - 1, "boolean": False, "binary": b"", "char": "", "text": ""},
    {"boolean": True, "binary": bytes(range(256)), "uuid": uuid.UUID(int=0)},
    {"char": 'O\'Brien "quoted" \\ back\\slash %s %% {x}', "text": " two  spaces \t\r\n "},
    {"char": "Ærøskøbing 😀 日本 \u202e", "text": "x" * 70_000, "url": "https://x.org/?a=b&c"},
    {"date": date(1, 1, 1), "moment": datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=UTC)},
    {"date": date(9999, 12, 31), "moment": datetime(2026, 3, 29, 1, 59, 59, 999999, tzinfo=UTC)},
    {"time": time(23, 59, 59, 999999), "duration": timedelta(days=-1, microseconds=1)},
    {"decimal": Decimal("123456789012345.123456789012345"), "float": 0.1 + 0.2},
    {"decimal": Decimal("-0.000000000000001"), "float": 5e-324, "ip": "2001:db8::1"},
    {"float": 1.7976931348623157e308, "ip": "10.0.0.1", "file": "a b/ü.txt", "slug": "a-b"},
    {
        "float": -1 / 3,
        "email": "a'b@x.org",
        "json": {"a": [1, 2.5, None, {"b": "\u2028 'q' \"d\""}]},
    },
    {"json": [], "float": 123456789.123456789},
    {"json": "text", "float": 2.0**53 + 1},
]


@pytest.mark.parametrize("values", EXTREMES, ids=lambda values: ",".join(values) or "nulls")
def test_a_deleted_row_comes_back_exactly(values: dict[str, Any]) -> None:
    Everything.objects.create(name="x")
    lost = Everything.objects.create(name="x", **values)
    Detail.objects.create(whole=lost)
    before = snapshot()
    run = merged(Everything, "name")
    assert Everything.objects.count() == 1
    assert_undo_restores(run, before)


@pytest.mark.parametrize("values", EXTREMES, ids=lambda values: ",".join(values) or "nulls")
def test_a_value_taken_from_a_duplicate_arrives_exactly(values: dict[str, Any]) -> None:
    kept = Everything.objects.create(name="x", uuid=None)
    lost = Everything.objects.create(name="x", **values)
    expected = Everything.objects.values(*values).get(pk=lost.pk) if values else {}
    before = snapshot()
    # what a date or a time leaves open may say something, so that a rule has to say it is filled
    moments = {"date", "moment", "time", "duration"}.intersection(values)
    run = merged(Everything, "name", field_rules=dict.fromkeys(moments, "fill"))
    taken = Everything.objects.values(*values).get(pk=kept.pk) if values else {}
    blank = {name: None for name, value in values.items() if value == ""}
    assert taken == expected | blank
    assert_undo_restores(run, before)


def test_a_row_of_many_columns_comes_back_exactly() -> None:
    values = [field.name for field in Wide._meta.fields if field.name.startswith("value_")]
    Wide.objects.create(name="x")
    Wide.objects.create(name="x", **{name: number / 7 for number, name in enumerate(values)})
    before = snapshot()
    run = merged(Wide, "name")
    assert Wide.objects.values_list(values[0], values[-1]).get() == (0.0, (len(values) - 1) / 7)
    assert_undo_restores(run, before)
