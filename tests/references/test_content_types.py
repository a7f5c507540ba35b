"""Databases without a table of content types: nobody could say whom generic keys name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection, connections

from dedupe_toolkit import match_key, merge, plan_merge, undo
from dedupe_toolkit.errors import InvalidMatchKey
from tests.references.naming import quoted, run
from tests.situations.odd.models import Passport, Traveller

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TYPES = ContentType._meta.db_table
TOLD = (
    f" names rows of odd.Passport by their content types, and the database '{{}}' shows no table"
    f" '{TYPES}': run manage.py migrate --database {{}}; if it is there, grant SELECT on it"
)


@pytest.mark.django_db(transaction=not connection.features.can_rollback_ddl)
def test_generic_keys_without_content_types_refuse_a_merge() -> None:
    for _ in range(2):
        Passport.objects.create(number="A")
    run(f"ALTER TABLE {quoted(TYPES)} RENAME TO {quoted('renamed_types')}")
    try:
        with pytest.raises(InvalidMatchKey) as refused:
            plan_merge(match_key(Passport, ["number"]))
    finally:
        run(f"ALTER TABLE {quoted('renamed_types')} RENAME TO {quoted(TYPES)}")
    assert str(refused.value).endswith(TOLD.format("default", "default"))
    assert Passport.objects.count() == 2


@pytest.fixture
def bare(tmp_path: Path, django_db_blocker: Any) -> Iterator[str]:
    """A database that has the tables of two models and the journal, and no others."""
    told = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "bare.sqlite3")}
    connections.databases["bare"] = {**connections.databases["default"], **told, "OPTIONS": {}}
    with django_db_blocker.unblock():
        with connections["bare"].schema_editor() as editor:
            for model in [Passport, Traveller, *apps.get_app_config("dedupe_toolkit").get_models()]:
                editor.create_model(model)
        yield "bare"
        connections["bare"].close()
    del connections["bare"], connections.databases["bare"]


def test_a_database_without_generic_keys_needs_no_content_types(bare: str) -> None:
    first, second = (Passport.objects.using(bare).create(number="A") for _ in range(2))
    Traveller.objects.using(bare).create(name="x", passport=second)
    plan: Any = plan_merge(match_key(Passport, ["number"]), using=bare)
    done = merge(plan)
    assert Traveller.objects.using(bare).get().passport_id == first.pk
    undo(done, using=bare)
    assert Traveller.objects.using(bare).get().passport_id == second.pk
    with connections[bare].schema_editor() as editor:
        editor.execute(f"CREATE TABLE {LogEntry._meta.db_table} (id integer PRIMARY KEY)")
    with pytest.raises(InvalidMatchKey) as refused:
        plan_merge(match_key(Passport, ["number"]), using=bare)
    assert str(refused.value) == f"admin.LogEntry{TOLD.format(bare, bare)}"
