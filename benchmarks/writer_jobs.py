"""A merge beside writers, and alone: how long it takes, and how long they wait."""

from __future__ import annotations

from contextlib import nullcontext
from time import perf_counter
from typing import Any

from dedupe_toolkit import find_duplicates, merge, plan_merge
from dedupe_toolkit.keys import match_key
from dedupe_toolkit.values import MergePolicy

from .jobs import FIELDS
from .library.models import Author
from .writing import told, writers

SOME = 20_000
"""Rows among which writers choose: as many groups and as many rows outside of any."""


def beside_writers(
    *, is_alone: bool = False, limit: int | None = None, **policy: Any
) -> dict[str, Any]:
    """Merge while three others write; ``policy`` is the batches' size or time."""
    key = match_key(Author, FIELDS)
    groups = find_duplicates(key, limit=None).duplicate_groups[-SOME:]
    merging = [pk for group in groups for pk in (group.survivor, *group.duplicates)]
    taken = set(merging)
    listed = Author.objects.order_by("-pk").values_list("pk", flat=True)[: 3 * SOME]
    others = [pk for pk in listed if pk not in taken]
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
