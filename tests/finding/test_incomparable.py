"""What the database has no order for is refused in one line, by whatever names it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection, transaction

from dedupe_toolkit import MergePolicy, find_duplicates, match_key, plan_merge, row_set
from dedupe_toolkit.errors import InvalidMatchKey, InvalidOption
from dedupe_toolkit.reviewing.dismissals import dismiss
from tests.queue.scanning import scanned
from tests.references.naming import rows_of, run
from tests.situations.odd.models import Person

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(
        connection.vendor != "postgresql", reason="the values of each type have an order"
    ),
]


@pytest.fixture(params=["json", "xml", "point"])
def kind(request: Any) -> Iterator[str]:
    run("ALTER TABLE odd_person DROP COLUMN data")
    run(f"ALTER TABLE odd_person ADD data {request.param}")
    run("INSERT INTO odd_person (name, email) VALUES ('x', ''), ('x', '')")
    before = rows_of("odd_person")
    yield request.param
    assert rows_of("odd_person") == before


def test_a_key_of_values_that_nothing_compares_is_refused(kind: str) -> None:
    told = rf"Person: the database 'default' cannot compare .* type {kind}\)"
    rows = row_set(Person, Person.objects.values_list("pk", flat=True))
    for call in (find_duplicates, plan_merge, scanned, lambda key: dismiss(rows, key=key)):
        with pytest.raises(InvalidMatchKey, match=told), transaction.atomic():
            call(match_key(Person, ["data"]))


@pytest.mark.parametrize("rule", ["min", "max"])
def test_a_field_rule_that_would_sort_them_is_refused(kind: str, rule: str) -> None:
    policy = MergePolicy(field_rules={"data": rule})
    told = rf"data={rule}: .* odd.Person.data in order.* is {kind};"
    with pytest.raises(InvalidOption, match=told):
        plan_merge(match_key(Person, ["name"]), policy=policy)


def test_a_survivor_rule_that_would_sort_them_is_refused(kind: str) -> None:
    key = match_key(Person, ["name"])
    with pytest.raises(InvalidMatchKey, match="or the survivor rule"), transaction.atomic():
        plan_merge(key, policy=MergePolicy(survivor="-data"))


def test_other_rules_take_them(kind: str) -> None:
    run("UPDATE odd_person SET data = NULL")
    policy = MergePolicy(field_rules={"data": "newest", "name": "max"})
    assert plan_merge(match_key(Person, ["name"]), policy=policy).mergeable == 1
