"""What is asked of a value before it is used: whether it is there."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .modules import Module

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_LEAVES = (ast.Return, ast.Raise, ast.Continue, ast.Break)
_SIMPLE = (ast.Assign, ast.Expr, ast.AugAssign, ast.AnnAssign)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def is_guarded(node: Any, module: Module, is_filled: Callable[[Any], bool]) -> bool:
    """Whether every way to a value has asked whether it is there, or used it as if it were.

    ``is_filled`` says of the expression that a missing value is replaced by whether it is there.
    """
    text, inner = ast.unparse(node), node
    for around in module.ancestors(node):
        for statement in _before(around, inner):
            if _settles(statement, text, is_filled):
                return True
            if binds(statement, text):
                return False
        if _is_asked(around, inner, text):
            return True
        if isinstance(around, (*_FUNCTIONS, ast.Module)) or _may_be_bound_in(around, inner, text):
            return False
        inner = around
    return False


def _is_asked(around: Any, inner: Any, text: str) -> bool:
    """Whether a condition around lets nothing through but a value that is there."""
    if isinstance(around, ast.If | ast.IfExp | ast.While):
        body = around.body if isinstance(around.body, list) else [around.body]
        if inner in body:
            return is_presence(around.test, text)
        other = around.orelse if isinstance(around.orelse, list) else [around.orelse]
        return inner in other and is_absence(around.test, text)
    if isinstance(around, _COMPREHENSIONS):
        is_element = inner not in around.generators
        return is_element and any(
            is_presence(test, text) for generator in around.generators for test in generator.ifs
        )
    if isinstance(around, ast.BoolOp) and inner in around.values:
        before = around.values[: around.values.index(inner)]
        asks = is_presence if isinstance(around.op, ast.And) else is_absence
        return any(asks(one, text) for one in before)
    return False


def _may_be_bound_in(around: Any, inner: Any, text: str) -> bool:
    """Whether a loop, or the body of a ``try``, may have bound the name on the way to here."""
    if isinstance(around, _LOOPS):
        return binds(around, text)
    is_after = isinstance(around, ast.Try) and inner not in around.body
    return is_after and any(binds(one, text) for one in around.body)


def _before(around: ast.AST, inner: ast.AST) -> list[Any]:
    """The statements before one in the same block, the nearest first."""
    for name in ("body", "orelse", "finalbody"):
        block = getattr(around, name, None)
        if isinstance(block, list) and inner in block:
            return list(reversed(block[: block.index(inner)]))
    return []


def binds(statement: ast.AST, text: str) -> bool:
    """Whether a statement may give a name, or ``self.name``, another value."""
    names = {text, text.split(".")[0]}
    return any(
        isinstance(getattr(node, "ctx", None), ast.Store | ast.Del) and ast.unparse(node) in names
        for node in ast.walk(statement)
    )


def _settles(statement: Any, text: str, is_filled: Callable[[Any], bool]) -> bool:
    """A statement after which the value is there: it used it, left, or put something in place."""
    if isinstance(statement, ast.If):
        return is_absence(statement.test, text) and (
            isinstance(statement.body[-1], _LEAVES)
            or _is_filled_in(statement.body, text, is_filled)
        )
    if binds(statement, text):
        return False
    if isinstance(statement, ast.Assert):
        return is_presence(statement.test, text)
    return isinstance(statement, _SIMPLE) and any(
        isinstance(one, ast.Attribute) and ast.unparse(one.value) == text
        for one in _always_evaluated(statement)
    )


def _is_filled_in(block: Iterable[Any], text: str, is_filled: Callable[[Any], bool]) -> bool:
    values = [
        statement.value
        for statement in block
        if isinstance(statement, ast.Assign) and text in map(ast.unparse, statement.targets)
    ]
    return bool(values) and is_filled(values[-1])


def _always_evaluated(node: Any) -> Iterator[ast.AST]:
    """The nodes of a statement that no condition inside of it can skip."""
    yield node
    children = list(ast.iter_child_nodes(node))
    if isinstance(node, ast.IfExp):
        children = [node.test]
    elif isinstance(node, ast.BoolOp):
        children = [node.values[0]]
    elif isinstance(node, ast.Lambda):
        children = []
    elif isinstance(node, _COMPREHENSIONS):
        children = [node.generators[0].iter]
    for child in children:
        yield from _always_evaluated(child)


def is_presence(test: Any, text: str) -> bool:
    """Whether a condition holds only where the value is there."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return any(is_presence(one, text) for one in test.values)
    if isinstance(test, ast.BoolOp):
        return all(is_presence(one, text) for one in test.values)
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return is_absence(test.operand, text)
    if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.IsNot | ast.NotEq):
        left = test.left.target if isinstance(test.left, ast.NamedExpr) else test.left
        if ast.unparse(left) == text and is_nothing(test.comparators[0]):
            return True
    if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Eq):
        other = test.comparators[0]
        if ast.unparse(test.left) == text and isinstance(other, ast.Constant):
            return other.value is not None
    if isinstance(test, ast.Call) and getattr(test.func, "id", "") == "isinstance":
        kinds = ast.unparse(test.args[-1])
        return ast.unparse(test.args[0]) == text and "None" not in kinds
    if isinstance(test, ast.NamedExpr):
        return ast.unparse(test.target) == text
    return ast.unparse(test) == text or ast.unparse(test).startswith((f"{text}.", f"{text}["))


def is_absence(test: Any, text: str) -> bool:
    """Whether a condition holds wherever the value is not there."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or):
        return any(is_absence(one, text) for one in test.values)
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return is_presence(test.operand, text)
    if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Is | ast.Eq):
        left = test.left.target if isinstance(test.left, ast.NamedExpr) else test.left
        return ast.unparse(left) == text and is_nothing(test.comparators[0])
    return False


def is_nothing(node: Any) -> bool:
    """Whether an expression is ``None``, or is not there."""
    return node is None or (isinstance(node, ast.Constant) and node.value is None)
