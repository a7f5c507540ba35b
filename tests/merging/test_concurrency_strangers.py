"""Other sessions add rows to tables without a model that point at rows about to go, or to move.

The batch finds such rows before it locks what is merged one level down, or discarded.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from django.db import connection, transaction

from tests.concurrency_kit import (
    Session,
    before_a_row_changes,
    committing,
    merge_equal,
    on_a_server,
    run_sql,
)
from tests.situations.keyed.models import Account, Settings
from tests.situations.rivals.models import Membership, Team, User

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model

pytestmark = [committing, on_a_server]


@contextmanager
def strangers(model: type[Model], action: str) -> Iterator[None]:
    """Inside, a table that no model has points at the model's rows."""
    table, key = model._meta.db_table, model._meta.pk.column
    run_sql(
        "CREATE TABLE stranger (at bigint NOT NULL,"
        f" FOREIGN KEY (at) REFERENCES {table} ({key}) {action})"
    )
    try:
        yield
    finally:
        run_sql("DROP TABLE stranger")


def point_at(key: int) -> None:
    with transaction.atomic():
        run_sql("INSERT INTO stranger VALUES (%s)", key)


def pointing() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT at FROM stranger")
        return [key for (key,) in cursor.fetchall()]


@pytest.mark.parametrize("action", ["", "ON DELETE CASCADE"])
@pytest.mark.parametrize(
    ("on_collision", "roles"), [("merge", "ab"), ("discard", "ab"), ("hold", "aa")]
)
def test_a_row_that_comes_to_point_at_a_rival_during_the_batch_holds_its_group_back(
    other: Session, on_collision: str, roles: str, action: str
) -> None:
    team = Team.objects.create(name="Red")
    _, second = (
        Membership.objects.create(user=User.objects.create(name="Ann"), team=team, role=role)
        for role in roles
    )
    with strangers(Membership, action):
        with before_a_row_changes(lambda: other.do(point_at, second.pk)):
            run = merge_equal(User, "name", on_collision=on_collision)
        assert pointing() == [second.pk]
    assert (run.merged, run.groups_held_back) == (0, 1)
    assert "stranger.at points at" in run.held_back[0]["reason"]
    assert Membership.objects.count() == 2


def test_a_row_that_comes_to_point_at_a_key_that_moves_during_the_batch_holds_its_group_back(
    other: Session,
) -> None:
    first, second = (Account.objects.create(name="Ann") for _ in range(2))
    Settings.objects.create(account=second)
    with strangers(Settings, ""):
        with before_a_row_changes(lambda: other.do(point_at, second.pk)):
            run = merge_equal(Account, "name")
        assert pointing() == [second.pk]
    assert (run.merged, run.groups_held_back) == (0, 1)
    assert Settings.objects.get().pk == second.pk != first.pk
