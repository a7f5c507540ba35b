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
    imported = statement.body[0]
    if isinstance(imported.names, cst.ImportStar) or imported.lpar:
        return None
    names = [source.text[source.start(one) : source.end(one)] for one in imported.names]
    longer = [*names, name]
    if names == sorted(names, key=str.lower):
        longer.sort(key=str.lower)
    start, end = source.start(imported.names[0]), source.end(imported.names[-1])
    before = source.text[source.line_start(start) : start]
    line = f"{before}{', '.join(longer)}{source.text[end : source.line_end(end)]}"
    if len(line) > WIDTH or "\\" in line:
        return None
    return source.replaced(start, end, ", ".join(longer))


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
