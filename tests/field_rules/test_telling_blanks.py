"""A blank can be an answer: nothing fills it, and what is not deleted survives what is."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from dedupe_toolkit import MergePolicy, find_duplicates, match_key, row_set
from dedupe_toolkit.errors import InvalidOption
from dedupe_toolkit.registry import declared_policy
from dedupe_toolkit.reviewing.side_by_side import side_by_side
from tests.kit import assert_undo_restores, merged, merged_rows, planned, snapshot
from tests.situations.blanks.models import Key, Licence, Member, Setting, Use

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db

GONE = datetime(2024, 1, 3, tzinfo=UTC)
LATER = datetime(2024, 1, 5, tzinfo=UTC)


def keys(*rows: dict[str, Any]) -> list[Key]:
    return [Key.everything.create(name="a", **row) for row in rows]


def shown() -> list[int]:
    return list(Key.objects.values_list("pk", flat=True))


def survivor(rule: Any = "oldest") -> int:
    found = find_duplicates(match_key(Key, ["name"]), survivor=rule)
    return int(found.duplicate_groups[0].survivor)


# dates and times


def test_what_never_expires_goes_on_never_expiring() -> None:
    Licence.objects.create(name="x")
    Licence.objects.create(name="x", expires=date(2024, 1, 1), opens=time(9), seats=5, plan="pro")
    before = snapshot()
    run = merged(Licence, "name")
    assert Licence.objects.values_list("expires", "opens", "seats", "plan").get() == (
        None,
        None,
        5,
        "pro",
    )
    assert_undo_restores(run, before)


def test_a_rule_fills_dates() -> None:
    Licence.objects.create(name="x")
    Licence.objects.create(name="x", expires=date(2024, 1, 1), opens=time(9))
    merged(Licence, "name", field_rules={"expires": "fill", "opens": "max"})
    assert Licence.objects.values_list("expires", "opens").get() == (date(2024, 1, 1), time(9))


def test_no_date_beside_a_date_is_a_difference() -> None:
    for expires in (None, date(2024, 1, 1)):
        Licence.objects.create(name="x", expires=expires)
    (told,) = planned(Licence, "name").differences
    assert (told.field, told.groups, told.values) == ("expires", 1, 1)
    (held,) = planned(Licence, "name", on_conflict="hold").held_back
    assert "differ in expires (--field-rule expires=survivor)" in held.reason
    plan = planned(Licence, "name", on_conflict="hold", field_rules={"expires": "survivor"})
    assert plan.held_back == ()


def test_rows_without_dates_do_not_differ() -> None:
    for seats in (None, 3):
        Licence.objects.create(name="x", seats=seats)
    assert planned(Licence, "name", on_conflict="hold").held_back == ()
    assert planned(Licence, "name").differences == ()


def test_dates_that_belong_together_come_along_but_ask_for_nothing(
    declare: Callable[..., None],
) -> None:
    declare(Licence, together=("seats", "expires"))
    Licence.objects.create(name="x")
    Licence.objects.create(name="x", expires=date(2023, 1, 1))
    Licence.objects.create(name="x", expires=date(2024, 1, 1), seats=5)
    merged(Licence, "name")
    assert Licence.objects.values_list("expires", "seats").get() == (date(2024, 1, 1), 5)


# rows that a default manager hides


def test_a_live_row_survives_the_deleted_ones() -> None:
    gone, live, _ = keys({"deleted_at": GONE}, {}, {"deleted_at": LATER, "token": "t"})
    Use.objects.create(key=gone)
    before = snapshot()
    run = merged(Key, "name")
    assert shown() == [live.pk]
    assert (Use.objects.get().key_id, Key.objects.get().token) == (live.pk, "t")
    assert_undo_restores(run, before)


@pytest.mark.parametrize("rule", ["oldest", "newest", "most-complete", "most-referenced", "-used"])
def test_live_rows_come_first_whatever_the_survivor_rule(rule: str) -> None:
    rows = keys(
        {"deleted_at": GONE, "token": "t", "used": 9},
        {},
        {"used": 1},
        {"state": "archived", "token": "t", "used": 9},
    )
    for row in (rows[0], rows[3], rows[3], rows[2]):
        Use.objects.create(key=row)
    expected = {"oldest": 1, "newest": 2, "most-complete": 1, "most-referenced": 2, "-used": 2}
    assert survivor(rule) == rows[expected[rule]].pk
    merged(Key, "name", survivor=rule)
    assert shown() == [rows[expected[rule]].pk]


def test_an_ordering_by_what_hides_rows_is_followed() -> None:
    first, live, last = keys({"deleted_at": GONE}, {}, {"deleted_at": LATER})
    assert survivor("deleted_at") == first.pk
    assert survivor("-deleted_at") == last.pk
    assert survivor("deleted_at nulls-first") == live.pk
    assert survivor("-deleted_at nulls-first") == live.pk
    assert survivor([F("deleted_at").desc(nulls_last=True)]) == last.pk


def test_live_rows_are_not_filled_out_of_sight() -> None:
    live, _ = keys({}, {"state": "archived", "deleted_at": GONE, "token": "t"})
    merged(Key, "name")
    assert shown() == [live.pk]
    assert Key.objects.get().token == "t"
    # and back in sight neither
    Key.everything.all().delete()
    keys({"state": "archived"}, {"deleted_at": GONE})
    merged(Key, "name")
    assert shown() == []


def test_a_rule_may_hide_the_survivor() -> None:
    keys({}, {"state": "archived"})
    merged(Key, "name", field_rules={"state": "fill"})
    assert shown() == []


def test_the_plan_says_which_rows_are_hidden() -> None:
    keys({"deleted_at": GONE}, {}, {"deleted_at": LATER})
    about = "blanks.Key: 2 of these rows are hidden by its default manager (deleted_at, state)"
    assert planned(Key, "name").warnings == (
        f"{about}; rows that it shows survive before hidden ones",
    )
    assert planned(Key, "name", survivor="-deleted_at").warnings == (
        f"{about}; the survivor rule decides whether they survive others",
        "blanks.Key: rows that its default manager shows would merge into hidden ones in 1 group",
    )


def test_a_plan_of_rows_that_are_all_shown_says_nothing_of_hiding() -> None:
    keys({}, {})
    assert planned(Key, "name").warnings == ()


def test_rows_named_one_by_one_survive_as_named() -> None:
    gone, live = keys({"deleted_at": GONE}, {})
    merged_rows(Key, gone.pk, live.pk, into=gone.pk)
    assert shown() == []
    gone, live = keys({"deleted_at": GONE}, {})
    merged_rows(Key, gone.pk, live.pk)
    assert shown() == [live.pk]


def test_live_rivals_win_too() -> None:
    first, second = keys({}, {})
    Setting._base_manager.create(key=first, deleted_at=GONE, value="old")
    live = Setting._base_manager.create(key=second)
    before = snapshot()
    run = merged(Key, "name", on_collision="merge")
    assert Setting.objects.values_list("pk", "value").get() == (live.pk, "old")
    assert_undo_restores(run, before)


def test_among_live_rivals_that_of_the_survivor_wins() -> None:
    first, second = keys({}, {})
    Setting._base_manager.create(key=second, value="theirs")
    own = Setting._base_manager.create(key=first, value="own")
    merged(Key, "name", on_collision="merge")
    assert Setting.objects.values_list("pk", "value").get() == (own.pk, "own")


def test_a_model_that_hides_nothing_costs_nothing() -> None:
    for _ in range(2):
        Licence.objects.create(name="x")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        planned(Licence, "name")
    assert not any("EXISTS(" in query["sql"] for query in queries)


# conditions of constraints


def test_members_are_not_filled_out_of_a_unique_rule() -> None:
    Member.objects.create(name="a", email="a@x")
    Member.objects.create(name="a", email="a@x", left_because="bored", card="7")
    merged(Member, "name")
    assert Member.objects.values_list("left_because", "card").get() == ("", "7")
    Member.objects.create(name="a", left_because="bored")
    merged(Member, "name", field_rules={"left_because": "fill"})
    assert Member.objects.get().left_because == "bored"


# what is shown, and said


def test_rows_side_by_side_fill_no_blank_that_says_something() -> None:
    live, gone = keys({}, {"state": "archived", "deleted_at": GONE, "token": "t"})
    source = row_set(Key, [live.pk, gone.pk])
    lines = {line.field.name: line for line in side_by_side(source).lines}
    filled = {
        name
        for name, line in lines.items()
        if any(line.cell(place).fills for place in range(len(line.rows)))
    }
    assert filled == {"token"}
    policy = MergePolicy(field_rules={"state": "fill", "deleted_at": "fill"})
    lines = {line.field.name: line for line in side_by_side(source, policy=policy).lines}
    filled = {
        name
        for name, line in lines.items()
        if any(line.cell(place).fills for place in range(len(line.rows)))
    }
    assert filled == {"state", "deleted_at", "token"}


def test_the_command_and_declarations_take_the_same_word(declare: Callable[..., None]) -> None:
    _, live, _ = keys({"deleted_at": GONE}, {}, {"deleted_at": LATER})
    out = StringIO()
    call_command(
        "find_duplicates",
        "blanks.Key",
        fields=["name"],
        survivor="-deleted_at nulls-first,used",
        format="csv",
        stdout=out,
    )
    assert f",{live.pk}," in out.getvalue()
    declare(Key, survivor="-deleted_at nulls-first")
    assert survivor(declared_policy(Key).survivor) == live.pk


def test_what_nulls_first_is_not_is_said() -> None:
    keys({}, {})
    with pytest.raises(InvalidOption, match="'null-first' after deleted_at is not one of"):
        survivor("deleted_at null-first")
