"""What does not fit is held back with the name of the limit; nothing is cut off."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from dedupe_toolkit.databases import database
from tests.kit import assert_undo_restores, lists_cut_at, merged, merged_rows, snapshot
from tests.situations.typed.models import Everything

pytestmark = pytest.mark.django_db
LARGEST = 2**63 - 1


def rows(**values: list[Any]) -> None:
    for number in range(len(next(iter(values.values())))):
        Everything.objects.create(
            name="Ann", uuid=None, **{field: some[number] for field, some in values.items()}
        )


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("big", [LARGEST, 1]),
        ("big", [-LARGEST, -LARGEST]),
        ("decimal", [Decimal("6" + "0" * 14), Decimal("5" + "0" * 14)]),
    ],
)
def test_a_sum_that_overflows_its_column_is_held_back(field: str, values: list[Any]) -> None:
    rows(**{field: values})
    before = snapshot()
    run = merged(Everything, "name", field_rules={field: "sum"})
    assert f"the value computed for {field}" in run.held_back[0]["reason"]
    assert "does not fit into" in run.held_back[0]["reason"]
    assert snapshot() == before
    assert list(Everything.objects.order_by("pk").values_list(field, flat=True)) == values


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("big", [LARGEST - 1, 1]),
        ("big", [LARGEST, -LARGEST, -7]),
        ("big", [-LARGEST, -1]),
        ("small", [100, None, 28]),
    ],
)
def test_a_sum_that_just_fits_is_exact(field: str, values: list[Any]) -> None:
    rows(**{field: values})
    before = snapshot()
    run = merged(Everything, "name", field_rules={field: "sum"})
    found = Everything.objects.values_list(field, flat=True).get()
    assert found == sum(value or 0 for value in values)
    assert_undo_restores(run, before)


def test_times_add_up() -> None:
    rows(duration=[timedelta(days=-1), None, timedelta(hours=30, microseconds=7)])
    before = snapshot()
    run = merged(Everything, "name", field_rules={"duration": "sum"})
    assert Everything.objects.get().duration == timedelta(hours=6, microseconds=7)
    assert_undo_restores(run, before)


def test_joined_texts_are_whole_or_held_back() -> None:
    rows(text=["a" * 300, "b" * 300])
    before = snapshot()
    with lists_cut_at(400):
        run = merged(Everything, "name", field_rules={"text": "concat"})
    if not database("default").joined_at_most:
        assert Everything.objects.get().text == "a" * 300 + "\n" + "b" * 300
        return
    assert "group_concat_max_len" in run.held_back[0]["reason"]
    assert snapshot() == before


def test_a_preview_tells_of_joined_texts_that_do_not_fit() -> None:
    rows(text=["a" * 300, "b" * 300])
    with lists_cut_at(400):
        run = merged_rows(
            Everything,
            *Everything.objects.values_list("pk", flat=True),
            field_rules={"text": "concat"},
        )
    are_cut = bool(database("default").joined_at_most)
    assert run.groups_held_back == int(are_cut)


def test_a_duplicate_too_long_for_the_journal_is_held_back() -> None:
    rows(text=["", too_long()])
    before = snapshot()
    run = merged(Everything, "name")
    if connection.vendor == "mysql":
        assert "text of row " in run.held_back[0]["reason"]
        assert "max_allowed_packet" in run.held_back[0]["reason"]
        assert snapshot() == before
    else:
        assert_undo_restores(run, before)


def test_what_stays_as_it_is_may_be_too_long_for_the_journal() -> None:
    rows(text=[too_long(), ""])
    before = snapshot()
    run = merged(Everything, "name")
    assert run.merged == 1
    assert_undo_restores(run, before)


def too_long() -> str:
    """Escaped as JSON, a control character takes six."""
    is_mysql = connection.vendor == "mysql"
    limit = database("default").value("SELECT @@max_allowed_packet") if is_mysql else 16_000_000
    return "\x01" * (limit // 6 + 1)
