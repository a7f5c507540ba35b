"""Find a model's class and its Meta in a module, and add a unique rule there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import libcst as cst

from ..errors import ConstraintRefused
from .code import Code, Source, assignment, deeper
from .lists import appended, wrapped
from .nodes import (
    classes,
    is_augmented,
    is_meta,
    is_placeholder,
    small_statements,
    targets,
    value_of,
    with_decorators,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A new element of ``Meta.constraints`` or ``Meta.unique_together``."""

    option: str
    code: Code

    @property
    def snippet(self) -> str:
        """What a person would write by hand."""
        return f"{self.option} = [{self.code}]"


@dataclass(frozen=True, kw_only=True)
class Model:
    """What the source cannot say of a model, and the running project can.

    ``resolve`` gives the object that a dotted name means in the module, or None;
    ``inherited_meta`` is the Meta that the class takes over when it has none of its own, and
    ``options`` what its Meta says, inherited or not.
    """

    name: str
    resolve: Callable[[str], Any]
    inherited_meta: Any = None
    options: Mapping[str, Any] = field(default_factory=dict)


def with_rule(text: str, model: Model, rule: Rule) -> str:
    """The module's text with the rule added to the model's Meta, everything else as it was.

    Raises `ConstraintRefused`, with the line to paste, for source that it cannot edit safely.
    """
    try:
        source = Source(text)
    except cst.ParserSyntaxError as error:
        raise _refused(model, rule, f"its module cannot be parsed: {error.message}") from None
    body = _body(source, _model_class(source, model, rule), model, rule)
    meta = _meta(body, model, rule)
    if meta is None:
        return _with_new_meta(source, body, model, rule)
    return _with_option(source, meta, model, rule)


def _model_class(source: Source, model: Model, rule: Rule) -> cst.ClassDef:
    every = [node for node in classes(source.module) if node.name.value == model.name]
    top = [node for node in source.module.body if node in every]
    if not every:
        raise _refused(model, rule, "its module has no class of that name")
    if len(every) > 1:
        raise _refused(model, rule, f"its module has {len(every)} classes of that name")
    if not top:
        raise _refused(model, rule, "its class stands inside another statement")
    return every[0]


def _body(source: Source, node: cst.ClassDef, model: Model, rule: Rule) -> cst.ClassDef:
    if not isinstance(node.body, cst.IndentedBlock):
        what = "Meta" if node.name.value == "Meta" else "class"
        raise _refused(model, rule, f"its {what} is written on one line")
    return node


def _meta(node: cst.ClassDef, model: Model, rule: Rule) -> cst.ClassDef | None:
    """The Meta class in the model's own body; None if it has none."""
    metas = [one for one in node.body.body if isinstance(one, cst.ClassDef) and is_meta(one)]
    nested = sum(1 for one in classes(node.body, into_classes=False) if is_meta(one))
    if any("Meta" in targets(one) for one in node.body.body):
        raise _refused(model, rule, "its Meta is assigned, not written as a class")
    if len(metas) > 1:
        raise _refused(model, rule, f"it has {len(metas)} Meta classes")
    if nested > len(metas):
        raise _refused(model, rule, "its Meta stands inside another statement")
    return metas[0] if metas else None


def _with_new_meta(source: Source, node: cst.ClassDef, model: Model, rule: Rule) -> str:
    base = _base_with_meta(source, node, model, rule)
    inner = source.indent_at(source.start(node.body.body[0]))
    header = f"{inner}class Meta({base}.Meta):" if base else f"{inner}class Meta:"
    elements = _with_inherited([f"{base}.Meta"] if base else [], model, rule)
    lines = [header, *assignment(rule.option, elements, deeper(inner))]
    return _placed(source, list(node.body.body), lines)


def _placed(source: Source, statements: list[Any], lines: list[str]) -> str:
    """A new Meta goes above the first method, or to the end of the class."""
    only = statements[0]
    if len(statements) == 1 and is_placeholder(only):
        return _in_place_of(source, only, lines)
    method = next((n for n, one in enumerate(statements) if isinstance(one, cst.FunctionDef)), None)
    if method == 0:
        at = source.line_start(source.start(with_decorators(only)))
        return source.replaced(at, at, "\n".join([*lines, "", ""]))
    before = statements[-1 if method is None else method - 1]
    crowded = method is not None and source.line_after(before).strip()
    return source.with_lines_after(before, ["", *lines, *([""] if crowded else [])])


def _with_option(source: Source, meta: cst.ClassDef, model: Model, rule: Rule) -> str:
    body = _body(source, meta, model, rule)
    assigned = [one for one in body.body.body if rule.option in targets(one)]
    if any(rule.option in targets(one) for one in small_statements(body.body)) and not assigned:
        raise _refused(model, rule, f"its Meta.{rule.option} stands inside another statement")
    if len(assigned) > 1 or any(is_augmented(one) for one in assigned):
        raise _refused(model, rule, f"its Meta.{rule.option} is put together in several steps")
    if assigned:
        return _extended(source, value_of(assigned[0]), model, rule)
    inner = source.indent_at(source.start(body.body.body[0]))
    bases = [source.code(base.value) for base in meta.bases]
    lines = assignment(rule.option, _with_inherited(bases, model, rule), inner)
    only = body.body.body[0]
    if len(body.body.body) == 1 and is_placeholder(only):
        return _in_place_of(source, only, lines)
    return source.with_lines_after(body.body.body[-1], lines)


def _extended(source: Source, value: Any, model: Model, rule: Rule) -> str:
    if value is None:
        raise _refused(model, rule, f"its Meta.{rule.option} has no value")
    if rule.option == "unique_together" and _is_flat(source, value, model):
        return wrapped(source, value, rule.code)
    return appended(source, value, rule.code)


def _is_flat(source: Source, value: Any, model: Model) -> bool:
    """Whether ``unique_together`` is a single tuple of names, which Django allows as well."""
    if isinstance(value, cst.List | cst.Tuple):
        strings = (cst.SimpleString, cst.ConcatenatedString)
        return any(isinstance(element.value, strings) for element in value.elements)
    return _names_only(model.options.get("unique_together"))


def _names_only(value: Any) -> bool:
    return bool(value) and all(isinstance(item, str) for item in value)


def _with_inherited(bases: list[str], model: Model, rule: Rule) -> list[Code | str]:
    """The elements of a new option: those of the bases' Meta that it would hide, and the rule."""
    for meta in bases:
        inherited = getattr(model.resolve(meta), rule.option, None)
        if inherited:
            star = "" if rule.option == "unique_together" and _names_only(inherited) else "*"
            return [f"{star}{meta}.{rule.option}", rule.code]
    if model.options.get(rule.option):
        raise _refused(model, rule, f"it inherits Meta.{rule.option} from where it has no name")
    return [rule.code]


def _base_with_meta(source: Source, node: cst.ClassDef, model: Model, rule: Rule) -> str:
    """The base class, as written, whose Meta the model takes over; "" if it takes over none."""
    if model.inherited_meta is None:
        return ""
    for base in node.bases:
        name = source.code(base.value).split("[")[0]  # Base[T] is Base to everyone but mypy
        if getattr(model.resolve(name), "Meta", None) is model.inherited_meta:
            return name
    raise _refused(model, rule, "it inherits a Meta from a base class that has no name here")


def _in_place_of(source: Source, placeholder: Any, lines: list[str]) -> str:
    start = source.line_start(source.start(placeholder))
    return source.replaced(start, source.end(placeholder), "\n".join(lines))


def _refused(model: Model, rule: Rule, reason: str) -> ConstraintRefused:
    return ConstraintRefused(
        f"{model.name} cannot be edited: {reason}; add {rule.snippet} to its Meta yourself,"
        " then run manage.py makemigrations"
    )
