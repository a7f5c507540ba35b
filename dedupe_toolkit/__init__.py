"""Find duplicates, merge them without losing a row, undo it, and keep them from coming back.

The names below are the public interface; everything else may change.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .audit.running import audit_get_or_create
    from .errors import DedupeError
    from .finding.find import find_duplicates
    from .journal.pruning import prune_merge_runs
    from .keys import match_key, row_set
    from .merging.merge import merge
    from .models import DismissedGroup, MergeRun
    from .plan_values import MergePlan
    from .planning.plan import plan_merge
    from .prove.proof import prove_get_or_create
    from .redirects import redirect_merged
    from .references.custom import ColumnReference, CustomReference
    from .registry import register
    from .reviewing.dismissals import dismiss, offer_again
    from .source.unique import make_unique
    from .survivors import get_object_or_survivor, survivor_of, survivors_of
    from .undoing.undo import undo
    from .values import DuplicateGroup, MatchKey, MergePolicy

__all__ = [
    "ColumnReference",
    "CustomReference",
    "DedupeError",
    "DismissedGroup",
    "DuplicateGroup",
    "MatchKey",
    "MergePlan",
    "MergePolicy",
    "MergeRun",
    "audit_get_or_create",
    "dismiss",
    "find_duplicates",
    "get_object_or_survivor",
    "make_unique",
    "match_key",
    "merge",
    "offer_again",
    "plan_merge",
    "prove_get_or_create",
    "prune_merge_runs",
    "redirect_merged",
    "register",
    "row_set",
    "survivor_of",
    "survivors_of",
    "undo",
]

_HOMES = {
    "ColumnReference": "references.custom",
    "CustomReference": "references.custom",
    "DedupeError": "errors",
    "DismissedGroup": "models",
    "MergePlan": "plan_values",
    "MergeRun": "models",
    "audit_get_or_create": "audit.running",
    "dismiss": "reviewing.dismissals",
    "find_duplicates": "finding.find",
    "get_object_or_survivor": "survivors",
    "make_unique": "source.unique",
    "match_key": "keys",
    "merge": "merging.merge",
    "offer_again": "reviewing.dismissals",
    "plan_merge": "planning.plan",
    "prove_get_or_create": "prove.proof",
    "prune_merge_runs": "journal.pruning",
    "redirect_merged": "redirects",
    "register": "registry",
    "row_set": "keys",
    "survivor_of": "survivors",
    "survivors_of": "survivors",
    "undo": "undoing.undo",
}


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


if not TYPE_CHECKING:  # a type checker would take any name for one of ours

    def __getattr__(name: str) -> Any:
        # imported when asked for: models cannot be before the app registry is ready
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'values')}"), name)
