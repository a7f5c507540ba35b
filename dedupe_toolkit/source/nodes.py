"""Small questions about the nodes of a syntax tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import libcst as cst

if TYPE_CHECKING:
    from collections.abc import Iterator


def classes(node: cst.CSTNode, *, into_classes: bool = True) -> Iterator[cst.ClassDef]:
    for child in node.children:
        if isinstance(child, cst.ClassDef):
            yield child
            if not into_classes:
                continue
        if not isinstance(child, cst.BaseExpression):
            yield from classes(child, into_classes=into_classes)


def small_statements(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    for child in node.children:
        if is_line(child):
            yield child
        elif not isinstance(child, cst.BaseExpression):
            yield from small_statements(child)


def targets(statement: cst.CSTNode) -> set[str]:
    """The names a line of statements assigns to."""
    names = set()
    for small in getattr(statement, "body", ()) if is_line(statement) else ():
        if isinstance(small, cst.Assign):
            names |= {name for target in small.targets for name in names_in(target.target)}
        elif isinstance(small, cst.AnnAssign | cst.AugAssign):
            names |= set(names_in(small.target))
    return names


def names_in(target: cst.BaseExpression) -> Iterator[str]:
    if isinstance(target, cst.Name):
        yield target.value
    for element in getattr(target, "elements", ()):
        yield from names_in(element.value)


def value_of(statement: Any) -> Any:
    (small,) = statement.body
    return small.value


def is_line(statement: cst.CSTNode) -> bool:
    return isinstance(statement, cst.SimpleStatementLine | cst.SimpleStatementSuite)


def is_augmented(statement: Any) -> bool:
    simple = len(statement.body) == 1 and isinstance(statement.body[0], cst.Assign | cst.AnnAssign)
    return not simple or len(getattr(statement.body[0], "targets", [1])) > 1


def is_meta(node: cst.ClassDef) -> bool:
    return node.name.value == "Meta"


def is_placeholder(statement: Any) -> bool:
    if not is_line(statement) or len(statement.body) != 1 or statement.leading_lines:
        return False
    small = statement.body[0]
    is_dots = isinstance(small, cst.Expr) and isinstance(small.value, cst.Ellipsis)
    return (isinstance(small, cst.Pass) or is_dots) and not statement.trailing_whitespace.comment


def with_decorators(method: Any) -> Any:
    """The node a method starts with."""
    return method.decorators[0] if method.decorators else method
