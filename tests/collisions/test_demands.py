"""What the database demands of rows is known to the plan: checks, values taken over, exclusions."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from django.db import connection

from tests.kit import assert_undo_restores, merged, merged_rows, planned, snapshot
from tests.situations.ruled.models import Card, Duty, Follow, Match, Member, Person, Trade

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedupe_toolkit import MergeRun

pytestmark = pytest.mark.django_db


def persons(*names: str) -> list[Person]:
    return [Person.objects.create(name=name) for name in names]


def ann(*values: dict[str, object]) -> list[Person]:
    return [Person.objects.create(name="Ann", **value) for value in values]


def members(*values: dict[str, object]) -> list[Member]:
    """Members of one club that all become one, of one person each."""
    owners = persons(*["Ann"] * len(values))
    return [
        Member.objects.create(owner=owner, club="a", **value)
        for owner, value in zip(owners, values, strict=True)
    ]


def reasons(run: MergeRun) -> list[str]:
    return [group["reason"] for group in run.held_back]


def execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def test_a_row_that_would_point_at_one_row_twice_is_held_back_by_its_check() -> None:
    survivor, duplicate, *_ = persons("Ann", "Ann", "Bob", "Bob")
    follow = Follow.objects.create(who=survivor, whom=duplicate)
    before = snapshot()
    # a row that ties the two together is held back in any case, unless it may stay
    run = merged(Person, "name", collisions={"ruled.Follow.who": "keep"})
    assert reasons(run) == [
        f"ruled.Follow: row {follow.pk} would violate check constraint not_oneself"
    ]
    assert (run.merged, Person.objects.filter(name="Bob").count()) == (1, 1)
    assert_undo_restores(run, before)


def test_a_check_that_only_two_groups_together_would_fail_is_not_failed_by_either() -> None:
    ann, _, bob, bob2 = persons("Ann", "Ann", "Bob", "Bob")
    Follow.objects.create(who=ann, whom=bob2)
    Follow.objects.create(who=bob, whom=ann)
    assert merged(Person, "name").held_back == []


def test_a_check_of_a_reference_against_a_constant() -> None:
    Person.objects.create(pk=13, name="Ann")
    duplicate = Person.objects.create(pk=1300, name="Ann")
    follow = Follow.objects.create(who=Person.objects.create(name="Bob"), whom=duplicate)
    run = merged(Person, "name")
    assert reasons(run) == [
        f"ruled.Follow: row {follow.pk} would violate check constraint not_thirteen"
    ]
    follow.delete()
    assert merged(Person, "name").held_back == []


def test_a_check_of_a_computed_column_that_a_reference_feeds() -> None:
    Person.objects.create(pk=20, name="Ann")
    Person.objects.create(pk=50, name="Ann")
    Trade.objects.create(buyer_id=50, paid=10)
    trade = Trade.objects.create(buyer_id=50, paid=30)
    run = merged(Person, "name")
    assert reasons(run) == [
        f"ruled.Trade: row {trade.pk} would violate check constraint nothing_owed"
    ]
    before = snapshot()
    run = merged(Person, "name", survivor="newest")
    assert run.held_back == []
    assert_undo_restores(run, before)


def test_a_sum_beyond_what_a_check_allows() -> None:
    ann({"points": 60}, {"points": 30}, {"points": 20})
    bobs = [Person.objects.create(name="Bob", points=points) for points in (60, 40)]
    before = snapshot()
    run = merged(Person, "name", field_rules={"points": "sum"})
    survivor = Person.objects.filter(name="Ann").earliest("pk")
    assert reasons(run) == [
        f"ruled.Person: row {survivor.pk} would violate check constraint few_points"
    ]
    assert Person.objects.get(pk=bobs[0].pk).points == 100
    assert_undo_restores(run, before)


def test_values_that_are_filled_or_picked_and_do_not_go_together() -> None:
    ann({"end": 5}, {"start": 7, "end": 9})
    Person.objects.create(name="Bob", start=1, end=3)
    Person.objects.create(name="Bob", start=0, end=4)
    before = snapshot()
    run = merged(Person, "name")
    survivor = Person.objects.filter(name="Ann").earliest("pk")
    assert reasons(run) == [
        f"ruled.Person: row {survivor.pk} would violate check constraint starts_first"
    ]
    assert_undo_restores(run, before)
    run = merged(Person, "name", field_rules={"start": "min", "end": "max"})
    assert (run.held_back, list(Person.objects.order_by("pk").values_list("start", "end"))) == (
        [],
        [(7, 9), (0, 4)],
    )
    assert_undo_restores(run, before)


def test_a_function_whose_value_fails_a_check() -> None:
    rows = ann({"points": 60}, {"points": 70})
    run = merged_rows(Person, *(row.pk for row in rows), field_rules={"points": sum})
    assert reasons(run) == [
        f"ruled.Person: row {rows[0].pk} would violate check constraint few_points"
    ]


def test_a_text_that_is_joined_and_does_not_fit() -> None:
    rows = ann({"motto": "one two"}, {"motto": "three"})
    run = merged(Person, "name", field_rules={"motto": "concat"})
    if connection.vendor == "sqlite":
        assert Person.objects.get().motto == "one two; three"
    else:
        assert reasons(run) == [
            f"ruled.Person: the value computed for motto of row {rows[0].pk} does not fit into"
            f" {'varchar' if connection.vendor == 'mysql' else 'character varying'}(10)"
        ]


def test_a_number_that_is_summed_and_does_not_fit() -> None:
    rows = ann({"end": 2_000_000_000}, {"end": 2_000_000_000})
    run = merged(Person, "name", field_rules={"end": "sum"})
    if connection.vendor == "sqlite":
        assert Person.objects.get().end == 4_000_000_000
    else:
        integer = {"MariaDB": "int(11)", "MySQL": "int"}.get(connection.display_name, "integer")
        assert reasons(run) == [
            f"ruled.Person: the value computed for end of row {rows[0].pk} does not fit into"
            f" {integer}"
        ]


def test_values_taken_over_that_another_row_has_together() -> None:
    stranger = Person.objects.create(name="Bob", area=1, phone="555")
    survivor, _ = ann({"phone": "555"}, {"area": 1, "phone": "777"})
    run = merged(Person, "name")
    assert reasons(run) == [
        f"ruled.Person: rows {stranger.pk} and {survivor.pk} would violate unique (area, phone)"
    ]


def test_values_that_two_survivors_would_take_over_alike() -> None:
    for name in ("Ann", "Bob"):
        Person.objects.create(name=name, phone="555")
    for name, phone in (("Ann", "7"), ("Bob", "8")):
        Person.objects.create(name=name, area=1, phone=phone)
    before = snapshot()
    run = merged(Person, "name")
    assert (run.merged, len(run.held_back)) == (1, 1)
    assert_undo_restores(run, before)


def test_a_unique_value_of_a_duplicate_is_free_for_its_survivor() -> None:
    ann({"phone": "555"}, {"mail": "a@x", "area": 1, "phone": "555"})
    before = snapshot()
    run = merged(Person, "name")
    assert list(Person.objects.values_list("mail", "area", "phone")) == [("a@x", 1, "555")]
    assert_undo_restores(run, before)


def test_a_computed_value_that_is_unique_to_another_row() -> None:
    stranger = Person.objects.create(name="Bob", mail="a; b")
    survivor, _ = ann({"mail": "a"}, {"mail": "b"})
    run = merged(Person, "name", field_rules={"mail": "concat"})
    assert reasons(run) == [
        f"ruled.Person: rows {stranger.pk} and {survivor.pk} would violate unique (mail)"
    ]


def test_rows_merged_one_level_down_keep_to_their_checks() -> None:
    kept, _ = members({"until": 5}, {"since": 7, "until": 9})
    assert reasons(merged(Person, "name", on_collision="merge")) == [
        f"ruled.Member: row {kept.pk} would violate check constraint leaves_last"
    ]
    kept.until = 8
    kept.save()
    before = snapshot()
    run = merged(Person, "name", on_collision="merge")
    assert list(Member.objects.values_list("since", "until")) == [(7, 8)]
    assert_undo_restores(run, before)


def test_rows_merged_one_level_down_keep_to_what_is_unique() -> None:
    stranger = Member.objects.create(
        owner=Person.objects.create(name="Bob"), club="a", seat=1, level=2
    )
    kept, _ = members({"seat": 1}, {"seat": 3, "level": 2})
    assert reasons(merged(Person, "name", on_collision="merge")) == [
        f"ruled.Member: rows {stranger.pk} and {kept.pk} would violate unique (seat, level)"
    ]


def test_what_points_at_rows_merged_one_level_down_keeps_to_its_checks() -> None:
    one, other = members({}, {})
    match = Match.objects.create(home=one, guest=other)
    before = snapshot()
    may_stay = {"ruled.Match.home": "keep"}
    run = merged(Person, "name", on_collision="merge", collisions=may_stay)
    assert reasons(run) == [f"ruled.Match: row {match.pk} would violate check constraint not_alone"]
    assert snapshot() == before


def test_a_row_that_points_at_both_levels_collides_by_both_together() -> None:
    one, other = members({}, {})
    kept = Duty.objects.create(owner=one.owner, member=one)
    lost = Duty.objects.create(owner=other.owner, member=other, note="n")
    run = merged(Person, "name", on_collision="merge")
    assert reasons(run) == [
        f"ruled.Duty: rows {kept.pk} and {lost.pk} would violate unique (owner, member)"
    ]


@contextmanager
def checked_by_hand(condition: str) -> Iterator[None]:
    """Inside, the table of cards has a check that no model declares."""
    if connection.vendor != "sqlite":
        execute(f"ALTER TABLE ruled_card ADD CONSTRAINT by_hand CHECK ({condition})")
        yield
        execute("ALTER TABLE ruled_card DROP CONSTRAINT by_hand")
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT sql FROM sqlite_master WHERE tbl_name = 'ruled_card' AND sql <> ''")
        table, *indexes = (sql for (sql,) in cursor.fetchall())
    for sql in (f"{table[:-1]}, constraint by_hand check/* a (note */({condition}))", table):
        execute("DROP TABLE ruled_card")
        for statement in (sql, *indexes):
            execute(statement)
        if sql != table:
            yield


@pytest.mark.django_db(transaction=True)
def test_a_check_that_only_the_database_has() -> None:
    texts = "kind LIKE 'b%' OR kind = ')' OR kind = '`' OR kind = 'it''s 5%'"
    with checked_by_hand(f"owner_id % 2 = 1 OR {texts}"):
        for key in (1002, 1003):
            Person.objects.create(pk=key, name="Ann")
        for kind in ("b", ")", "it's 5%"):
            Card.objects.create(owner_id=1003, kind=kind)
        before = snapshot()
        assert planned(Person, "name").held_back == ()
        card = Card.objects.create(owner_id=1003, kind="a")
        run = merged(Person, "name")
        assert reasons(run) == [f"ruled.Card: row {card.pk} would violate check constraint by_hand"]
        card.delete()
        assert_undo_restores(merged(Person, "name"), before)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "expression",
    ["substr(kind, 1, 1)", "CASE kind WHEN 'it''s 5%), `\"' THEN 'b' ELSE substr(kind, 1, 1) END"],
    ids=["plain", "text"],
)
def test_a_unique_index_over_expressions_that_only_the_database_has(expression: str) -> None:
    if not connection.features.supports_expression_indexes:
        pytest.skip("has no indexes over expressions")
    execute(f"CREATE UNIQUE INDEX by_hand ON ruled_card ((owner_id * 2), ({expression}))")
    try:
        owners = persons("Ann", "Ann")
        one, other = (
            Card.objects.create(owner=o, kind=k) for o, k in zip(owners, ("ab", "ac"), strict=True)
        )
        run = merged(Person, "name")
        assert reasons(run) == [
            f"ruled.Card: rows {one.pk} and {other.pk} would break unique index by_hand"
        ]
    finally:
        on_table = " ON ruled_card" if connection.vendor == "mysql" else ""
        execute(f"DROP INDEX by_hand{on_table}")


postgres = pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL has these")
BOOKINGS = """
ALTER TABLE ruled_member ADD CONSTRAINT one_at_a_time EXCLUDE USING gist
(int8range(owner_id, owner_id, '[]') WITH &&, int4range(since, until) WITH &&)
WHERE (level IS NULL)
"""


@postgres
def test_rows_that_would_overlap_are_held_back_by_their_exclusion_constraint() -> None:
    execute(BOOKINGS)
    owners = persons("Ann", "Ann", "Bob")
    one, other, _ = (
        Member.objects.create(owner=owner, club=f"{owner.pk}", since=start, until=start + 5)
        for owner, start in zip(owners, (1, 3, 2), strict=True)
    )
    Member.objects.create(owner=owners[1], club="b", since=1, until=3, level=1)
    run = merged(Person, "name")
    assert reasons(run) == [
        f"ruled.Member: rows {one.pk} and {other.pk} would violate"
        " exclusion constraint one_at_a_time"
    ]
    Member.objects.filter(pk=other.pk).update(since=6, until=7)
    before = snapshot()
    run = merged(Person, "name")
    assert (run.held_back, Member.objects.filter(owner=owners[0]).count()) == ([], 3)
    assert_undo_restores(run, before)


@postgres
def test_a_domain_demands_of_references_what_it_demands() -> None:
    execute("CREATE DOMAIN low AS bigint CHECK (VALUE < 1000)")
    execute("ALTER TABLE ruled_card ALTER owner_id TYPE low")
    for key in (1001, 999):
        Person.objects.create(pk=key, name="Ann")
    card = Card.objects.create(owner_id=999, kind="a")
    run = merged(Person, "name", survivor="newest")
    assert reasons(run) == [f"ruled.Card: row {card.pk} would violate check constraint low_check"]
    assert merged(Person, "name").held_back == []


@postgres
def test_a_check_that_old_rows_need_not_meet_is_asked_of_every_row_that_changes() -> None:
    owners = persons("Ann", "Ann", "Bob", "Bob")
    one, other = (Card.objects.create(owner=owners[n], kind="old") for n in (1, 2))
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    execute("ALTER TABLE ruled_card ADD CONSTRAINT by_hand CHECK (kind <> 'old') NOT VALID")
    run = merged(Person, "name")
    assert reasons(run) == [f"ruled.Card: row {one.pk} would violate check constraint by_hand"]
    assert Card.objects.filter(pk=other.pk, owner=owners[2]).exists()


@postgres
def test_a_unique_rule_that_is_checked_at_commit_is_kept_as_well() -> None:
    execute(
        "ALTER TABLE ruled_person ADD CONSTRAINT later UNIQUE (start, motto)"
        " DEFERRABLE INITIALLY DEFERRED"
    )
    stranger = Person.objects.create(name="Bob", start=1, motto="go")
    survivor, _ = ann({"motto": "go"}, {"start": 1})
    assert reasons(merged(Person, "name")) == [
        f"ruled.Person: rows {stranger.pk} and {survivor.pk} would violate unique (start, motto)"
    ]
