"""The checks and generated columns of SQLite, whose catalogue keeps CREATE TABLE as typed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .checks import LiveCheck

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .checks import Demand
    from .sqlite_catalogue import SQLiteCatalogue

_TABLES = """
SELECT w.name, x.sql FROM {master} x
JOIN w ON w.schema = x.schema AND w.bare = lower(x.name) WHERE x.type = 'table'
"""
_TOKEN = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | `(?:[^`]|``)*` | \[[^\]]*\]
      | --[^\n]* | /\*.*?\*/ | \w+ | \s+ | .""",
    re.VERBOSE | re.DOTALL,
)


def demands(database: SQLiteCatalogue, tables: Sequence[str]) -> Iterator[tuple[str, Demand]]:
    for table, sql in database.fetch_of(_TABLES, tables):
        for definition in definitions(sql):
            for demand in _of(definition):
                yield table, demand


def _of(definition: list[str]) -> Iterator[Demand]:
    words = [word.upper() for word in definition]
    for place, (word, following) in enumerate(zip(words, definition[1:], strict=False)):
        if word == "CHECK":
            is_named = place > 1 and words[place - 2] == "CONSTRAINT"
            name = _unquoted(definition[place - 1]) if is_named else ""
            yield LiveCheck(name=name, sql=following.replace("%", "%%"))
        elif word == "AS":
            yield _unquoted(definition[0]), following.replace("%", "%%")


def definitions(sql: str) -> list[list[str]]:
    """The columns and constraints of a CREATE TABLE, each as its words; brackets are one word."""
    found: list[list[str]] = [[]]
    depth, bracket = 0, ""
    for token in _TOKEN.findall(sql):
        text = " " if token.startswith(("--", "/*")) else token
        depth += (text == "(") - (text == ")")
        if depth > 1 or (depth == 1 and bracket):
            bracket += text
        elif depth == 1 and text == ",":
            found.append([])
        elif depth == 1 and text != "(" and text.strip():
            found[-1].append(text)
        if depth == 1 and bracket:
            found[-1].append(bracket)
            bracket = ""
        if depth == 0 and text == ")":
            break
    return found


def free_of_unique_rules(sql: str) -> str:
    """The CREATE TABLE without its unique rules, but the primary key, and foreign keys."""
    kept = [_free(definition) for definition in definitions(sql)]
    start, end = sql[: sql.index("(")], sql[sql.rindex(")") + 1 :]
    return f"{start}({', '.join(filter(None, kept))}){end}"


def _free(definition: list[str]) -> str:
    words = [word.upper() for word in definition]
    of_table = words[2] if words[0] == "CONSTRAINT" else words[0]
    if of_table in ("UNIQUE", "FOREIGN"):
        return ""
    if "UNIQUE" in words[1:]:
        at = words.index("UNIQUE", 1)
        is_told = words[at + 1 : at + 3] == ["ON", "CONFLICT"]
        definition = definition[:at] + definition[at + (4 if is_told else 1) :]
    text = ""
    for word in definition:
        # 1.5 is three words
        text += word if "." in (word, text[-1:]) else f" {word}"
    return text.strip()


def _unquoted(name: str) -> str:
    quote = name[:1]
    if quote in ('"', "`", "'"):
        return name[1:-1].replace(quote * 2, quote)
    return name[1:-1] if quote == "[" else name
