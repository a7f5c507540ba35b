"""Rows that point at a key that moves, by foreign keys that the database has of its own.

Django's do nothing by themselves and are checked at commit. Others act at once: they let rows
follow, empty what they hold, or refuse.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection

from dedupe_toolkit import merge, undo
from dedupe_toolkit.errors import UndoRefused
from tests.kit import assert_undo_restores, counts, merged, planned, snapshot
from tests.references.naming import called, made
from tests.situations.keyed.models import Account, Settings, Shortcut

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db(transaction=not connection.features.can_rollback_ddl)
ACTIONS = ["CASCADE", "SET NULL", "NO ACTION", "RESTRICT"]


@contextmanager
def pointing(action: str, when: str = "") -> Iterator[None]:
    """Shortcuts whose foreign key to settings, and to their key, does this when it moves."""
    name = "keyed_made"
    key = f"FOREIGN KEY (settings_id) REFERENCES keyed_settings (account_id) ON UPDATE {action}"
    columns = f"id integer PRIMARY KEY, settings_id bigint, keys varchar(20) NOT NULL, {key} {when}"
    if connection.vendor == "mysql":
        columns = columns.replace(" keys ", " `keys` ")
    with made((name, f"({columns})")), called(Shortcut, name):
        yield


def settle() -> Any:
    """Two accounts of one name, of which the second has settings with a shortcut."""
    _, second = (Account.objects.create(name="Ann") for _ in range(2))
    settings = Settings.objects.create(account=second, theme="dark")
    Shortcut.objects.create(id=1, settings=settings, keys="ctrl-c")
    return settings


def moved_and_back() -> None:
    before = snapshot()
    done = merged(Account, "name")
    assert [one.pk for one in Settings.objects.all()] == [Account.objects.get().pk]
    assert Shortcut.objects.get().settings_id == Account.objects.get().pk
    assert counts(done, "keyed.Shortcut.settings") == (1, 0, 0)
    assert_undo_restores(done, before)


@pytest.mark.parametrize("action", ACTIONS)
def test_rows_follow_a_key_that_moves_whatever_their_own_key_would_do(action: str) -> None:
    can_wait = connection.vendor == "postgresql"
    with pointing(action, "DEFERRABLE" if can_wait else ""):
        settle()
        moved_and_back()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="others can always be made to wait")
@pytest.mark.parametrize("action", ACTIONS)
def test_rows_that_cannot_follow_hold_their_group_back_and_are_named_by_the_plan(
    action: str,
) -> None:
    with pointing(action):
        settings = settle()
        if action == "CASCADE":
            moved_and_back()
            return
        before = snapshot()
        plan = planned(Account, "name")
        (held,) = plan.held_back
        assert held.reason == (
            "keyed.Shortcut.settings: row 1 points at a row of keyed.Settings whose key moves, and"
            " its foreign key lets it follow neither before nor after: make it DEFERRABLE, or ON"
            " UPDATE CASCADE"
        )
        assert merge(plan).merged == 0
        assert snapshot() == before
        Shortcut.objects.all().delete()
        assert merged(Account, "name").merged == 1
        assert Settings.objects.get().theme == settings.theme


def test_a_row_that_followed_and_was_changed_since_is_in_the_way_of_undo() -> None:

    with pointing("SET NULL", "DEFERRABLE" if connection.vendor == "postgresql" else ""):
        settle()
        done = merged(Account, "name")
        Shortcut.objects.update(settings=None)
        with pytest.raises(UndoRefused, match=r"keyed\.Shortcut 1 has been changed since"):
            undo(done)
