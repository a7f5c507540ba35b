"""Modules as source: their trees, and what each name in them is bound to."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import decode_source
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Scope = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_NEWLINE = re.compile(r"\r\n|\r|\n")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True, kw_only=True)
class Binding:
    """One place where a name gets its value."""

    kind: str
    node: Any
    """The value, or what it is taken from."""
    at: ast.AST
    """The statement that does it."""
    path: tuple[int, ...] = ()
    """Where the value lies in what is unpacked."""


@dataclass(eq=False)
class Module:
    """One parsed file. Equal to itself alone."""

    name: str
    path: Path
    text: str
    tree: ast.Module
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict, repr=False)
    _by_kind: dict[type[ast.AST], list[ast.AST]] = field(default_factory=dict, repr=False)
    _bindings: dict[ast.AST, dict[str, list[Binding]]] = field(default_factory=dict, repr=False)

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    @cached_property
    def loaded(self) -> Any:
        """The module itself where Django has loaded it."""
        module = sys.modules.get(self.name)
        file = getattr(module, "__file__", None)
        return module if file and Path(file).resolve() == self.path else None

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """All nodes of the tree, walked once."""
        nodes: list[ast.AST] = [self.tree]
        for node in nodes:
            self._by_kind.setdefault(type(node), []).append(node)
            for name in node._fields:
                value = getattr(node, name, None)
                for child in value if isinstance(value, list) else (value,):
                    if isinstance(child, ast.AST):
                        self.parents[child] = node
                        nodes.append(child)
        return nodes

    def of_kinds(self, *kinds: type[ast.AST]) -> Iterator[Any]:
        """The nodes of these classes, those of each class in the order of the walk."""
        self.nodes  # noqa: B018  # they are sorted on the way
        for kind in kinds:
            yield from self._by_kind.get(kind, ())

    @cached_property
    def _lines(self) -> list[bytes]:
        """The lines as Python counts them, in the bytes that it counts columns in."""
        return [line.encode() for line in _NEWLINE.split(self.text)]

    def segment(self, node: Any) -> str:
        """The source of a node, which `ast.get_source_segment` would split the text anew for."""
        lines = self._lines[node.lineno - 1 : node.end_lineno]
        lines[-1] = lines[-1][: node.end_col_offset]
        lines[0] = lines[0][node.col_offset :]
        return b"\n".join(lines).decode()

    def parent(self, node: ast.AST) -> ast.AST | None:
        if not self.parents:
            self.nodes  # noqa: B018  # the parents are found on the way
        return self.parents.get(node)

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        current = self.parent(node)
        while current is not None:
            yield current
            current = self.parent(current)

    def scopes(self, node: ast.AST) -> list[Scope]:
        """The scopes whose names a node sees, the nearest first: a class only in its own body."""
        found: list[Scope] = []
        inside, previous = False, node
        for one in self.ancestors(node):
            if isinstance(one, _FUNCTIONS):
                if self._is_in_header(one, previous):
                    previous = one
                    continue
                found.append(one)
                inside = True
            elif isinstance(one, ast.ClassDef):
                if not inside and not self._is_in_header(one, previous):
                    found.append(one)
                inside = True
            elif isinstance(one, ast.Module):
                found.append(one)
            previous = one
        return found

    @staticmethod
    def _is_in_header(scope: Any, child: ast.AST) -> bool:
        """Whether a child of a scope is evaluated outside of it: decorators, defaults, bases."""
        body = scope.body if isinstance(scope.body, list) else [scope.body]
        return child not in body and child is not scope.__dict__.get("args")

    def enclosing(self, node: ast.AST, *kinds: Any) -> Any:
        return next((one for one in self.ancestors(node) if isinstance(one, kinds)), None)

    def enclosing_class(self, node: ast.AST) -> ast.ClassDef | None:
        found: ast.ClassDef | None = self.enclosing(node, ast.ClassDef)
        return found

    def qualified_name(self, node: ast.AST) -> str:
        """``Class.method`` around a node; empty at the module's top."""
        named = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        names = [one.name for one in self.ancestors(node) if isinstance(one, named)]
        own = [node.name] if isinstance(node, named) else []
        return ".".join([*reversed(names), *own])

    def bindings(self, scope: ast.AST) -> dict[str, list[Binding]]:
        """Every place that binds a name in a scope, in the order of the source."""
        if scope not in self._bindings:
            found: dict[str, list[Binding]] = {}
            for name, binding in _bindings(scope):
                found.setdefault(name, []).append(binding)
            self._bindings[scope] = found
        return self._bindings[scope]

    def comprehended(self, node: ast.Name) -> Binding | None:
        """Where a comprehension around a name binds it; None if none does."""
        for one in self.ancestors(node):
            if isinstance(one, _FUNCTIONS):
                return None
            if isinstance(one, _COMPREHENSIONS) and (bound := self.bindings(one).get(node.id)):
                return bound[-1]
        return None

    @cached_property
    def changed_globals(self) -> frozenset[str]:
        """The module's names that functions say they bind anew."""
        return frozenset(name for one in self.of_kinds(ast.Global) for name in one.names)

    def definition(self, qualified: str) -> Any:
        """The class or function of a qualified name, the last of that name; None if not there."""
        node: Any = self.tree
        for name in qualified.split("."):
            if name == "<locals>":
                continue
            found = [one for one in _statements(node) if getattr(one, "name", None) == name]
            if not found:
                return None
            node = found[-1]
        return node


def parsed(name: str, path: Path) -> Module:
    """The module in a file.

    Raises `SyntaxError`, `ValueError` or `OSError` for a file that cannot be read as Python.
    """
    text = decode_source(path.read_bytes())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Module(name, path, text, ast.parse(text))


def _statements(scope: Any) -> Iterator[ast.AST]:
    """The statements of a scope, those in its branches among them, but not of inner scopes."""
    for child in ast.iter_child_nodes(scope):
        if isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):
            yield child
            if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield from _statements(child)


def _bindings(scope: Any) -> Iterator[tuple[str, Binding]]:
    if isinstance(scope, _COMPREHENSIONS):
        for generator in scope.generators:
            yield from _targets(generator.target, "item", generator.iter, scope)
        return
    if isinstance(scope, _FUNCTIONS):
        yield from _parameters(scope)
    for statement in _statements(scope):
        yield from _bound_by(statement)
        for node in _walrus(statement):
            yield node.target.id, Binding(kind="value", node=node.value, at=statement)


def _walrus(statement: ast.AST) -> Iterator[Any]:
    for child in ast.iter_child_nodes(statement):
        if isinstance(child, ast.expr):
            yield from (node for node in ast.walk(child) if isinstance(node, ast.NamedExpr))


def _parameters(function: Any) -> Iterator[tuple[str, Binding]]:
    given = function.args
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    for number, one in enumerate(every):
        yield one.arg, Binding(kind="parameter", node=one, at=function, path=(number,))
    for one in filter(None, (given.vararg, given.kwarg)):
        yield one.arg, Binding(kind="rest", node=one, at=function)


def _bound_by(statement: Any) -> Iterator[tuple[str, Binding]]:
    if isinstance(statement, ast.Assign):
        for target in statement.targets:
            yield from _targets(target, "value", statement.value, statement)
    elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        yield statement.target.id, Binding(kind="annotated", node=statement, at=statement)
    elif isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
        yield statement.target.id, Binding(kind="changed", node=statement, at=statement)
    elif isinstance(statement, ast.For | ast.AsyncFor):
        yield from _targets(statement.target, "item", statement.iter, statement)
    elif isinstance(statement, ast.With | ast.AsyncWith):
        for item in statement.items:
            if item.optional_vars is not None:
                yield from _targets(item.optional_vars, "with", item.context_expr, statement)
    elif isinstance(statement, ast.match_case):
        for node in ast.walk(statement.pattern):
            if isinstance(node, ast.MatchAs | ast.MatchStar) and node.name:
                yield node.name, Binding(kind="matched", node=node, at=statement)
    elif isinstance(statement, ast.ExceptHandler) and statement.name:
        yield statement.name, Binding(kind="matched", node=statement, at=statement)
    elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name, Binding(kind="definition", node=statement, at=statement)
    elif isinstance(statement, ast.Import | ast.ImportFrom):
        for alias in statement.names:
            name = alias.asname or alias.name.split(".")[0]
            yield name, Binding(kind="import", node=(statement, alias), at=statement)


def _targets(
    target: Any, kind: str, value: Any, at: Any, path: tuple[int, ...] = ()
) -> Iterator[tuple[str, Binding]]:
    if isinstance(target, ast.Name):
        yield target.id, Binding(kind=kind, node=value, at=at, path=path)
    elif isinstance(target, ast.Tuple | ast.List):
        for number, one in enumerate(target.elts):
            yield from _targets(one, kind, value, at, (*path, number))
