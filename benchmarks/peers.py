"""Released packages that merge model instances, each called as its documentation says.

They merge one group at a time, into the row with the lowest key, as the engine does.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from .checksums import outcome
from .clock import both, measured
from .library.models import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def _django_extensions() -> Callable[[Writer, Sequence[Writer]], Any]:
    from django_extensions.management.commands.merge_model_instances import Command

    return Command().merge_model_instances


def _super_deduper() -> Callable[[Writer, Sequence[Writer]], Any]:
    from django_super_deduper.merge import MergedModelInstance

    def merge(survivor: Writer, others: Sequence[Writer]) -> None:
        MergedModelInstance.create(survivor, list(others), keep_old=False)

    return merge


def _adminactions() -> Callable[[Writer, Sequence[Writer]], Any]:
    from adminactions.api import ALL_FIELDS, merge

    def merge_all(survivor: Writer, others: Sequence[Writer]) -> None:
        for other in others:
            merge(survivor, other, commit=True, m2m=ALL_FIELDS, related=ALL_FIELDS)

    return merge_all


PEERS = {
    "django-extensions": _django_extensions,
    "django-super-deduper": _super_deduper,
    "django-adminactions": _adminactions,
}


def peer(*, name: str, groups: int | None = None) -> dict[str, Any]:
    """Merge every group of equal names, or the first few; no search is timed."""
    try:
        merge = PEERS[name]()
    except ImportError as error:
        return {"error": f"not installed: {error}"}
    chosen = _groups()[:groups]
    with measured() as reading:
        for survivor, *others in chosen:
            merge(survivor, others)
    return {"total": both(reading), "groups": len(chosen), "outcome": outcome()}


def _groups() -> list[list[Writer]]:
    by_name = defaultdict(list)
    for writer in Writer.objects.order_by("pk"):
        by_name[writer.first_name, writer.last_name].append(writer)
    return [writers for writers in by_name.values() if len(writers) > 1]
