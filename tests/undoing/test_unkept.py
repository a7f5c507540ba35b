"""Only what an undo has to bring back is asked whether it would come back as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection, transaction

from dedupe_toolkit import (
    CustomReference,
    MergePolicy,
    match_key,
    merge,
    plan_merge,
    register,
    row_set,
    undo,
)
from dedupe_toolkit.errors import InvalidMatchKey
from dedupe_toolkit.registry import unregister
from dedupe_toolkit.reviewing.preview import preview_merge
from tests.kit import merged
from tests.references.naming import made, rows_of, run
from tests.situations.named.models import Plain, PlainText
from tests.situations.odd.models import Audit, Passport, Person

from .test_exact_undo import VENDOR, dumped, only, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

pytestmark = pytest.mark.django_db(transaction=not connection.features.can_rollback_ddl)
typed = pytest.mark.usefixtures("typed_json")

DECIMAL = "JSON_OBJECT('a', CAST('1.5' AS DECIMAL(9, 1)))"
"""JSON that equals what is read of its text, and is of another type."""


@pytest.fixture
def typed_json(db: None) -> None:
    if connection.display_name != "MySQL":
        pytest.skip("JSON is what its text says")


@pytest.fixture
def heirs() -> Iterator[list[Any]]:
    """Two groups, a row of the first in a table that inherits."""
    with plain(""):
        run("CREATE TABLE named_heir (more integer) INHERITS (named_plain)")
        run("INSERT INTO named_plain VALUES (2, 'x', 'n'), (3, 'y', ''), (4, 'y', '')")
        run("INSERT INTO named_heir VALUES (1, 'x', '', 7)")
        run("INSERT INTO named_plaintext VALUES (1, 2), (2, 4)")
        yield [rows_of("named_heir"), *dumped()]
        run("DROP TABLE named_heir")


@only(VENDOR != "postgresql", reason="no table inherits from another")
def test_a_survivor_in_a_table_that_inherits_stays_there(heirs: list[Any]) -> None:
    rows = row_set(Plain, [1, 2])
    assert preview_merge(rows) == plan_merge(rows)
    done = merged(Plain, "name")
    assert done.merged == 2
    assert rows_of("named_heir") == ["(1, 'x', 'n', 7)"]
    assert set(PlainText.objects.values_list("plain_id", flat=True)) == {1, 3}
    undo(done)
    assert [rows_of("named_heir"), *dumped()] == heirs


@only(VENDOR != "postgresql", reason="no table inherits from another")
def test_a_survivor_that_no_foreign_key_reaches_holds_its_group_back(heirs: list[Any]) -> None:
    run("ALTER TABLE named_plaintext ADD FOREIGN KEY (plain_id) REFERENCES named_plain (id)")
    done = merged(Plain, "name")
    told = "named.PlainText.plain would point at row 1 of named.Plain, which stands in a table"
    assert told in done.held_back[0]["reason"]
    assert done.merged == 1
    undo(done)
    assert [rows_of("named_heir"), *dumped()] == heirs


@only(VENDOR != "postgresql", reason="no table inherits from another")
@pytest.mark.parametrize("key", [1, 2])
def test_a_key_that_a_row_of_a_table_that_inherits_has_as_well_holds_its_group_back(
    key: int, heirs: list[Any]
) -> None:
    run("DELETE FROM named_heir", "INSERT INTO named_plain VALUES (1, 'x', '')")
    run(f"INSERT INTO named_heir VALUES ({key}, 'z', '', 7)")
    before = [rows_of("named_heir"), *dumped()]
    done = merged(Plain, "name")
    told = f"named.Plain: no undo could bring back row {key} as it is: another has the same key"
    assert done.held_back[0]["reason"].startswith(told)
    assert done.merged == 1
    undo(done)
    assert [rows_of("named_heir"), *dumped()] == before


@only(VENDOR != "postgresql", reason="no table inherits from another")
def test_a_key_that_two_rows_have_that_point_at_a_group_holds_it_back(heirs: list[Any]) -> None:
    with made(("named_textheir", "() INHERITS (named_plaintext)")):
        run("INSERT INTO named_textheir VALUES (1, 4)")
        before = [rows_of("named_textheir"), *dumped()]
        rows = row_set(Plain, [1, 2])
        assert preview_merge(rows) == plan_merge(rows)
        done = merged(Plain, "name")
        told = "named.PlainText: no undo could bring back row 1 as it is: another has the same key"
        assert [held["reason"].startswith(told) for held in done.held_back] == [True, True]
        assert [rows_of("named_textheir"), *dumped()] == before
        run("DELETE FROM named_textheir")
        done = merged(Plain, "name")
        assert done.merged == 2
        undo(done)
        assert [rows_of("named_heir"), *dumped()] == heirs


@only(VENDOR != "postgresql", reason="no table inherits from another")
def test_one_key_in_both_tables_of_a_group_is_refused_in_one_line(heirs: list[Any]) -> None:
    run("INSERT INTO named_plain VALUES (1, 'x', '')")
    told = r"named\.Plain: the database 'default' does not tell two rows.*\(member_0\)=\(1\)"
    with pytest.raises(InvalidMatchKey, match=told), transaction.atomic():
        plan_merge(match_key(Plain, ["name"]))


@only(VENDOR != "sqlite", reason="a column holds values of its own type alone")
def test_a_preview_tells_of_keys_of_another_type_among_what_points_at_the_rows() -> None:
    with (
        made(("named_plain", "(id integer PRIMARY KEY, name text NOT NULL, note text)")),
        made(("named_plaintext", "(id varchar(9) PRIMARY KEY, plain_id integer NOT NULL)")),
    ):
        run("INSERT INTO named_plain VALUES (1, 'x', ''), (2, 'x', '')")
        run("INSERT INTO named_plaintext VALUES (x'41', 2)")
        plan = plan_merge(row_set(Plain, [1, 2]))
        assert "named.PlainText: id of row" in str(plan.held_back[0].reason)
        assert preview_merge(row_set(Plain, [1, 2])) == plan


@typed
def test_json_of_a_row_that_stays_is_not_asked_for() -> None:
    with plain(", extra JSON"):
        run(f"INSERT INTO named_plain VALUES (1, 'x', '', {DECIMAL}), (2, 'x', 'n', '[1]')")
        run("INSERT INTO named_plaintext VALUES (1, 2)")
        before = dumped("extra")
        done = merged(Plain, "name")
        assert done.merged == 1
        undo(done)
        assert dumped("extra") == before
        assert _types("named_plain", "extra") == [(1, "DECIMAL"), (2, None)]


@typed
def test_a_decimal_in_json_is_told_by_its_type_and_holds_its_group_back() -> None:
    with plain(", extra JSON"):
        run(f"INSERT INTO named_plain VALUES (1, 'x', '', NULL), (2, 'x', '', {DECIMAL})")
        run("INSERT INTO named_plain VALUES (3, 'y', '', '[1.5]'), (4, 'y', '', '[[10, 1e3]]')")
        done = merged(Plain, "name")
        assert "row 2 as it is: extra holds JSON" in done.held_back[0]["reason"]
        assert done.merged == 1


@typed
@pytest.mark.parametrize(("rule", "is_held"), [("fill", False), ("newest", True)])
def test_json_that_a_rule_writes_over_is_asked_for(rule: str, is_held: bool) -> None:
    first = Person.objects.create(name="x")
    Person.objects.create(name="x", data=[1])
    run(f"UPDATE odd_person SET data = {DECIMAL} WHERE id = {first.pk}")
    policy = MergePolicy(field_rules={"data": rule})
    done = merge(plan_merge(match_key(Person, ["name"]), policy=policy))
    assert done.groups_held_back == is_held
    if is_held:
        assert f"row {first.pk} as it is: data holds JSON" in done.held_back[0]["reason"]


@typed
def test_json_that_is_written_again_beside_what_is_filled_is_asked_for() -> None:
    with plain(", extra JSON, CHECK (note <> 'never' OR extra IS NULL)"):
        run(f"INSERT INTO named_plain VALUES (1, 'x', '', {DECIMAL}), (2, 'x', 'n', NULL)")
        run("INSERT INTO named_plain VALUES (3, 'y', 'n', NULL), (4, 'y', 'n', '[4]')")
        done = merged(Plain, "name")
        assert "row 1 as it is: extra holds JSON" in done.held_back[0]["reason"]
        assert done.merged == 1


class _People(CustomReference):
    def keys(self, value: Any) -> Iterable[Any]:
        return [value["key"]]

    def replaced(self, value: Any, survivors: Mapping[Any, Any]) -> Any:
        return {**value, "key": survivors.get(value["key"], value["key"])}


@typed
@pytest.mark.parametrize(
    "reference", ["odd.Audit.payload__key", _People("odd.Audit.payload")], ids=["path", "custom"]
)
def test_json_that_holds_a_key_and_would_not_come_back_holds_its_group_back(reference: Any) -> None:
    keys = [Passport.objects.create(number=number).pk for number in "AABB"]
    for key in keys:
        Audit.objects.create(payload={"key": key})
    run(
        f"UPDATE odd_audit SET payload = JSON_MERGE_PATCH({DECIMAL}, payload) WHERE"
        f" payload->'$.key' = {keys[1]}"
    )
    before = rows_of("odd_audit")
    register(Passport, references=[reference])
    try:
        rows = row_set(Passport, keys[:2])
        assert preview_merge(rows) == plan_merge(rows)
        plan = plan_merge(match_key(Passport, ["number"]))
        assert "as it is: payload holds JSON" in str(plan.held_back[0].reason)
        done = merge(plan)
        assert done.merged == 1
        undo(done)
    finally:
        unregister(Passport)
    assert rows_of("odd_audit") == before


@typed
def test_json_whose_text_is_longer_than_the_server_allows_holds_its_group_back() -> None:
    with plain(", extra JSON"), connection.cursor() as cursor:
        cursor.execute("SELECT @@max_allowed_packet")
        (limit,) = cursor.fetchone()
        number = "-1.2345678901234567e-100,"  # a few bytes, and a long text
        half = f"CONCAT('[', REPEAT('{number}', {limit * 2 // 3 // len(number)}), '0]')"
        run("INSERT INTO named_plain VALUES (1, 'x', '', NULL), (3, 'y', '', '1')")
        run("INSERT INTO named_plain VALUES (4, 'y', '', '2')")
        run(f"INSERT INTO named_plain VALUES (2, 'x', '', {half})")
        run("UPDATE named_plain SET extra = JSON_MERGE_PRESERVE(extra, extra) WHERE id = 2")
        plan = plan_merge(match_key(Plain, ["name"]))
        assert "extra of row 2 is longer than the journal" in str(plan.held_back[0].reason)
        assert merge(plan).merged == 1


def _types(table: str, column: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id, JSON_TYPE({column}->'$.a') FROM {table} ORDER BY id")
        return list(cursor.fetchall())
