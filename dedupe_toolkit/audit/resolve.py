"""What expressions in source stand for: names, attributes, calls, followed to models."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ImproperlyConfigured

from . import attributes, classes, functions, names
from .annotations import annotated, annotation
from .calling import called
from .spelling import short
from .things import (
    Defined,
    Group,
    Instance,
    Many,
    Object,
    Rows,
    Thing,
    Things,
    Unknown,
    is_none,
    unknown,
)
from .wrapping import wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .library import Library
    from .modules import Module

_DEEPEST = 25
_MOST = 24


class Resolver:
    """Follows expressions; asks the running project first, and the source where that is silent."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self._depth = 0
        self._underway: set[tuple[int, int]] = set()
        self._known: dict[tuple[ast.AST, Thing | None], Things] = {}
        self.receivers: list[tuple[ast.AST, Thing]] = []

    # -- expressions ---------------------------------------------------------------------------

    def resolve(self, node: Any, module: Module) -> Things:
        """All that an expression may stand for."""
        receiver = self.receivers[-1][1] if self.receivers else None
        key = (node, receiver)
        if key in self._known:
            return self._known[key]
        mark = (id(node), id(receiver))
        if mark in self._underway or self._depth > _DEEPEST:
            return unknown("it refers to itself")
        self._underway.add(mark)
        self._depth += 1
        try:
            found = tuple(dict.fromkeys(self._resolve(node, module)))
            if len(found) > _MOST:
                found = unknown(f"it may be any of {len(found)} things")
        finally:
            self._depth -= 1
            self._underway.discard(mark)
        if self._depth == 0 or not any(isinstance(one, Unknown) for one in found):
            self._known[key] = found
        return found

    def resolve_as(self, node: Any, module: Module, function: ast.AST, receiver: Thing) -> Things:
        """The same inside of a function whose ``self`` is the receiver."""
        self.receivers.append((function, receiver))
        try:
            return self.resolve(node, module)
        finally:
            self.receivers.pop()

    def _resolve(self, node: Any, module: Module) -> Iterable[Thing]:
        if isinstance(node, ast.Name):
            return names.named(self, node.id, node, module)
        if isinstance(node, ast.Attribute):
            return self._attribute(node, module)
        if isinstance(node, ast.Call):
            return self._call(node, module)
        if isinstance(node, ast.Await | ast.Starred | ast.NamedExpr):
            return self.resolve(node.value, module)
        if isinstance(node, ast.IfExp):
            return self._either([node.body, node.orelse], module)
        if isinstance(node, ast.BoolOp):
            return self._either(node.values, module)
        if isinstance(node, ast.Constant):
            return (Object(value=node.value),)
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            return (Group(members=tuple(self.resolve(one, module) for one in node.elts)),)
        if isinstance(node, ast.Dict):
            members = tuple(self.resolve(one, module) for one in node.values)
            return (
                Group(members=members, keys=tuple(getattr(k, "value", None) for k in node.keys)),
            )
        if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp):
            return (Many(member=self.resolve(node.elt, module)),)
        if isinstance(node, ast.Subscript):
            return self._item(node, module)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr | ast.BitAnd):
            return self._either([node.left], module)
        return unknown(f"{short(node)} is not followed")

    def _either(self, nodes: Iterable[Any], module: Module) -> Things:
        found = [one for node in nodes for one in self.resolve(node, module)]
        return tuple(one for one in found if not is_none(one)) or tuple(found)

    def _attribute(self, node: ast.Attribute, module: Module) -> Iterable[Thing]:
        things = self.resolve(node.value, module)
        found = [one for thing in things for one in self.attribute(thing, node.attr)]
        if not found or all(isinstance(one, Unknown) for one in found):
            guessed = self._of_unknown(node, module)
            return guessed or found or unknown(f"nothing is known of {short(node)}")
        return found

    def _of_unknown(self, node: ast.Attribute, module: Module) -> Things:
        """What a name says where nothing else does: ``request.user``, a relation's only name."""
        value = short(node.value)
        if node.attr == "user" and value.split(".")[-1] in ("request", "req", "_request"):
            return self.user()
        return self.library.only_relation(node.attr, value.split(".")[-1])

    def user(self) -> Things:
        from django.contrib.auth import get_user_model

        try:
            return (Instance(model=get_user_model()),)
        except ImproperlyConfigured as error:
            # a project without users may say request.user all the same
            return unknown(str(error))

    def _call(self, node: ast.Call, module: Module) -> Iterable[Thing]:
        if isinstance(node.func, ast.Name) and node.func.id == "super" and not node.args:
            return classes.above(self, node, module)
        if isinstance(node.func, ast.Attribute):
            things = self.resolve(node.func.value, module)
            found = [
                one for thing in things for one in called(self, thing, node.func.attr, node, module)
            ]
            return found or unknown(f"nothing is known of what {short(node.func)}() returns")
        return [
            one
            for thing in self.resolve(node.func, module)
            for one in called(self, thing, "", node, module)
        ]

    def _item(self, node: ast.Subscript, module: Module) -> Iterable[Thing]:
        index = node.slice.value if isinstance(node.slice, ast.Constant) else None
        return self.members(self.resolve(node.value, module), index)

    def members(self, things: Things, index: Any = None) -> Things:
        """What is in a collection: at a place, or anywhere in it."""
        found: list[Thing] = []
        for thing in things:
            if isinstance(thing, Rows):
                found.append(Instance(model=thing.model))
            elif isinstance(thing, Group):
                found.extend(one for member in _members(thing, index) for one in member)
            elif isinstance(thing, Many):
                found.extend(thing.member)
            elif isinstance(thing, Object) and isinstance(thing.value, list | tuple | dict):
                found.extend(one for value in _values(thing.value, index) for one in wrapped(value))
            else:
                found.append(Unknown(why="it is taken from a collection"))
        return tuple(dict.fromkeys(found))

    # -- what the other ways of following ask for: a method each, in the file of its way ----------

    attribute = attributes.attribute
    imported = names.imported
    bound_to = names.bound_to
    definition = classes.definition
    self_of = classes.self_of
    class_attribute = classes.class_attribute
    assigned_to_self = classes.assigned_to_self
    conventional = classes.conventional
    with_self = functions.with_self
    returned = functions.returned
    parameter = functions.parameter
    model_named = functions.model_named

    def in_project(self, function: Any) -> Defined | None:
        """The source of a function, if it is that of an audited file."""
        found = functions.source_of(self, function)
        if found is None or found[0].name not in self.library.files:
            return None
        return Defined(module=found[0], node=found[1])

    def annotation(self, node: Any, module: Module) -> Things:
        return annotation(self, node, module)

    def annotated(self, node: ast.AnnAssign, module: Module) -> Things:
        return annotated(self, node, module)


def _members(group: Group, index: Any) -> list[Things]:
    """What is in a collection written out: at a place or under a key, or anywhere in it."""
    if group.keys is not None:
        is_key = index is not None and index in group.keys
        return [group.members[group.keys.index(index)]] if is_key else list(group.members)
    is_place = isinstance(index, int) and -len(group.members) <= index < len(group.members)
    return [group.members[index]] if is_place else list(group.members)


def _values(collection: Any, index: Any) -> list[Any]:
    """What a collection of the running project has: under a key, or anywhere in it."""
    if not isinstance(collection, dict):
        return list(collection)[:200]
    is_there = index is not None and index in collection
    return [collection[index]] if is_there else list(collection.values())[:200]
