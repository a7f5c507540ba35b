"""How an expression is spelled, where that alone says something."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .modules import Module


def last_name(node: Any) -> str:
    """The last name of ``a.b.c`` or ``a.b.c(…)``."""
    if isinstance(node, ast.Call):
        return last_name(node.func)
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def short(node: Any) -> str:
    """An expression as text, cut where it is long."""
    text = ast.unparse(node)
    return text if len(text) <= 60 else f"{text[:57]}..."


def is_in_transaction(node: ast.AST, module: Module) -> bool:
    """Whether ``atomic()`` stands around it, as a block or on the function."""
    for one in module.ancestors(node):
        if isinstance(one, ast.With) and any(_is_atomic(i.context_expr) for i in one.items):
            return True
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
            return any(map(_is_atomic, one.decorator_list))
    return False


def _is_atomic(node: Any) -> bool:
    return last_name(node) == "atomic"


def is_property(function: Any) -> bool:
    """Whether a function is decorated as a property of whatever kind."""
    return any("property" in last_name(one) for one in function.decorator_list)


def is_static(function: Any) -> bool:
    """Whether a function of a class gets no ``self``."""
    decorators = getattr(function, "decorator_list", [])
    return any(last_name(one) == "staticmethod" for one in decorators)
