"""Writers beside a merge, and beside the constraint that comes after it: how long they wait."""

from __future__ import annotations

from contextlib import nullcontext
from time import perf_counter
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import connection
from django.db.migrations import AddConstraint
from django.db.migrations.state import ProjectState
from django.db.models import UniqueConstraint

from dedupe_toolkit import find_duplicates, merge, plan_merge
from dedupe_toolkit.keys import match_key
from dedupe_toolkit.operations import AddUniqueConstraintConcurrently
from dedupe_toolkit.values import MergePolicy

from .jobs import FIELDS
from .library.models import Author
from .writing import told, writers

if TYPE_CHECKING:
    from collections.abc import Collection

SOME = 20_000
"""Rows among which writers choose: as many groups and as many rows outside of any."""


def beside_writers(
    *, is_alone: bool = False, limit: int | None = None, **policy: Any
) -> dict[str, Any]:
    """Merge while three others write; ``policy`` is the batches' size or time."""
    key = match_key(Author, FIELDS)
    groups = find_duplicates(key, limit=None).duplicate_groups[-SOME:]
    merging = [pk for group in groups for pk in (group.survivor, *group.duplicates)]
    others = _others(merging)
    plan = plan_merge(key, policy=MergePolicy(on_collision="merge", limit=limit, **policy))
    with nullcontext([]) if is_alone else writers(merging, others) as found:
        start = perf_counter()
        run = merge(plan)
        wall = perf_counter() - start
    result = {
        "total": {"wall": wall},
        "batches": run.batches,
        "rows_merged": run.rows_merged,
        "held_back": run.groups_held_back,
    }
    return result | (told(found) if found else {})


def constraint_beside_writers(*, concurrently: bool = False) -> dict[str, Any]:
    """Add the constraint to tables that are merged already, by the operation of `make_unique`."""
    key = match_key(Author, FIELDS)
    survivors = [group.survivor for group in find_duplicates(key, limit=SOME).duplicate_groups]
    merge(plan_merge(key, policy=MergePolicy(on_collision="merge", batch_size=0)))
    adding = AddUniqueConstraintConcurrently if concurrently else AddConstraint
    operation = adding("author", UniqueConstraint(fields=FIELDS, name="one_author_of_a_name"))
    before = ProjectState.from_apps(apps)
    after = before.clone()
    operation.state_forwards("library", after)
    with writers(survivors, _others(survivors)) as found:
        start = perf_counter()
        with connection.schema_editor(atomic=operation.atomic is not False) as editor:
            operation.database_forwards("library", editor, before, after)
        wall = perf_counter() - start
    return {"total": {"wall": wall}, **told(found)}


def _others(merging: Collection[int]) -> list[int]:
    """Rows that the writers may change besides."""
    taken = set(merging)
    listed = Author.objects.order_by("-pk").values_list("pk", flat=True)[: 3 * SOME]
    return [pk for pk in listed if pk not in taken]
