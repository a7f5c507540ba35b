"""Find duplicates, merge them without losing a row, undo it, and keep them from coming back.

The names below are the public interface; everything else may change.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .engine.dismissals import dismiss, offer_again
    from .engine.find import find_duplicates
    from .engine.merge import merge
    from .engine.plan import plan_merge
    from .engine.undo import undo
    from .errors import DedupeError
    from .graph.custom import CustomReference
    from .keys import match_key, row_set
    from .models import DismissedGroup, MergeRun
    from .registry import register
    from .source.unique import make_unique
    from .survivors import survivor_of
    from .values import DuplicateGroup, MatchKey, MergePlan, MergePolicy

__all__ = [
    "CustomReference",
    "DedupeError",
    "DismissedGroup",
    "DuplicateGroup",
    "MatchKey",
    "MergePlan",
    "MergePolicy",
    "MergeRun",
    "dismiss",
    "find_duplicates",
    "make_unique",
    "match_key",
    "merge",
    "offer_again",
    "plan_merge",
    "register",
    "row_set",
    "survivor_of",
    "undo",
]

_HOMES = {
    "CustomReference": "graph.custom",
    "DedupeError": "errors",
    "DismissedGroup": "models",
    "MergeRun": "models",
    "dismiss": "engine.dismissals",
    "find_duplicates": "engine.find",
    "make_unique": "source.unique",
    "match_key": "keys",
    "merge": "engine.merge",
    "offer_again": "engine.dismissals",
    "plan_merge": "engine.plan",
    "register": "registry",
    "row_set": "keys",
    "survivor_of": "survivors",
    "undo": "engine.undo",
}


def __getattr__(name: str) -> Any:
    # imported when asked for: models cannot be before the app registry is ready
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'values')}"), name)
