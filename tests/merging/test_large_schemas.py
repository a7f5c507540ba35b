"""A few rows in a large schema: what counts is what points at them, not what could."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dedupe_toolkit import MergePolicy, match_key, merge, plan_merge, row_set, undo
from dedupe_toolkit.databases import database
from dedupe_toolkit.databases.mysql_server import MySQL
from dedupe_toolkit.mapping import mapping
from dedupe_toolkit.signals import pre_merge
from tests.merging.large_schema import Schema, schema_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.django_db

FEW, MANY = 40, 130


@pytest.fixture(scope="module")
def few(django_db_setup: None, django_db_blocker: Any) -> Iterator[Schema]:
    with django_db_blocker.unblock(), schema_of(FEW) as schema:
        yield schema


@pytest.fixture(scope="module")
def many(django_db_setup: None, django_db_blocker: Any) -> Iterator[Schema]:
    with django_db_blocker.unblock(), schema_of(MANY) as schema:
        yield schema


def functions(action: Callable[[], object]) -> int:
    """How many functions an action calls: what it costs, whatever else the machine has to do."""
    counted = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal counted
        counted += event == "call"

    sys.setprofile(count)
    try:
        action()
    finally:
        sys.setprofile(None)
    return counted


def planning(schema: Schema) -> int:
    schema.owners(2)
    return functions(lambda: plan_merge(match_key(schema.owner, ["name"])))


def test_what_a_plan_calls_grows_with_the_schema_and_not_with_its_square(
    few: Schema, many: Schema
) -> None:
    planning(few)  # what is found once for all is no part of either
    assert planning(many) < planning(few) * MANY / FEW


def statements(action: Callable[[], Any]) -> tuple[int, Any]:
    """How many statements an action takes, and what it returns."""
    with CaptureQueriesContext(connection) as queries:
        found = action()
    return len(queries), found


@dataclass(frozen=True)
class Cost:
    """The statements of a plan, of its merge, and of undoing that."""

    plan: int
    merge: int
    undo: int


def cost(schema: Schema, *rows: Any, **options: Any) -> Cost:
    """What it takes to make one row of some, and two of that one again."""
    source = row_set(schema.owner, [row.pk for row in rows])
    planning, plan = statements(lambda: plan_merge(source, policy=MergePolicy(**options)))
    assert not plan.held_back
    merging, run = statements(lambda: merge(plan))
    assert run.rows_merged == len(rows) - 1
    undoing, _ = statements(lambda: undo(run))
    return Cost(plan=planning, merge=merging, undo=undoing)


def test_tables_without_rows_cost_no_statement(few: Schema, many: Schema) -> None:
    assert cost(many, *many.owners(2)) == cost(few, *few.owners(2))


def test_a_pair_costs_no_more_than_is_documented(many: Schema) -> None:
    found = cost(many, *many.owners(2))
    assert found.plan <= 27
    assert found.merge <= 40


def indexed(action: Callable[[], Any]) -> int:
    """How many indexes an action makes, of work tables."""
    with CaptureQueriesContext(connection) as queries:
        action()
    return sum("CREATE INDEX" in query["sql"] for query in queries)


@pytest.mark.skipif(connection.vendor == "mysql", reason="indexes are made with their tables")
def test_a_few_rows_are_looked_through_without_an_index(few: Schema) -> None:
    for number, is_indexed in ((2, False), (mapping.FEW + 1, True)):
        source = row_set(few.owner, [row.pk for row in few.owners(number)])
        assert bool(indexed(lambda source=source: plan_merge(source))) is is_indexed


@pytest.mark.skipif(connection.vendor == "mysql", reason="indexes are made with their tables")
def test_a_batch_of_many_rows_is_indexed_although_the_one_before_had_a_few(few: Schema) -> None:
    rows = []
    for number, name in ((2, "Ann"), (mapping.FEW + 1, "Bob")):
        rows += [few.owner._base_manager.create(name=name) for _ in range(number)]
        few.point(few.referring[0], rows[-1])
    policy = MergePolicy(batch_size=1)
    plan = plan_merge(
        match_key(few.owner, ["name"], where={"name__in": ["Ann", "Bob"]}), policy=policy
    )
    assert indexed(lambda: merge(plan)) > 0
    assert few.owner._base_manager.filter(name__in=["Ann", "Bob"]).count() == 2


def test_a_row_in_each_table_costs_two_statements_more_to_merge(many: Schema) -> None:
    one, other = many.owners(2)
    for model in many.referring:
        many.point(model, other)
    found = cost(many, one, other)
    # a statement that names a work table twice takes MySQL one more
    more = 5 if isinstance(database("default"), MySQL) else 0
    assert found.plan <= 30 + more
    assert found.merge <= 40 + 2 * MANY + more
    assert found.undo <= 40 + 7 * MANY


def test_more_rows_than_one_statement_may_hold_are_merged_as_well(few: Schema) -> None:
    few.owner._base_manager.bulk_create([few.owner(name="many") for _ in range(1_100)])
    owners = few.owner._base_manager.filter(name="many").order_by("pk")
    kept, last = owners[0], owners[1_099]
    rows = [few.point(model, last) for model in few.referring]
    run = merge(plan_merge(match_key(few.owner, ["name"])))
    assert run.rows_merged == 1_099
    assert sum(found["repointed"] for found in run.references) == len(rows)
    assert owners.get() == kept


def test_every_reference_follows_and_comes_back(many: Schema) -> None:
    one, other = many.owners(2)
    rows = [many.point(model, other) for model in many.referring]
    before = [list(model._base_manager.values()) for model in many.referring]
    run = merge(plan_merge(row_set(many.owner, [one.pk, other.pk])))
    assert {c["repointed"] for c in run.references} == {1}
    assert len(run.references) == len(rows)
    undo(run)
    assert [list(model._base_manager.values()) for model in many.referring] == before


def test_rows_that_a_receiver_adds_where_there_were_none_follow(many: Schema) -> None:
    one, other = many.owners(2)
    plan = plan_merge(row_set(many.owner, [one.pk, other.pk]))
    rows = []

    def add(**_: Any) -> None:
        rows.extend(many.point(model, other) for model in many.referring if has_owner(model))

    pre_merge.connect(add, sender=many.owner)
    try:
        run = merge(plan)
    finally:
        pre_merge.disconnect(add, sender=many.owner)
    for row in rows:
        row.refresh_from_db()
    assert {row.owner_id for row in rows} == {one.pk}
    assert sum(found["repointed"] for found in run.references) == len(rows)


def has_owner(model: Any) -> bool:
    return any(field.name == "owner" for field in model._meta.fields)
