"""What is known of several values at once, and what a type promises: may it be None?"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .values import Null

if TYPE_CHECKING:
    from collections.abc import Iterable

_OPEN_TYPES = ("None", "Optional", "Any", "object")


def worst(found: Iterable[Null]) -> Null:
    """What is known of a value that may be any of several."""
    every = set(found)
    if len(every) == 1:
        return every.pop()
    return Null.PROMISED if every <= {Null.NEVER, Null.PROMISED} and every else Null.MAYBE


def is_promised(annotation: ast.expr | None) -> bool:
    """Whether a type is declared that has no place for None."""
    if annotation is None:
        return False
    text = ast.unparse(annotation)
    return not any(word in text for word in _OPEN_TYPES)
