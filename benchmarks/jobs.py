"""What a worker can measure of a merge. A job takes plain options and returns plain numbers."""

from __future__ import annotations

from itertools import pairwise
from time import perf_counter
from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction

from dedupe_toolkit import merge, plan_merge, undo
from dedupe_toolkit.keys import match_key
from dedupe_toolkit.values import MergePolicy

from .checksums import checksums, outcome
from .clock import both, measured, peak_memory
from .library.models import Author, Writer
from .sql import AUTHORS, WRITERS
from .statements import recorded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dedupe_toolkit.models import MergeRun
    from dedupe_toolkit.plan_values import MergePlan

FIELDS = ["first_name", "last_name"]


def raw(*, journaled: bool, check: bool = False, profile: bool = False) -> dict[str, Any]:
    """The hand-written SQL, in one transaction, its search included."""
    author_type = ContentType.objects.get_for_model(Author).pk
    script = list(AUTHORS[connection.vendor](author_type, journaled=journaled))
    return _run(script, check=check, profile=profile)


def raw_writers(*, profile: bool = False) -> dict[str, Any]:
    """The same for writers, without a journal."""
    script = list(WRITERS[connection.vendor]())
    return _run(script, check=False, profile=profile) | {"outcome": outcome()}


def _run(script: Sequence[str], *, check: bool, profile: bool) -> dict[str, Any]:
    with recorded() as statements, measured() as reading:
        _execute(script)
    found = {"total": both(reading), "statements": statements.total}
    return found | _details(check=check, profile=statements if profile else None)


def _execute(script: Sequence[str]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in script:
            cursor.execute(statement)


def engine(
    *,
    batch_size: int | None = None,
    for_peers: bool = False,
    undone: bool = False,
    check: bool = False,
    profile: bool = False,
) -> dict[str, Any]:
    """Plan and merge with the engine; then undo, if asked to. None is the default batch size."""
    before = checksums() if check and undone else None
    with recorded() as planning, measured() as plan_reading:
        plan = plan_merge(
            match_key(Writer if for_peers else Author, FIELDS),
            policy=MergePolicy(batch_size=batch_size, on_collision="discard"),
        )
    with recorded() as merging, measured() as merge_reading:
        run, batches = _merge(plan)
    found: dict[str, Any] = {
        "plan": both(plan_reading),
        "merge": both(merge_reading),
        "total": both(plan_reading, merge_reading),
        "plan_statements": planning.total,
        "statements": merging.total,
        "batches": len(batches),
        "longest_batch": max(batches, default=0.0),
        "rows_merged": run.rows_merged,
        "held_back": len(run.held_back),
        "peak": peak_memory(),
    }
    found |= _details(check=check, profile=merging if profile else None)
    if for_peers:
        found["outcome"] = outcome()
    if profile:
        found["plan_profile"] = planning.slowest()
    if undone:
        with recorded() as undoing, measured() as undo_reading:
            undo(run)
        found["undo"] = both(undo_reading)
        found["is_undone"] = before == checksums() if check else None
        if profile:
            found["undo_profile"] = undoing.slowest()
    return found


def _merge(plan: MergePlan) -> tuple[MergeRun, list[float]]:
    """The run, and the seconds of each of its batches: each is one transaction with its locks."""
    ends = [perf_counter()]
    run = merge(plan, progress=lambda done, groups: ends.append(perf_counter()))
    return run, [end - start for start, end in pairwise(ends)]


def _details(*, check: bool, profile: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"checksums": checksums()} if check else {}
    return found | ({"profile": profile.slowest()} if profile else {})
