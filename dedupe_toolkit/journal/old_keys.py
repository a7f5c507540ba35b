"""What became of the rows of old keys. Only reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..models import MergeRun, MergeStep, RowChange
from ..references.meta import concrete
from .key_texts import key_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from django.db.models import Model

_CHUNK = 500
"""Keys in one look-up: SQLite takes few parameters."""


@dataclass(frozen=True, kw_only=True)
class MergedInto:
    """Where a row has gone: the survivor's key as the journal names it, the step and the run."""

    survivor: str
    step: int
    run: int


def merged_into(model: type[Model], text: str, using: str) -> MergedInto | None:
    """Into which row, and by which run, the row of this key was merged last, if it was.

    Runs and groups that were undone do not count.
    """
    found = merges_of(model, [text], using)[text]
    return found[-1] if found else None


def merges_of(model: type[Model], texts: Sequence[str], using: str) -> dict[str, list[MergedInto]]:
    """When rows of these keys were merged, the earliest first: a key may have been given again.

    Runs and groups that were undone do not count. One look-up by index for every five hundred keys.
    """
    labels = [concrete(model)._meta.label]
    labels += [parent._meta.label for parent in model._meta.get_parent_list()]
    found: dict[str, list[MergedInto]] = {text: [] for text in texts}
    for chunk in _chunks(list(found)):
        changes = (
            RowChange.objects.using(using)
            .filter(merged__in=chunk, step__model__in=labels)
            .exclude(step__run__status=MergeRun.Status.UNDONE)
            .order_by("step")
            .values_list("merged", "into", "step", "step__run", "survivor", "step__run__undone")
        )
        for merged, into, step, run, survivor, undone in changes:
            if merged is not None and into is not None and survivor not in undone:
                found[merged].append(MergedInto(survivor=into, step=step, run=run))
    return found


def last_survivors(model: type[Model], texts: Iterable[str], using: str) -> dict[str, str]:
    """The key under which the row of each of these keys lives on; its own if it was never merged.

    Each round of look-ups follows one merge of every key. A survivor was merged after it had
    survived: what happened to an earlier row of its key is another row's story.
    """
    reached = {text: (text, 0) for text in texts}
    moving = set(reached)
    while moving:
        merges = merges_of(model, sorted({reached[text][0] for text in moving}), using)
        for text in tuple(moving):
            key, step = reached[text]
            later = [merge for merge in merges[key] if merge.step > step]
            if not later:
                moving.remove(text)
                continue
            # of the key asked for, the row of it that was there last
            merge = later[0] if step else later[-1]
            reached[text] = (merge.survivor, merge.step)
    return {text: key for text, (key, _) in reached.items()}


def _chunks(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(texts), _CHUNK):
        yield texts[start : start + _CHUNK]


@dataclass(frozen=True, kw_only=True)
class MergedFrom:
    """A row that was merged into another: its old key as the journal names it, and the run."""

    row: str
    run: int


MERGED_AT_MOST = 1_000
"""Of how many rows `merged_from` tells that they were merged into one."""


def merged_from(model: type[Model], pk: Any, using: str) -> list[MergedFrom]:
    """The rows that were merged into this one, the latest first. One look-up by index.

    Runs and groups that were undone do not count.
    """
    text, label = key_text(model, pk, using), concrete(model)._meta.label
    changes = (
        RowChange.objects.using(using)
        .filter(into=text, merged__isnull=False, step__model=label)
        .filter(step__reason=MergeStep.Reason.DUPLICATE)
        .exclude(step__run__status=MergeRun.Status.UNDONE)
        .order_by("-pk")
    )
    found = changes.values_list("merged", "step__run", "survivor", "step__run__undone")
    return [
        MergedFrom(row=str(merged), run=run)
        for merged, run, survivor, undone in found[:MERGED_AT_MOST]
        if survivor not in undone
    ]
