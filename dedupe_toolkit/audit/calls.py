"""Finds the calls of ``get_or_create`` and its kin in a module, and says what each is about."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .arguments import Arguments, arguments
from .calling import own_creation
from .factories import FACTORY, is_factory_option, model_of_factory
from .findings import Finding, undecided
from .handing import Use, used
from .handwritten import by_hand
from .judging import shown_fields
from .passing import looks_and_creates, passed_on
from .spelling import is_in_transaction
from .things import Defined, Group, Instance, Many, ModelClass, Object, Of, Rows, Thing
from .values import Given, Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .judging import Judge
    from .modules import Module
    from .resolve import Resolver
    from .sources import SourceFile
    from .values import Decision

METHODS = {"get_or_create", "update_or_create", "aget_or_create", "aupdate_or_create"}


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where an audit reads: the module, its file, and who resolves and judges."""

    file: SourceFile
    module: Module
    resolver: Resolver
    judge: Judge

    def finding(
        self,
        node: Any,
        form: str,
        decision: Decision,
        model: Any = None,
        fields: tuple[str, ...] = (),
    ) -> Finding:
        """What was found at a node."""
        return Finding(
            path=self.file.shown,
            line=node.lineno,
            end_line=node.end_lineno or node.lineno,
            name=self.module.qualified_name(node),
            form=form,
            model=model,
            fields=fields,
            decision=decision,
            kind=self.file.kind,
            source=self.module.segment(node),
        )


def calls_in(place: Place) -> Iterator[Finding]:
    """Every call that gets or creates, and every factory that does."""
    for node in place.module.of_kinds(ast.Attribute):
        if node.attr in METHODS:
            yield from _call(used(node, place.module), node, place)
    for node in place.module.of_kinds(ast.Assign):
        if is_factory_option(node):
            yield from _factory(node, place)


def _call(use: Use, named: ast.Attribute, place: Place) -> Iterator[Finding]:
    owner, method, node = named.value, named.attr, use.node
    is_method = not isinstance(place.module.parent(named), ast.Attribute)
    if _is_super(owner) or isinstance(named.ctx, ast.Store) or not is_method:
        return  # what a stand-in has been called with is asked as ….get_or_create.call_args
    things = place.resolver.resolve(owner, place.module)
    rows = [one for one in things if isinstance(one, Rows)]
    own = [one for one in things if isinstance(one, ModelClass | Instance)]
    if rows:
        for one in rows:
            yield _judged(use, method, one, place)
    elif own:
        text = f"{own[0].model._meta.label}.{method}() is the model's own method"
        decision = undecided(Reason.OWN_METHOD, text)
        yield place.finding(node, method, decision, own[0].model)
    elif not things or not all(_is_something_else(one) for one in things):
        why = next((one.why for one in things if hasattr(one, "why")), "")
        text = why or f"nothing says what {ast.unparse(owner)} is"
        yield place.finding(node, method, undecided(Reason.UNRESOLVED, text))


def _judged(use: Use, method: str, rows: Rows, place: Place) -> Finding:
    node, updates = use.node, "update" in method
    given = Arguments(unknown="what it is called with", defaults=None)
    if use.call is not None:
        given = arguments(use.call, place.module, place.resolver, updates=updates)
    fields = shown_fields(rows, given)
    own = own_creation(rows, method)
    if own is not None:
        passed = passed_on(own, rows, given, place)
        if passed is not None:
            fields = shown_fields(passed[0], passed[1])
            inside = is_in_transaction(node, place.module)
            decision = place.judge.decide(*passed, method, in_transaction=inside)
            return place.finding(node, method, decision, rows.model, fields)
        if looks_and_creates(own, given, place):
            decision = by_hand(place.judge.decide(rows, given, method))
            return place.finding(node, method, decision, rows.model, fields)
        text = f"{own.__qualname__}() is the project's own method"
        decision = undecided(Reason.OWN_METHOD, text)
        return place.finding(node, method, decision, rows.model, fields)
    inside = is_in_transaction(node, place.module)
    decision = place.judge.decide(rows, given, method, in_transaction=inside)
    return place.finding(node, method, decision, rows.model, fields)


def _is_super(node: Any) -> bool:
    return isinstance(node, ast.Call) and getattr(node.func, "id", "") == "super"


def _is_something_else(thing: Thing) -> bool:
    """Whether it is known to be neither a manager nor a model."""
    return isinstance(thing, Object | Of | Defined | Group | Many)


def _factory(node: ast.Assign, place: Place) -> Iterator[Finding]:
    """``class Meta: model = X; django_get_or_create = ("name",)``"""
    meta = place.module.enclosing_class(node)
    names = _names(node.value)
    model = model_of_factory(meta, place) if meta else None
    if model is None or not names:
        text = "the factory's model is not known"
        yield place.finding(node, FACTORY, undecided(Reason.UNRESOLVED, text))
        return
    given = Arguments(lookups={name: Given(text=name) for name in names}, defaults=None)
    rows = Rows(model=model, kind=type(model._default_manager))
    decision = place.judge.decide(rows, given, "get_or_create")
    yield place.finding(node, FACTORY, decision, model, shown_fields(rows, given))


def _names(node: Any) -> list[str]:
    parts = node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else [node]
    values = [one.value for one in parts if isinstance(one, ast.Constant)]
    return [value for value in values if isinstance(value, str)]
