"""What the engine's tests share: exact snapshots, and a merge that is checked all the way back."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.apps import apps
from django.db import connection, connections

from dedupe_toolkit import MergePolicy, match_key, merge, plan_merge, row_set, undo
from dedupe_toolkit.reviewing.preview import preview_merge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.db.models import Model

    from dedupe_toolkit import MergePlan, MergeRun

Snapshot = dict[str, list[str]]


def snapshot(using: str = "default") -> Snapshot:
    """Every row of every table but the package's own, exactly as the database gives it."""
    connection = connections[using]
    models = apps.get_models(include_auto_created=True)
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        return {
            model._meta.db_table: _rows(cursor, connection.ops.quote_name(model._meta.db_table))
            for model in models
            if model._meta.app_label != "dedupe_toolkit" and model._meta.db_table in tables
        }


def _rows(cursor: Any, table: str) -> list[str]:
    cursor.execute(f"SELECT * FROM {table}")
    return sorted(map(repr, cursor.fetchall()))


def created(model: type[Model], rows: Iterable[Any]) -> list[Any]:
    """The rows of a table that was empty, with their keys: of many rows MySQL tells none."""
    model._base_manager.bulk_create(rows)
    return list(model._base_manager.order_by("pk"))


def changed_tables(before: Snapshot, after: Snapshot) -> set[str]:
    return {table for table in before if before[table] != after[table]}


def planned(model: type[Model], *fields: str, **options: Any) -> MergePlan:
    key = {name: options.pop(name) for name in ("nulls", "where", "blanks") if name in options}
    return plan_merge(match_key(model, fields, **key), policy=MergePolicy(**options))


def merged(model: type[Model], *fields: str, **options: Any) -> MergeRun:
    """Merge, and make sure that it did what its plan said."""
    plan = planned(model, *fields, **options)
    return _carried_out(plan)


def merged_rows(model: type[Model], *pks: Any, into: Any = None, **options: Any) -> MergeRun:
    source, policy = row_set(model, pks, into=into), MergePolicy(**options)
    # a field rule that is a function may be watched: it is called by the plan alone
    is_watched = any(map(callable, policy.field_rules.values()))
    preview = None if is_watched else preview_merge(source, policy=policy)
    plan = plan_merge(source, policy=policy)
    assert preview is None or preview == plan
    return _carried_out(plan)


def _carried_out(plan: MergePlan) -> MergeRun:
    run = merge(plan)
    said = {c.reference: (c.repointed, c.discarded, c.merged) for c in plan.references}
    did = {c["reference"]: (c["repointed"], c["discarded"], c["merged"]) for c in run.references}
    # a row that points into groups of two batches is settled in two steps, each of which counts
    assert did == said or run.batches > 1
    assert run.rows_merged == plan.rows_to_merge
    assert run.merged == plan.mergeable
    return run


def assert_undo_restores(run: MergeRun, before: Snapshot) -> None:
    """The database is again what it was, to the last value."""
    undo(run)
    assert snapshot() == before


def counts(run: MergeRun, reference: str) -> tuple[int, int, int]:
    """How many rows of a reference were repointed, discarded and merged."""
    found = next(c for c in run.references if c["reference"] == reference)
    return found["repointed"], found["discarded"], found["merged"]


@contextmanager
def lists_cut_at(length: int) -> Iterator[None]:
    """Inside, MariaDB and MySQL cut the lists they collect there; a key has 22 characters."""
    if connection.vendor != "mysql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION group_concat_max_len = %s", [length])
        try:
            yield
        finally:
            cursor.execute("SET SESSION group_concat_max_len = DEFAULT")


def passed_by() -> str:
    """What MariaDB and MySQL call an index that no look-up uses."""
    return "IGNORED" if connection.display_name == "MariaDB" else "INVISIBLE"


@contextmanager
def session_in(zone: str) -> Iterator[None]:
    """Inside, the session shows moments in another time zone."""
    before = connection.settings_dict["TIME_ZONE"]
    _show_moments_in(zone)
    try:
        yield
    finally:
        _show_moments_in(before)


def _show_moments_in(zone: str | None) -> None:
    if connection.vendor == "mysql":
        # what Django writes there is of one time zone all the same
        offset = datetime.now(ZoneInfo(zone)).strftime("%z") if zone else ""
        with connection.cursor() as cursor:
            cursor.execute("SET time_zone = %s", [f"{offset[:3]}:00" if zone else "SYSTEM"])
        return
    own = connections[connection.alias]
    own.settings_dict["TIME_ZONE"] = zone
    for name in ("timezone", "timezone_name"):
        vars(own).pop(name, None)
    own.ensure_timezone()
