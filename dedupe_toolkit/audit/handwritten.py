"""The same as ``get_or_create``, written by hand: look, find nothing, create."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.contrib.sessions.base_session import AbstractBaseSession

from .arguments import Arguments
from .creating import Creation, creations
from .findings import undecided
from .given import Givens
from .guards import is_absence, is_presence
from .judging import shown_fields
from .lookups import field_name
from .sources import Kind
from .things import Rows
from .values import Decision, Given, Reason, Verdict
from .wrapping import OWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .calls import Place
    from .findings import Finding

_GETS = {"get", "aget"}
_FIRSTS = {"first", "last", "afirst", "alast"}
_EXISTS = {"exists", "aexists"}
_SEEDS = ("seed", "populate", "demo", "sample", "fixture", "initial", "bootstrap", "dummy", "fake")
_LEAVES = (ast.Return, ast.Continue, ast.Break)


@dataclass(frozen=True, kw_only=True)
class Look:
    """A look for a row, and the statements that run where there is none."""

    form: str
    node: Any
    call: ast.Call
    absent: list[Any]


def hand_written_in(place: Place) -> Iterator[Finding]:
    """Every look for a row that is followed by its creation where there is none."""
    if place.file.kind is Kind.SCRIPT and any(word in place.file.path.stem for word in _SEEDS):
        return
    for node in place.module.nodes:
        for look in _looks(node, place):
            yield from _finding(look, place)


def _looks(node: ast.AST, place: Place) -> Iterator[Look]:
    if isinstance(node, ast.Try):
        yield from _try(node)
    elif isinstance(node, ast.If):
        yield from _if(node, place)


def _try(node: ast.Try) -> Iterator[Look]:
    """``try: … get(…) except DoesNotExist: … create(…)``"""
    handlers = [one for one in node.handlers if _is_absence(one)]
    if not handlers or _deletes(node.body):
        return
    call = next((one for one in _calls(node.body) if _method(one) in _GETS), None)
    if call is not None:
        yield Look(form="try-get", node=node, call=call, absent=handlers[0].body)


def _is_absence(handler: ast.ExceptHandler) -> bool:
    return handler.type is not None and "DoesNotExist" in ast.unparse(handler.type)


def _deletes(body: list[Any]) -> bool:
    return any(_method(one) in ("delete", "adelete") for one in _calls(body))


def _calls(body: list[Any]) -> Iterator[ast.Call]:
    for statement in body:
        yield from (node for node in ast.walk(statement) if isinstance(node, ast.Call))


def _method(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else ""


def _if(node: ast.If, place: Place) -> Iterator[Look]:
    for call in _calls([node.test]):
        if _method(call) in _EXISTS:
            yield from _branches(node, call, ast.unparse(call), "exists", place)
        elif _method(call) in _FIRSTS and isinstance(place.module.parent(call), ast.NamedExpr):
            name = ast.unparse(place.module.parent(call).target)  # type: ignore[union-attr]  # a NamedExpr
            yield from _branches(node, call, name, "first", place)
    for name in _names(node.test):
        found = _assigned_before(node, name, place)
        if found is not None:
            form = "exists" if _method(found) in _EXISTS else "first"
            yield from _branches(node, found, name, form, place)


def _names(test: ast.AST) -> list[str]:
    return list(dict.fromkeys(n.id for n in ast.walk(test) if isinstance(n, ast.Name)))


def _assigned_before(node: ast.If, name: str, place: Place) -> ast.Call | None:
    """The look that the name got its value from, in the same block before the ``if``."""
    for statement in reversed(_before(node, place)):
        if isinstance(statement, ast.Assign) and name in map(ast.unparse, statement.targets):
            value = (
                statement.value.value
                if isinstance(statement.value, ast.Await)
                else (statement.value)
            )
            is_look = isinstance(value, ast.Call) and _method(value) in _FIRSTS | _EXISTS
            return value if is_look else None  # type: ignore[return-value]  # is_look saw a Call
    return None


def _block(node: ast.AST, place: Place) -> list[Any]:
    parent = place.module.parent(node)
    for name in ("body", "orelse", "finalbody"):
        block = getattr(parent, name, None)
        if isinstance(block, list) and node in block:
            return block
    return []


def _before(node: ast.AST, place: Place) -> list[Any]:
    block = _block(node, place)
    return block[: block.index(node)] if block else []


def _branches(node: ast.If, call: ast.Call, text: str, form: str, place: Place) -> Iterator[Look]:
    """What runs where nothing was found: the body, the ``else``, or all after a guard."""
    if is_absence(node.test, text):
        yield Look(form=form, node=node, call=call, absent=node.body)
    elif is_presence(node.test, text):
        absent = list(node.orelse)
        if not absent and node.body and isinstance(node.body[-1], _LEAVES):
            block = _block(node, place)
            absent = block[block.index(node) + 1 :] if block else []
        if absent:
            yield Look(form=form, node=node, call=call, absent=absent)


def _finding(look: Look, place: Place) -> Iterator[Finding]:
    function: Any = look.call.func
    rows = [o for o in place.resolver.resolve(function.value, place.module) if isinstance(o, Rows)]
    for one in rows[:1]:
        if issubclass(one.model, AbstractBaseSession):
            return
        for creation in creations(look.absent, place.module, place.resolver):
            if creation.model is one.model:
                found = _judged(look, one, creation, place)
                if found is not None:
                    yield found
                return


def _judged(look: Look, rows: Rows, creation: Creation, place: Place) -> Finding | None:
    if any(text.startswith("**") for text in rows.excludes) or _has_rest(look.call):
        text = "what it looks for is put together at run time"
        decision = undecided(Reason.OPAQUE_ARGUMENTS, text)
        return place.finding(look.node, look.form, decision, rows.model)
    asked = _asked(look, rows, place)
    if not asked:
        return None
    given = _arguments(rows, asked, creation, place)
    if given is None:
        return None
    bare = replace(rows, lookups=(), filters=(), many_to_many="")
    reads = Rows(model=rows.model, filters=tuple(given[1].items()), excludes=rows.excludes)
    decision = by_hand(place.judge.decide(reads, given[0], "get_or_create"))
    more = (*(name for name in asked if name not in given[0].lookups), *rows.excludes)
    fields = (*shown_fields(bare, given[0]), *more)
    found = place.finding(look.node, look.form, decision, rows.model, fields)
    last = creation.node.end_lineno or found.end_line
    return replace(found, source=_rewritten(look, rows, given[0], creation), end_line=last)


def _has_rest(call: ast.Call) -> bool:
    return any(keyword.arg is None for keyword in call.keywords)


def _asked(look: Look, rows: Rows, place: Place) -> dict[str, Given]:
    """What the look asks for."""
    asked = {**dict(rows.lookups), **dict(rows.filters)}
    givens = Givens(place.resolver, place.module)
    for keyword in look.call.keywords:
        asked[str(keyword.arg)] = givens.of(keyword.value)
    return asked


def _arguments(
    rows: Rows, asked: dict[str, Given], creation: Creation, place: Place
) -> tuple[Arguments, dict[str, Given]] | None:
    """The look and the creation as one call; nothing where they have no field in common."""
    if creation.values is None:
        return Arguments(lookups=asked, defaults=None), {}
    givens = Givens(place.resolver, place.module)
    values = {
        name: givens.of(node) if node is not None else dict(rows.lookups).get(name, Given())
        for name, node in creation.values.items()
    }
    written = {field_name(rows.model, name) or name: name for name in values}
    common = {name: g for name, g in asked.items() if field_name(rows.model, name) in written}
    if field_name(rows.model, "pk") in {
        field_name(rows.model, n) for n in set(asked) - set(common)
    }:
        return None  # whoever asks for one row by its key and makes another means something else
    compared = [n for n in asked if field_name(rows.model, n.split("__")[0]) in written]
    if not common and not compared:
        return None
    taken = {field_name(rows.model, name) for name in common}
    defaults = {n: g for n, g in values.items() if (field_name(rows.model, n) or n) not in taken}
    unmet = {
        name: given
        for name, given in asked.items()
        # what is linked to a row is linked after it was created
        if name not in common and field_name(rows.model, name.split("__")[0])
    }
    return Arguments(lookups=common, defaults=defaults), unmet


def by_hand(decision: Decision) -> Decision:
    """What a race does where nobody sees to its loser."""
    if decision.verdict is Verdict.SAFE:
        return replace(
            decision,
            verdict=Verdict.FRAGILE,
            reason=Reason.BY_HAND,
            sentence=f"{decision.rule} stops the second row, and the loser of a race raises"
            " IntegrityError",
        )
    return decision


def _rewritten(look: Look, rows: Rows, given: Arguments, creation: Creation) -> str:
    """The ``get_or_create`` that says the same."""
    if given.defaults is None or OWN.text in {one.text for one in given.lookups.values()}:
        return ""
    written = {name: g.text for name, g in given.lookups.items() if g.text}
    defaults = {n: g.text for n, g in given.defaults.items() if g.text}
    name = rows.model._meta.object_name
    words = [f"{key}={text}" for key, text in written.items()]
    if defaults:
        inside = ", ".join(f"{key!r}: {text}" for key, text in defaults.items())
        words.append(f"defaults={{{inside}}}")
    return f"obj, created = {name}.objects.get_or_create({', '.join(words)})"
