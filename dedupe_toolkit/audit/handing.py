"""Methods that are handed over to be called: ``sync_to_async(….get_or_create)(key=1)``."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .spelling import last_name

if TYPE_CHECKING:
    from .modules import Module

_CALLED_AT_ONCE = {"to_thread", "partial"}
"""Functions that take a method and what it is called with."""
_WRAPPERS = {"sync_to_async", "database_sync_to_async", "async_to_sync"}
"""Functions that return something that is called like what they are given."""


@dataclass(frozen=True, kw_only=True)
class Use:
    """Where a method is used, and the call with its arguments; None where that is elsewhere."""

    node: Any
    call: ast.Call | None


def used(named: ast.Attribute, module: Module) -> Use:
    """How ``….get_or_create`` is used: called, handed over, or kept for later."""
    outer: Any = module.parent(named)
    if not isinstance(outer, ast.Call):
        return Use(node=named, call=None)
    if outer.func is named:
        return Use(node=outer, call=outer)
    if named not in outer.args:
        return Use(node=outer, call=None)
    if last_name(outer) in _CALLED_AT_ONCE and outer.args[0] is named:
        return Use(node=outer, call=_without_first(outer))
    further: Any = module.parent(outer)
    is_called = isinstance(further, ast.Call) and further.func is outer
    if last_name(outer) in _WRAPPERS and is_called:
        return Use(node=further, call=further)
    return Use(node=outer, call=None)


def _without_first(call: ast.Call) -> ast.Call:
    return ast.Call(func=call.func, args=call.args[1:], keywords=call.keywords)
