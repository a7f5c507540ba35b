"""Keys with values that JSON does not know: reported, held back and dismissed like any other."""

from __future__ import annotations

import csv
import io
import json
import uuid
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import models

from dedupe_toolkit import dismiss, find_duplicates, match_key, row_set
from dedupe_toolkit.plain import plain, plain_key
from tests.kit import merged
from tests.situations.typed.models import Everything, Priced, Tariff, Zone

VALUES: dict[str, tuple[Any, Any]] = {
    "big": (2**63 - 1, 2**63 - 1),
    "boolean": (False, False),
    "binary": (b"\x00\xff", "AP8="),
    "char": ('O\'Brien\t"ü"\n', 'O\'Brien\t"ü"\n'),
    "date": (date(2026, 1, 2), "2026-01-02"),
    "moment": (
        datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
        "2026-01-02T03:04:05.678901+00:00",
    ),
    "time": (time(3, 4, 5, 678901), "03:04:05.678901"),
    "duration": (timedelta(days=1, microseconds=1), "1 00:00:00.000001"),
    "decimal": (Decimal("0.100000000000000"), "0.100000000000000"),
    "float": (0.1, 0.1),
    "ip": ("2001:db8::1", "2001:db8::1"),
    "uuid": (uuid.UUID(int=7), "00000000-0000-0000-0000-000000000007"),
}


def output(*line: object, code: int = 0) -> str:
    out, found = io.StringIO(), 0
    try:
        call_command(*map(str, line), stdout=out, stderr=io.StringIO(), no_color=True)
    except CommandError as error:
        found = error.returncode
    assert found == code
    return out.getvalue()


@pytest.mark.django_db
@pytest.mark.parametrize("field", VALUES)
def test_a_value_of_any_type_is_reported_so_that_its_field_reads_it_again(field: str) -> None:
    value, text = VALUES[field]
    for _ in range(2):
        Everything.objects.create(name="x", **{field: value})
    line = ("find_duplicates", "typed.Everything", "--fields", field)
    (key,) = json.loads(output(*line, "--format", "json"))["keys"]
    assert key["duplicate_groups"][0]["values"] == {field: text}
    (row,) = csv.DictReader(io.StringIO(output(*line, "--format", "csv")))
    assert json.loads(row["values"]) == {field: text}
    assert "memory at" not in output(*line)
    read = Everything._meta.get_field(field).to_python(text)
    assert (bytes(read) if isinstance(value, bytes) else read) == value


@pytest.mark.django_db
def test_values_of_transforms_have_types_of_their_own(settings: Any) -> None:
    settings.TIME_ZONE = "UTC"  # the one that every database knows
    for hour in (13, 14):
        Everything.objects.create(name="x", moment=datetime(2026, 1, 2, hour, tzinfo=UTC))
    line = ("find_duplicates", "typed.Everything", "--fields", "moment__date", "moment__year")
    (key,) = json.loads(output(*line, "--format", "json"))["keys"]
    assert key["duplicate_groups"][0]["values"] == {
        "moment__date": "2026-01-02",
        "moment__year": 2026,
    }


@pytest.fixture
def prices() -> list[Priced]:
    return [
        Priced.objects.create(price=Decimal(price), name="x", zone=Zone("Europe/Berlin"))
        for price in ("1.50", "2.50")
    ]


@pytest.mark.django_db
def test_a_group_held_back_with_such_values_stops_nothing(prices: list[Priced]) -> None:
    for priced, note in zip(prices, "ab", strict=True):
        Tariff.objects.create(priced=priced, year=2026, note=note)
    for price in ("8.50", "9.50"):
        Priced.objects.create(price=Decimal(price), name="y", zone=Zone("Asia/Tokyo"))
    line = (
        "merge_duplicates",
        "typed.Priced",
        "--fields",
        "zone",
        "--no-input",
        "--format",
        "json",
    )
    document = json.loads(output(*line, code=3))
    assert (document["merged"], document["held_back"]) == (1, 1)
    (held,) = document["held_back_groups"]
    assert held["values"] == {"zone": "Europe/Berlin"}
    assert [Decimal(row) for row in held["rows"]] == [Decimal("1.50"), Decimal("2.50")]
    listed = json.loads(output("find_duplicates", "--held-back", "--format", "json"))
    assert listed["held_back_groups"][0]["rows"] == held["rows"]
    Tariff.objects.all().delete()
    assert merged(Priced, "zone").merged == 1
    assert output("find_duplicates", "--held-back") == "No groups are held back.\n"


@pytest.mark.django_db
def test_rows_with_such_keys_can_be_dismissed_and_named_by_hand(prices: list[Priced]) -> None:
    rows = row_set(Priced, ["1.50", "2.50"])
    dismiss(rows)
    assert find_duplicates(match_key(Priced, ["zone"])).groups == 0
    output("merge_duplicates", "typed.Priced", "--pks", "1.50", "2.50", "--no-input")
    assert Priced.objects.count() == 1


def test_what_has_no_field_is_plain_as_well() -> None:
    class Size(models.TextChoices):
        SMALL = "s"

    assert plain(float("nan")) == "nan"
    assert plain({1: (Decimal("1.0"), None)}) == {"1": ["1.0", None]}
    assert plain(Size.SMALL) == "s"
    assert plain(memoryview(b"ab")) == "YWI="
    assert plain_key(Priced, Decimal("1.50")) == "1.50"
