"""Which of a name's values a use of it can see."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .modules import Binding, Module

_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def reaching(bindings: list[Binding], use: ast.AST, module: Module, scope: Any) -> list[Binding]:
    """The bindings that a use can see: all after the last one that every way to it runs through.

    A loop comes back to its uses, and an inner function runs whenever it is called.
    """
    if _is_inner(use, module, scope):
        return bindings
    line = getattr(use, "lineno", 0)
    around = {use, *module.ancestors(use)}
    before = [b for b in bindings if b.at is scope or getattr(b.at, "lineno", 0) <= line]
    before = [b for b in before if not (b.at in around and b.kind in ("value", "changed"))]
    later = [b for b in bindings if b not in before]
    for number in range(len(before) - 1, -1, -1):
        at = before[number].at
        if at is scope or at in around or module.parent(at) in around:
            is_branch = _is_other_branch(module.parent(at), at, use, module)
            if not is_branch:
                return [*before[number:], *_looped(later, use, at, module)]
    return [*before, *_looped(later, use, None, module)] or bindings


def _is_inner(use: ast.AST, module: Module, scope: Any) -> bool:
    """Whether the use stands in a function inside of the scope, which runs at another time."""
    for one in module.ancestors(use):
        if one is scope:
            return False
        if isinstance(one, _FUNCTIONS):
            return True
    return False


def _looped(
    later: list[Binding], use: ast.AST, made: ast.AST | None, module: Module
) -> list[Binding]:
    """The later bindings that a loop brings back, unless each round binds the name before."""
    loops = [one for one in module.ancestors(use) if isinstance(one, _LOOPS)]
    rebound = set(module.ancestors(made)) | {made} if made is not None else set()
    loops = [one for one in loops if one not in rebound]
    return [b for b in later if any(one in loops for one in (b.at, *module.ancestors(b.at)))]


def _is_other_branch(parent: Any, at: Any, use: ast.AST, module: Module) -> bool:
    """Whether a statement stands in the other arm of the ``if`` or ``try`` that the use is in."""
    if not isinstance(parent, ast.If | ast.Try):
        return False
    path = [use, *module.ancestors(use)]
    child = path[path.index(parent) - 1]
    for name in ("body", "orelse", "handlers", "finalbody"):
        arm = getattr(parent, name, [])
        if at in arm:
            return child not in arm and not (name == "body" and isinstance(parent, ast.Try))
    return False
