"""How an expression is spelled, where that alone says something."""

from __future__ import annotations

import ast
from typing import Any


def last_name(node: Any) -> str:
    """The last name of ``a.b.c`` or ``a.b.c(…)``."""
    if isinstance(node, ast.Call):
        return last_name(node.func)
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def short(node: Any) -> str:
    """An expression as text, cut where it is long."""
    text = ast.unparse(node)
    return text if len(text) <= 60 else f"{text[:57]}..."


def is_property(function: Any) -> bool:
    """Whether a function is decorated as a property of whatever kind."""
    return any("property" in last_name(one) for one in function.decorator_list)


def is_static(function: Any) -> bool:
    """Whether a function of a class gets no ``self``."""
    decorators = getattr(function, "decorator_list", [])
    return any(last_name(one) == "staticmethod" for one in decorators)
