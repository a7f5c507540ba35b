"""What can be told of a value from the expression that gives it."""

from __future__ import annotations

import ast
from inspect import isclass
from typing import TYPE_CHECKING, Any

from .filled import Filled
from .literals import literal
from .reaching import reaching
from .things import Instance, Object
from .values import UNSET, Given
from .varying import varies

if TYPE_CHECKING:
    from .modules import Module
    from .resolve import Resolver


class Givens:
    """Facts of the values that stand in one module."""

    def __init__(self, resolver: Resolver, module: Module) -> None:
        self.resolver = resolver
        self.module = module

    def of(self, node: Any) -> Given:
        """All that the source tells of a value."""
        known = self.literal(node)
        return Given(
            text=ast.unparse(node),
            scope=self._scope(node),
            literal=known,
            null=Filled(self.module, self.resolver).null(node),
            is_key=self._is_key(node),
            varies=known is UNSET and varies(node, self.module, self.resolver),
            is_computed=self._is_computed(node),
        )

    def literal(self, node: Any) -> Any:
        """The value itself, where it is known."""
        return literal(node, self.module, self.resolver)

    def _scope(self, node: Any) -> str:
        """The function, and where each name in it got its value: another value is another scope."""
        function = self.module.enclosing(node, ast.FunctionDef, ast.AsyncFunctionDef)
        names = [one for one in ast.walk(node) if isinstance(one, ast.Name)]
        places = [f"{one.id}:{self._made(one)}" for one in names]
        return " ".join([f"{self.module.name}:{getattr(function, 'lineno', 0)}", *sorted(places)])

    def _made(self, node: ast.Name) -> str:
        for scope in self.module.scopes(node):
            bound = self.module.bindings(scope).get(node.id)
            if bound:
                seen = reaching(bound, node, self.module, scope)
                return ",".join(sorted({str(getattr(one.at, "lineno", 0)) for one in seen}))
        return ""

    def _is_computed(self, node: Any) -> bool:
        """Whether the database works it out: ``F("a") + 1``, ``Now()``."""
        calls = [one for one in ast.walk(node) if isinstance(one, ast.Call)]
        return any(getattr(one.func, "id", "") == "F" or self._is_expression(one) for one in calls)

    def _is_expression(self, node: ast.Call) -> bool:
        name = (
            node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        )
        if not name[:1].isupper():
            return False
        found = self.resolver.resolve(node.func, self.module)
        classes = [one.value for one in found if isinstance(one, Object) and isclass(one.value)]
        return any(hasattr(one, "resolve_expression") for one in classes)

    def _is_key(self, node: Any) -> bool:
        """A primary key, or an instance."""
        if isinstance(node, ast.Attribute) and (
            node.attr in ("pk", "id") or node.attr.endswith("_id")
        ):
            return True
        if isinstance(node, ast.Name) and node.id in ("pk", "id"):
            return True
        if isinstance(node, ast.Name | ast.Attribute):
            found = self.resolver.resolve(node, self.module)
            return bool(found) and all(isinstance(one, Instance) for one in found)
        return False
