"""Merges in a database that is named, while routers send whatever they are asked of elsewhere."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from dedupe_toolkit import (
    MergePolicy,
    dismiss,
    find_duplicates,
    match_key,
    merge,
    plan_merge,
    row_set,
    survivor_of,
    undo,
)
from tests.kit import snapshot
from tests.situations.measured.models import Day, Entry

if TYPE_CHECKING:
    from django.db.models import Model

pytestmark = pytest.mark.django_db(databases=["default", "other"])
DAYS = [date(2026, 1, number) for number in range(1, 5)]


class AlwaysDefault:
    """As many projects have it; what it says of no relation is that there is none elsewhere."""

    def db_for_read(self, model: type[Model], **_hints: Any) -> str:
        return "default"

    def db_for_write(self, model: type[Model], **_hints: Any) -> str:
        return "default"


@pytest.fixture(autouse=True)
def _routed(settings: Any) -> None:
    settings.DATABASE_ROUTERS = [f"{__name__}.AlwaysDefault"]
    for day in DAYS:
        Day.objects.using("other").create(key=day, name="x")
        Entry.objects.using("other").create(day_id=day)


def test_rows_are_merged_named_and_brought_back_there() -> None:
    before, untouched = snapshot("other"), snapshot()
    run = merge(plan_merge(match_key(Day, ["name"]), using="other"))
    assert run.merged == 1
    assert set(Entry.objects.using("other").values_list("day", flat=True)) == {DAYS[0]}
    assert survivor_of(Day, DAYS[3], using="other") == DAYS[0]
    undo(run, using="other")
    assert snapshot("other") == before
    assert snapshot() == untouched


def test_groups_are_held_back_there() -> None:
    Day.objects.using("other").filter(key=DAYS[1]).update(note="another")
    Day.objects.using("other").filter(key=DAYS[0]).update(note="one")
    policy = MergePolicy(on_conflict="hold")
    run = merge(plan_merge(match_key(Day, ["name"]), policy=policy, using="other"))
    assert run.held_groups.count() == 1


def test_verdicts_are_kept_there() -> None:
    dismiss(row_set(Day, DAYS), using="other")
    assert find_duplicates(match_key(Day, ["name"]), using="other").groups == 0
