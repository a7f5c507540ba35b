"""Rows are read though a value of them cannot be: the others as ever, and that one stands out."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection

from dedupe_toolkit import row_set
from dedupe_toolkit.field_rules.fillers import raw
from dedupe_toolkit.reviewing.side_by_side import side_by_side
from dedupe_toolkit.reviewing.unreadable import Unreadable, read_rows
from testproject.films.models import Person
from tests.situations.keyed.models import Device, Reading
from tests.situations.typed.models import Everything

if TYPE_CHECKING:
    from django.db.models import Field

pytestmark = pytest.mark.django_db

VALUES: dict[str, tuple[Any, Any]] = {
    "integer": (1, 2),
    "binary": (b"\xff\x00\xfe", b"\xff\x00\xfd"),
    "boolean": (True, False),
    "text": ("a", "b"),
    "date": (date(2020, 1, 2), date(2021, 1, 2)),
    "moment": (datetime(2020, 1, 2, 3, tzinfo=UTC), datetime(2021, 1, 2, 3, tzinfo=UTC)),
    "time": (time(1, 2, 3), time(2, 3, 4)),
    "decimal": (Decimal("1.5"), Decimal("2.5")),
    "float": (0.1, 0.2),
    "file": ("a.txt", "b.txt"),
    "json": ({"a": 1}, {"a": 2}),
    "uuid": (uuid.UUID(int=1), uuid.UUID(int=2)),
}


def refuse(monkeypatch: pytest.MonkeyPatch, field: Field[Any, Any], bad: Any) -> None:
    """Let a field raise for one value, as one of a project does that cannot decrypt it."""
    own = getattr(field, "from_db_value", lambda value, *_: value)

    def read(value: Any, *args: Any) -> Any:
        found = own(value, *args)
        if found == bad:
            raise ValueError(bad)
        return found

    monkeypatch.setattr(field, "from_db_value", read, raising=False)


@pytest.mark.parametrize("name", VALUES)
def test_of_a_field_only_the_values_that_cannot_be_read_stand_out(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    good, bad = VALUES[name]
    for value in (good, bad, bad, None):
        Everything.objects.create(**{name: value})
    field = Everything._meta.get_field(name)
    rows = Everything.objects.order_by("pk")
    before, read, *_ = (raw(field, row) for row in rows)
    refuse(monkeypatch, field, read)
    first, second, third, last = (raw(field, row) for row in read_rows(rows.all()))
    assert (repr(first), raw(field, rows[0])) == (repr(before), before)
    assert isinstance(second, Unreadable)
    assert (second, str(second)) == (third, "(cannot be shown)")
    assert not last


def test_binary_values_that_cannot_be_read_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    field: Any = Everything._meta.get_field("binary")
    for value in VALUES["binary"]:
        Everything.objects.create(binary=value)
    monkeypatch.setattr(field, "from_db_value", lambda *_: 1 // 0, raising=False)
    first, second = (raw(field, row) for row in read_rows(Everything.objects.all()))
    assert isinstance(first, Unreadable)
    assert first != second


def test_a_part_of_the_rows_is_read_where_a_value_cannot_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in "ABC":
        Person.objects.create(name=name, biography="x")
    refuse(monkeypatch, Person._meta.get_field("biography"), "x")
    (row,) = read_rows(Person.objects.order_by("pk")[1:2])
    assert (row.name, row.biography) == ("B", Unreadable("'x'"))


def test_a_blank_is_filled_by_what_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    blank, full = (Person.objects.create(name="A", biography=text) for text in ("", "x"))
    monkeypatch.setattr(
        Person._meta.get_field("biography"), "from_db_value", lambda *_: 1 // 0, raising=False
    )
    lines = side_by_side(row_set(Person, [blank.pk, full.pk], into=blank.pk)).lines
    line = next(line for line in lines if line.field.name == "biography")
    cells = [line.cell(place) for place in (0, 1)]
    assert [(cell.is_blank, cell.differs, cell.fills) for cell in cells] == [
        (True, False, False),
        (False, True, True),
    ]


def test_rows_are_compared_though_a_foreign_key_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    devices = [Device.objects.create(serial=serial) for serial in "12"]
    rows = [Reading.objects.create(device=device, value=1) for device in devices]
    refuse(monkeypatch, Device._meta.pk, devices[1].pk)
    comparison = side_by_side(row_set(Reading, [row.pk for row in rows]))
    line = next(line for line in comparison.lines if line.field.name == "device")
    assert line.cell(0).value == devices[0]
    assert isinstance(line.cell(1).value, Unreadable)
    assert line.differs


BAD = {
    "sqlite": ("moment", "2020-13-45 10:00:00"),
    "mysql": ("time", "25:00:00"),
}


@pytest.mark.skipif(connection.vendor not in BAD, reason="the database refuses such values")
def test_a_moment_that_the_driver_cannot_read_stands_out() -> None:
    name, bad = BAD[connection.vendor]
    rows = [Everything.objects.create(**{name: VALUES[name][0]}) for _ in range(2)]
    with connection.cursor() as cursor:
        table = Everything._meta.db_table
        cursor.execute(f"UPDATE {table} SET {name} = %s WHERE id = %s", [bad, rows[1].pk])
    first, second = (getattr(row, name) for row in read_rows(Everything.objects.order_by("pk")))
    assert first == VALUES[name][0]
    assert isinstance(second, Unreadable)
    assert bad in second.text
