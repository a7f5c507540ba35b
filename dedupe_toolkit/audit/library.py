"""All source an audit may look into, each file parsed once, and indexes over all of it."""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.apps import apps

from .modules import Module, parsed
from .things import Defined, Instance, ModelClass, Object, Rows, Things, unknown
from .wrapping import related_rows, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .modules import Binding
    from .resolve import Resolver
    from .sources import SourceFile

_FEW = 12
_DEFINITION = re.compile(rb"\bdef\s+(\w+)")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


class Library:
    """The modules by name: those of the audited files, and any other that Django has loaded."""

    def __init__(self, files: Iterable[SourceFile]) -> None:
        self.files = {file.module: file for file in files}
        self.broken: dict[str, str] = {}
        self._modules: dict[str, Module | None] = {}
        self._calls: dict[str, list[tuple[Module, ast.Call]]] = {}

    def module(self, name: str) -> Module | None:
        """The source of a module; None where there is none that can be read."""
        if name not in self._modules:
            self._modules[name] = self._parsed(name)
        return self._modules[name]

    def _parsed(self, name: str) -> Module | None:
        path = self.files[name].path if name in self.files else _file_of(name)
        if path is None:
            return None
        try:
            return parsed(name, path)
        except (SyntaxError, ValueError, OSError, RecursionError) as error:
            self.broken[name] = str(error)
            return None

    def text(self, file: SourceFile) -> bytes:
        """What stands in a file; nothing where it has gone since the audit began."""
        try:
            return file.path.read_bytes()
        except OSError as error:
            self.broken[file.module] = str(error.strerror)
            return b""

    def loaded(self, name: str) -> Any:
        return sys.modules.get(name)

    def as_thing(self, name: str) -> Things:
        """A module by its name; nothing if it is neither loaded nor among the files."""
        loaded = sys.modules.get(name)
        if loaded is not None:
            return (Object(value=loaded),)
        module = self.module(name)
        return (Defined(module=module, node=module.tree),) if module else ()

    def absolute(self, statement: ast.ImportFrom, module: Module) -> str:
        """The full name of the module that ``from … import`` names."""
        if not statement.level:
            return statement.module or ""
        parts = module.name.split(".")
        kept = len(parts) - statement.level + (1 if module.is_package else 0)
        return ".".join([*parts[:kept], *filter(None, [statement.module])])

    def labelled(self, label: str) -> Things:
        """The model of ``app.Model``; of ``app.models.Model``, as some registries say, as well."""
        parts = label.split(".")
        if len(parts) < 2:
            return ()
        try:
            return wrapped(apps.get_model(parts[0], parts[-1]))
        except (LookupError, ValueError):
            return unknown(f"there is no model {label}")

    # -- relations by name ---------------------------------------------------------------------

    @cached_property
    def _relations(self) -> dict[str, list[tuple[Any, Things]]]:
        found: dict[str, list[tuple[Any, Things]]] = {}
        for model in apps.get_models():
            for relation in model._meta.related_objects:
                name = relation.get_accessor_name()
                if name and not relation.one_to_one:
                    found.setdefault(name, []).append((relation, related_rows(model, name) or ()))
            for field in (*model._meta.many_to_many, *model._meta.private_fields):
                if field.many_to_many or getattr(field, "one_to_many", False):
                    things = related_rows(model, field.name) or ()
                    found.setdefault(field.name, []).append((field, things))
        return found

    def only_relation(self, name: str, owner: str) -> Things:
        """The rows of the only relation of the project that has this name on either side.

        Of several, of the only one that leads away from what the ``owner`` is called.
        """
        every = self._relations.get(name, [])
        found = {things for _, things in every}
        if len(found) > 1:
            found = {things for one, things in every if owner in _names_of_owner(one)}
        only = next(iter(found)) if len(found) == 1 else ()
        return only if all(isinstance(one, Rows) for one in only) else ()

    # -- what functions do ---------------------------------------------------------------------

    @staticmethod
    @cache
    def returns(function: Any) -> tuple[Any, ...]:
        """The values of a function's own ``return`` statements."""
        return tuple(
            node.value
            for node in _own_nodes(function)
            if isinstance(node, ast.Return) and node.value
        )

    @staticmethod
    @cache
    def self_assignments(node: ast.ClassDef) -> dict[str, list[tuple[Any, tuple[int, ...]]]]:
        """Every ``self.name = value`` (or ``cls.name``) in a class's methods, by name."""
        found: dict[str, list[tuple[Any, tuple[int, ...]]]] = {}
        for method in node.body:
            is_function = isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef)
            if is_function and method.args.args:  # type: ignore[attr-defined]  # a function has args
                for name, value, path in _assignments(method):
                    found.setdefault(name, []).append((value, path))
        return found

    # -- who calls a function ------------------------------------------------------------------

    @cached_property
    def _texts(self) -> dict[str, bytes]:
        return {name: self.text(file) for name, file in self.files.items()}

    def _modules_with(self, word: str) -> Iterator[Module]:
        """The modules of the audited files in whose text a word stands."""
        searched = word.encode()
        for name, text in self._texts.items():
            module = self.module(name) if searched in text else None
            if module is not None:
                yield module

    @cached_property
    def _definitions(self) -> Counter[bytes]:
        """How many functions of each name there are."""
        found: Counter[bytes] = Counter()
        for text in self._texts.values():
            found.update(_DEFINITION.findall(text))
        return found

    def _callers(self, name: str) -> list[tuple[Module, ast.Call]]:
        """The calls of the only function of a name; none if there are several such functions."""
        if self._definitions[name.encode()] != 1:
            return []
        if name not in self._calls:
            self._calls[name] = [
                (module, node)
                for module in self._modules_with(f"{name}(")
                for node in module.of_kinds(ast.Call)
                if _called_name(node) == name
            ]
        return self._calls[name]

    def arguments_for(
        self, function: Any, binding: Binding, module: Module
    ) -> list[tuple[Module, Any]] | None:
        """What the project's own calls give to a parameter; None unless all of them tell."""
        name = getattr(function, "name", "")
        calls = self._callers(name) if name and not name.startswith("test") else []
        if not calls or len(calls) > _FEW:
            return None
        place = binding.path[0] - (1 if isinstance(module.parent(function), ast.ClassDef) else 0)
        given = [(caller, _argument(call, binding.node.arg, place)) for caller, call in calls]
        return None if any(argument is None for _, argument in given) else given

    def given_to(
        self, resolver: Resolver, function: Any, binding: Binding, module: Module
    ) -> Things:
        """What the project's own calls give to a parameter; unknown unless all of them tell."""
        text = f"nothing says what {binding.node.arg} is"
        given = self.arguments_for(function, binding, module)
        if given is None:
            return unknown(text)
        found: list[Any] = []
        for caller, argument in given:
            things = resolver.resolve(argument, caller)
            if not things or not all(isinstance(o, Instance | ModelClass | Rows) for o in things):
                return unknown(text)
            found += things
        return tuple(dict.fromkeys(found))


def _names_of_owner(relation: Any) -> set[str]:
    """What code calls the instance that a relation leads away from: its model, its field."""
    name = relation.model._meta.object_name
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    field = {relation.field.name} if relation.auto_created else set()
    return {name.lower(), words} | field


def _file_of(name: str) -> Path | None:
    file = getattr(sys.modules.get(name), "__file__", None)
    return Path(file).resolve() if isinstance(file, str) and file.endswith(".py") else None


def _own_nodes(function: Any) -> Iterator[ast.AST]:
    """The nodes of a function, but not of those defined in it."""
    body = function.body if isinstance(function.body, list) else [function.body]
    waiting = list(reversed(body))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            waiting.extend(reversed(list(ast.iter_child_nodes(node))))


def _assignments(method: Any) -> Iterator[tuple[str, Any, tuple[int, ...]]]:
    own = method.args.args[0].arg
    for statement in _own_nodes(method):
        if isinstance(statement, ast.Assign):
            for target in statement.targets:
                for name, path in _own_targets(target, own):
                    yield name, statement.value, path
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            for name, path in _own_targets(statement.target, own):
                yield name, statement.value, path


def _own_targets(target: Any, own: str, path: tuple[int, ...] = ()) -> Iterator[tuple[str, Any]]:
    if isinstance(target, ast.Attribute):
        if isinstance(target.value, ast.Name) and target.value.id in (own, "self", "cls"):
            yield target.attr, path
    elif isinstance(target, ast.Tuple | ast.List):
        for number, one in enumerate(target.elts):
            yield from _own_targets(one, own, (*path, number))


def _called_name(node: ast.Call) -> str:
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return getattr(node.func, "id", "")


def _argument(call: ast.Call, name: str, place: int) -> Any:
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    if any(isinstance(one, ast.Starred) for one in call.args):
        return None
    return call.args[place] if 0 <= place < len(call.args) else None
