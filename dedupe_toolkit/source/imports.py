"""Import a name at the top of a module, in the place where a person would."""

from __future__ import annotations

from typing import Any

import libcst as cst
from libcst.helpers import get_full_name_for_node_or_raise

from .code import WIDTH, Source


def with_import(text: str, module: str, name: str) -> str:
    """The module's text with ``from module import name`` in it, joined to an import that fits."""
    source = Source(text)
    froms = [one for one in _top_level(source) if isinstance(one.body[0], cst.ImportFrom)]
    for statement in froms:
        if _module_of(statement) == module:
            joined = _joined(source, statement, name)
            if joined is not None:
                return joined
    return _inserted(source, froms, module, f"from {module} import {name}")


def _joined(source: Source, statement: Any, name: str) -> str | None:
    """The name among those imported from its module already; None where that cannot be."""
    imported = statement.body[0]
    if isinstance(imported.names, cst.ImportStar):
        return None
    names = [source.text[source.start(one) : source.end(one)] for one in imported.names]
    longer = _with_name([each.rstrip(", ") for each in names], name)
    if (
        imported.lpar
        and "\n" in source.text[source.start(imported.lpar) : source.start(imported.names[0])]
    ):
        return _one_a_line(source, imported, longer, name)
    start, end = source.start(imported.names[0]), source.end(imported.names[-1])
    before = source.text[source.line_start(start) : start]
    line = f"{before}{', '.join(longer)}{source.text[end : source.line_end(end)]}"
    if "\\" in line or "\n" in source.text[start:end]:
        return None
    if len(line) <= WIDTH:
        return source.replaced(start, end, ", ".join(longer))
    if imported.lpar or "#" in line:
        return None
    lines = "".join(f"    {each},\n" for each in longer)
    return source.replaced(start, end, f"(\n{lines})")


def _with_name(names: list[str], name: str) -> list[str]:
    """The names and another, in their order if they have one."""
    for order in (_as_isort, str.lower, str):
        if names == sorted(names, key=order):
            return sorted([*names, name], key=order)
    return [*names, name]


def _as_isort(name: str) -> tuple[int, str]:
    """Constants, then classes, then functions."""
    bare = name.split(" ")[0]
    kind = 0 if bare.isupper() and len(bare) > 1 else 1 if bare[:1].isupper() else 2
    return kind, bare


def _one_a_line(source: Source, imported: Any, longer: list[str], name: str) -> str:
    place = longer.index(name)
    first = source.start(imported.names[0])
    line = f"{source.indent_at(first)}{name},\n"
    if place < len(imported.names):
        at = source.line_start(source.start(imported.names[place]))
        return source.replaced(at, at, line)
    last = imported.names[-1]
    end = source.end(last.comma) if isinstance(last.comma, cst.Comma) else source.end(last)
    has_comma = source.text[:end].endswith(",")
    added = line.rstrip() if has_comma else line.rstrip(",\n")
    return source.replaced(end, end, f"{'' if has_comma else ','}\n{added}")


def _inserted(source: Source, froms: list[Any], module: str, line: str) -> str:
    """In alphabetical order among the imports of installed packages; else below all imports."""
    root = module.split(".")[0]
    packages = [one for one in froms if _module_of(one).split(".")[0] in {"django", root}]
    before = [one for one in packages if _module_of(one) <= module]
    if before:
        return _below(source, before[-1], line)
    if packages:
        at = source.line_start(source.start(packages[0]))
        return source.replaced(at, at, f"{line}\n")
    every = _top_level(source)
    return _below(source, every[-1], line) if every else _on_top(source, line)


def _on_top(source: Source, line: str) -> str:
    body = source.module.body
    has_docstring = source.module.get_docstring() is not None
    if has_docstring:
        return _below(source, body[0], f"\n{line}")
    at = source.line_start(source.start(body[0])) if body else len(source.text)
    return source.replaced(at, at, f"{line}\n\n")


def _below(source: Source, statement: Any, line: str) -> str:
    at = source.next_line(source.end(statement))
    missing = "" if source.text[:at].endswith(("\n", "\r")) else "\n"
    return source.replaced(at, at, f"{missing}{line}\n")


def _top_level(source: Source) -> list[Any]:
    return [
        statement
        for statement in source.module.body
        if isinstance(statement, cst.SimpleStatementLine)
        and isinstance(statement.body[0], cst.Import | cst.ImportFrom)
    ]


def _module_of(statement: Any) -> str:
    """The absolute module that a from-import names; "" for a relative one."""
    imported = statement.body[0]
    if imported.relative or imported.module is None:
        return ""
    return get_full_name_for_node_or_raise(imported.module)
