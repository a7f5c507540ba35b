"""Looks for a row in source, with the code that runs where there is none."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .searching import Search, absence_of, gets, is_rows, leaves, searched, suppresses
from .spelling import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .modules import Module

KINDS = (ast.Try, ast.With, ast.AsyncWith, ast.If, ast.IfExp, ast.BoolOp)
"""The statements and expressions that a look may stand in, outer ones first."""
_REFUSALS = (ast.Raise,)


@dataclass(frozen=True, kw_only=True)
class Look:
    """A look for a row, where it stands, and the code that runs where there is none."""

    search: Search
    node: Any
    absent: list[Any]


def looks(node: ast.AST, module: Module) -> Iterator[Look]:
    """The looks that a statement or expression is about."""
    if isinstance(node, ast.Try):
        yield from _try(node, module)
    elif isinstance(node, ast.With | ast.AsyncWith) and suppresses(node):
        yield from _suppressed(node, module)
    elif isinstance(node, ast.If):
        yield from _if(node, module)
    elif isinstance(node, ast.IfExp):
        for absent, when in ((node.body, True), (node.orelse, False)):
            for search in ruled_out(node.test, module, when=when):
                yield Look(search=search, node=node, absent=[absent])
    elif isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
        for number, value in enumerate(node.values[:-1], 1):
            found = searched(value, module)
            if found is not None:
                yield Look(search=found, node=node, absent=node.values[number:])


def ruled_out(test: Any, module: Module, *, when: bool) -> Iterator[Search]:
    """The looks that have certainly found nothing where a condition is true, or false."""
    if isinstance(test, ast.BoolOp):
        # of "found and wanted" being false nobody knows which of the two it is
        if isinstance(test.op, ast.And) is when:
            for value in test.values:
                yield from ruled_out(value, module, when=when)
    elif isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        yield from ruled_out(test.operand, module, when=not when)
    elif isinstance(test, ast.Compare):
        found = searched(test.left, module) if _compared(test) is when else None
        if found is not None:
            yield found
    elif not when:
        found = searched(test, module)
        if found is not None:
            yield found


def _compared(test: ast.Compare) -> bool | None:
    """Whether a comparison holds where there is nothing; None if it says neither."""
    operator, other = test.ops[0], test.comparators[0]
    if len(test.ops) != 1 or not isinstance(other, ast.Constant):
        return None
    is_equal, is_other = ast.Is | ast.Eq, ast.IsNot | ast.NotEq
    if other.value is True:
        return {True: False, False: True}[isinstance(operator, is_equal)]
    if other.value is None or other.value is False or other.value == 0:
        if isinstance(operator, is_equal | ast.LtE):
            return True
        return False if isinstance(operator, is_other | ast.Gt) else None
    if other.value == 1 and isinstance(operator, ast.Lt):
        return True
    return False if other.value == 1 and isinstance(operator, ast.GtE | ast.Eq) else None


def _if(node: ast.If, module: Module) -> Iterator[Look]:
    """What runs where nothing was found: the body, the ``else``, or all after a guard."""
    for search in ruled_out(node.test, module, when=True):
        yield Look(search=search, node=node, absent=list(node.body))
    for search in ruled_out(node.test, module, when=False):
        if _is_settled_before(node, search, module) or _removes(node, search):
            continue
        absent = _past_the_found(node.orelse, search, module)
        if not absent and leaves(node.body) and not isinstance(node.body[-1], _REFUSALS):
            absent = _after(node, module)
        yield Look(search=search, node=node, absent=absent)


def _is_settled_before(node: ast.If, search: Search, module: Module) -> bool:
    """Whether an ``if`` that this is an ``elif`` of has the case that there is none."""
    before = module.parent(node)
    while isinstance(before, ast.If) and before.orelse == [node]:
        # "none and wanted" leaves the case of none and not wanted to what comes after it
        is_whole = not any(isinstance(one, ast.BoolOp) for one in ast.walk(before.test))
        settled = ruled_out(before.test, module, when=True) if is_whole else ()
        if any(_is_same(one, search) for one in settled):
            return True
        node, before = before, module.parent(before)
    return False


def _past_the_found(block: list[Any], search: Search, module: Module) -> list[Any]:
    """An ``else``, without the ``elif`` in which several have been found."""
    test = block[0].test if len(block) == 1 and isinstance(block[0], ast.If) else None
    if not isinstance(test, ast.Compare) or not isinstance(test.ops[0], ast.Gt | ast.GtE):
        return list(block)
    found = searched(test.left, module)
    return list(block[0].orelse if found and _is_same(found, search) else block)


def _removes(node: ast.If, search: Search) -> bool:
    """Whether what was found is always deleted, as by a switch between there and not there."""
    asked = {ast.unparse(search.rows)}
    asked |= {one.id for one in ast.walk(node.test) if isinstance(one, ast.Name)}
    return any(
        ast.unparse(one.func.value) in asked
        for one in _unconditional(node.body)
        if isinstance(one, ast.Call)
        and isinstance(one.func, ast.Attribute)
        and one.func.attr in ("delete", "adelete")
    )


def _unconditional(block: list[Any]) -> Iterator[ast.AST]:
    """What runs of a block whenever it does."""
    for statement in block:
        if isinstance(statement, ast.With | ast.AsyncWith):
            yield from _unconditional(statement.body)
        elif isinstance(statement, ast.Assign | ast.Expr | ast.Return):
            yield from ast.walk(statement)


def _is_same(one: Search, other: Search) -> bool:
    return ast.unparse(one.rows) == ast.unparse(other.rows)


def _try(node: ast.Try, module: Module) -> Iterator[Look]:
    """``try: … get(…) except DoesNotExist: … create(…)``"""
    if _deletes(node.body):
        return
    for search, handler in _caught(node, module):
        absent = list(handler.body)
        if not leaves(handler.body) and leaves(node.orelse or node.body):
            absent += _after(node, module)
        yield Look(search=search, node=node, absent=absent)


def _caught(node: ast.Try, module: Module) -> Iterator[tuple[Search, ast.ExceptHandler]]:
    handler = absence_of(node)
    if handler is not None:
        for search in gets(node.body):
            yield search, handler
    for one in node.handlers:
        if one.type is not None and "IndexError" in ast.unparse(one.type):
            for search in _firsts(node.body, module):
                yield search, one


def _firsts(block: list[Any], module: Module) -> Iterator[Search]:
    """``….filter(…)[0]``, and ``rows[0]``."""
    for statement in block:
        for node in ast.walk(statement):
            if isinstance(node, ast.Subscript) and is_rows(node.value, module):
                yield Search(form="first", rows=node.value)


def _suppressed(node: ast.With | ast.AsyncWith, module: Module) -> Iterator[Look]:
    """``with suppress(DoesNotExist): return … get(…)``"""
    if leaves(node.body):
        for search in gets(node.body):
            yield Look(search=search, node=node, absent=_after(node, module))


def _deletes(body: list[Any]) -> bool:
    return any(
        isinstance(one, ast.Call) and last_name(one) in ("delete", "adelete")
        for statement in body
        for one in ast.walk(statement)
    )


def _after(node: ast.AST, module: Module) -> list[Any]:
    """The statements after one in the same block."""
    parent = module.parent(node)
    for name in ("body", "orelse", "finalbody"):
        block = getattr(parent, name, None)
        if isinstance(block, list) and node in block:
            return block[block.index(node) + 1 :]
    return []
