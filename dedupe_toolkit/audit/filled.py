"""Whether a value may be None: by what it is, where it comes from, and what is asked before."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from .guards import is_guarded
from .items import null_of_item
from .literals import literal
from .nulls import is_promised, worst
from .reaching import reaching
from .returning import null_of_call
from .spelling import is_static, last_name
from .things import Instance
from .values import UNSET, Null

if TYPE_CHECKING:
    from .modules import Binding, Module
    from .resolve import Resolver
    from .things import Thing

_DEEPEST = 7
_NEVER = (
    *(ast.JoinedStr, ast.BinOp, ast.Compare, ast.Dict, ast.List, ast.Tuple, ast.Set),
    *(ast.UnaryOp, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Lambda),
)
_USERS = {"self.request.user", "request.user", "info.context.user"}
_CREATES = {"get_or_create", "update_or_create", "aget_or_create", "aupdate_or_create"}


class Filled:
    """Answers for the values of one module."""

    def __init__(self, module: Module, resolver: Resolver, depth: int = 0) -> None:
        self.module = module
        self.resolver = resolver
        self.depth = depth

    def inside(self, module: Module) -> Filled:
        """The same a step deeper, for what another module says."""
        return Filled(module, self.resolver, self.depth + 1)

    def null(self, node: Any) -> Null:
        """Whether a value may be None; whoever calls it again goes one step deeper."""
        if self.depth > _DEEPEST:
            return Null.MAYBE
        deeper = self.inside(self.module)
        found = deeper.unguarded(node)
        if found is Null.NEVER or not isinstance(node, ast.Name | ast.Attribute):
            return found
        is_there = is_guarded(node, self.module, lambda one: deeper.null(one) is Null.NEVER)
        return Null.NEVER if is_there else found

    def unguarded(self, node: Any) -> Null:
        """The same, whatever is asked before."""
        known = literal(node, self.module, self.resolver)
        if known is not UNSET:
            return Null.ALWAYS if known is None else Null.NEVER
        if isinstance(node, _NEVER):
            return Null.NEVER
        if isinstance(node, ast.IfExp):
            return self._of_choice(node)
        if isinstance(node, ast.BoolOp):
            is_or = isinstance(node.op, ast.Or)
            return worst(map(self.null, node.values[-1:] if is_or else node.values))
        if isinstance(node, ast.Await | ast.NamedExpr):
            return self.null(node.value)
        if isinstance(node, ast.Call):
            return null_of_call(node, self)
        if isinstance(node, ast.Subscript):
            return self._of_part(node)
        if isinstance(node, ast.Attribute):
            return self._of_attribute(node)
        return self._of_name(node) if isinstance(node, ast.Name) else Null.MAYBE

    def _of_choice(self, node: ast.IfExp) -> Null:
        is_itself = ast.unparse(node.test) == ast.unparse(node.body)
        return worst([Null.NEVER if is_itself else self.null(node.body), self.null(node.orelse)])

    def _of_part(self, node: ast.Subscript) -> Null:
        """A slice is always something, and so is a part of a text."""
        splits = last_name(node.value) in ("split", "rsplit", "partition", "rpartition")
        is_text = isinstance(node.value, ast.Call) and splits
        return Null.NEVER if is_text or isinstance(node.slice, ast.Slice) else Null.MAYBE

    def _of_attribute(self, node: ast.Attribute) -> Null:
        """A column that is not NULL, of an instance; the user of a request; what ``self`` has."""
        if ast.unparse(node) in _USERS:
            return Null.NEVER
        owners = self.resolver.resolve(node.value, self.module)
        if owners and all(_is_column_filled(one, node.attr) for one in owners):
            return Null.NEVER
        is_own = isinstance(node.value, ast.Name) and node.value.id == "self"
        return self._assigned(node) if is_own else Null.MAYBE

    def _assigned(self, node: ast.Attribute) -> Null:
        """What the methods of the class put into ``self.name``, where its body has nothing."""
        owner = self.module.enclosing_class(node)
        if owner is None or node.attr in self.module.bindings(owner):
            return Null.MAYBE
        assigned = self.resolver.library.self_assignments(owner).get(node.attr, [])
        values = [
            self.null(value) if not path else _of_unpacked(value, path) for value, path in assigned
        ]
        return worst(values) if values else Null.MAYBE

    # -- names ---------------------------------------------------------------------------------

    def _of_name(self, node: ast.Name) -> Null:
        bound_here = self.module.comprehended(node)
        if bound_here is not None:
            return null_of_item(bound_here, self)
        for scope in self.module.scopes(node):
            bound = self.module.bindings(scope).get(node.id)
            if not bound:
                continue
            if isinstance(scope, ast.Module) and node.id in self.module.changed_globals:
                return Null.MAYBE
            seen = reaching(bound, node, self.module, scope)
            return worst(map(self._of_binding, seen))
        return Null.MAYBE

    def _of_binding(self, binding: Binding) -> Null:
        if binding.kind == "item":
            return null_of_item(binding, self)
        if binding.kind == "parameter":
            return self._of_parameter(binding)
        if binding.kind == "value":
            if binding.path:
                return _of_unpacked(binding.node, binding.path)
            return self.null(binding.node)
        if binding.kind == "annotated":
            value = binding.node.value
            found = self.null(value) if value is not None else Null.MAYBE
            return (
                Null.PROMISED
                if found is Null.MAYBE and is_promised(binding.node.annotation)
                else found
            )
        return Null.NEVER if binding.kind in ("changed", "definition") else Null.MAYBE

    def _of_parameter(self, binding: Binding) -> Null:
        """``self`` is there; a declared type promises it; a default of None takes that back."""
        function: Any = binding.at
        is_method = isinstance(self.module.parent(function), ast.ClassDef)
        if is_method and binding.path == (0,) and not is_static(function):
            return Null.NEVER
        if _has_none_as_default(function, binding.node):
            return Null.MAYBE
        if binding.node.arg in ("instance", "sender") and _is_receiver(function):
            return Null.NEVER
        return Null.PROMISED if is_promised(binding.node.annotation) else self._given(binding)

    def _given(self, binding: Binding) -> Null:
        """By what the calls that are seen give; a queue or a URL may call as well."""
        given = self.resolver.library.arguments_for(binding.at, binding, self.module)
        nulls = [self.inside(module).null(node) for module, node in given or ()]
        return (
            Null.PROMISED
            if nulls and Null.MAYBE not in nulls and Null.ALWAYS not in nulls
            else Null.MAYBE
        )


def _of_unpacked(value: Any, path: tuple[int, ...]) -> Null:
    """``row, created = ….get_or_create(…)``"""
    node = value.value if isinstance(value, ast.Await) else value
    is_pair = isinstance(node, ast.Call) and last_name(node) in _CREATES
    return Null.NEVER if is_pair and path in ((0,), (1,)) else Null.MAYBE


def _is_column_filled(thing: Thing, name: str) -> bool:
    if not isinstance(thing, Instance):
        return False
    meta: Any = thing.model._meta
    for field in meta.concrete_fields:
        if name in (field.name, field.attname, "pk" if field.primary_key else field.name):
            return not field.null
    return False


def _is_receiver(function: Any) -> bool:
    return any(last_name(one) == "receiver" for one in getattr(function, "decorator_list", []))


def _has_none_as_default(function: Any, given: Any) -> bool:
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    pairs = [
        *zip(reversed(positional), reversed(arguments.defaults), strict=False),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    return any(
        one is given and isinstance(default, ast.Constant) and default.value is None
        for one, default in pairs
    )
