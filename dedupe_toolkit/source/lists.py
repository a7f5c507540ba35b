"""Add an element to a list, a tuple, or another expression that yields one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import libcst as cst

from .code import WIDTH, assignment, deeper

if TYPE_CHECKING:
    from .code import Code, Source


def appended(source: Source, value: cst.BaseExpression, new: Code) -> str:
    """The module's text with ``new`` as the last element of the expression ``value``.

    A literal keeps its brackets, comments and way of breaking lines; anything else is unpacked
    into a new list.
    """
    if not isinstance(value, cst.List | cst.Tuple):
        return _unpacked(source, value, new)
    if not value.elements:
        return _first_of(source, value, new)
    opening = source.text[source.span(value)[0] : source.start(value.elements[0])]
    return (_one_a_line if "\n" in opening else _on_one_line)(source, value, new)


def wrapped(source: Source, value: cst.BaseExpression, new: Code) -> str:
    """The module's text with ``value`` as the first element of a new list, ``new`` the second."""
    start, end = source.span(value)
    code = source.code(value)
    first = f"({code})" if isinstance(value, cst.Tuple) and not value.lpar else code
    return source.replaced(start, end, f"[{first}, {new}]")


def _unpacked(source: Source, value: Any, new: Code) -> str:
    start, end = source.span(value)
    code = source.code(value)
    plain = isinstance(value, cst.Name | cst.Attribute | cst.Call) or value.lpar
    return source.replaced(start, end, f"[*{code if plain else f'({code})'}, {new}]")


def _first_of(source: Source, value: Any, new: Code) -> str:
    start, end = source.span(value)
    indent = source.indent_at(start)
    name = source.text[source.line_start(start) + len(indent) : start].rstrip("= ")
    lines = assignment(name, [new], indent)
    return source.replaced(source.line_start(start), end, "\n".join(lines))


def _one_a_line(source: Source, value: Any, new: Code) -> str:
    last = value.elements[-1]
    has_comma = isinstance(last.comma, cst.Comma)
    indent = source.indent_at(source.start(value.elements[0]))
    lines = "\n".join(new.lines(indent))
    closing = source.span(value)[1] - 1
    at = source.line_start(closing)
    if source.text[at:closing].strip():  # the bracket closes on the line of the last element
        comma = source.end(last.comma) if has_comma else source.end(last)
        return source.replaced(comma, comma, f"{'' if has_comma else ','}\n{lines.rstrip(',')}")
    text = source.replaced(at, at, f"{lines if has_comma else lines.rstrip(',')}\n")
    if has_comma:
        return text
    return f"{text[: source.end(last)]},{text[source.end(last) :]}"


def _on_one_line(source: Source, value: Any, new: Code) -> str:
    start, end = source.span(value)
    last = value.elements[-1]
    at = source.end(last)
    has_brackets = isinstance(value, cst.List) or bool(value.lpar)
    closing = source.text[end - 1] if has_brackets else ""
    if "\n" in source.text[at:end]:  # what follows the last element stays where it is
        if isinstance(last.comma, cst.Comma):
            return source.replaced(source.end(last.comma), source.end(last.comma), f" {new},")
        return source.replaced(at, at, f", {new}")
    line = source.text[source.line_start(start) : at]
    if "\n" in line or len(f"{line}, {new}{closing}") <= WIDTH or not has_brackets:
        return source.replaced(at, end, f", {new}{closing}")
    return source.replaced(start, end, _exploded(source, value, new, closing))


def _exploded(source: Source, value: Any, new: Code, closing: str) -> str:
    start, _ = source.span(value)
    indent = source.indent_at(start)
    inner = deeper(indent)
    kept = [source.text[source.start(e) : source.end(e)] for e in value.elements]
    body = [*(f"{inner}{element}," for element in kept), *new.lines(inner)]
    return "\n".join([source.text[start], *body, f"{indent}{closing}"])
