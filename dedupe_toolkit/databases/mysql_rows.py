"""The rows of small work tables as JSON, of which one statement of MySQL may read at will.

A common table of the work table's name hides that, and is read instead. Builds SQL only.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .base import Database

FEW = 1_000
"""Rows of a work table that are held so, at most."""

TOO_MANY = 3141
"""The server's code for a text that is no JSON: what stands in place of more rows."""

# types of short values that come back from a text as they were
_EXACT = {"tinyint", "smallint", "mediumint", "int", "integer", "bigint", "decimal"}
_EXACT |= {"char", "varchar"}


class TooManyRows(Exception):
    """A work table cannot be held as JSON, for the number of its rows or for their types."""


def can_be_held(columns: Mapping[str, str]) -> bool:
    """Whether values of these columns, by their types, come back from JSON as they were."""
    kinds = (re.match(r"\w*", kind.lower()) for kind in columns.values())
    return all(kind and kind[0] in _EXACT for kind in kinds)


def variables(tables: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The variable of the session that holds each table's rows; NULL if they are too many."""
    return {name: f"@dedupe_rows_{number}" for number, name in enumerate(tables)}


def holding(database: Database, tables: Mapping[str, Mapping[str, str]]) -> str:
    """The statement that sets the variables."""
    held = variables(tables)
    rows = (f"{held[name]} = ({_as_json(database, name, tables[name])})" for name in tables)
    return f"SET {', '.join(rows)}"


def common_tables(database: Database, tables: Mapping[str, Mapping[str, str]]) -> str:
    """What stands before a SELECT that names these tables as often as it likes."""
    held = variables(tables)
    copies = (
        f"{database.q(name)} AS ({_from_json(database, held[name], columns)})"
        for name, columns in tables.items()
    )
    return f"WITH {', '.join(copies)} "


def _as_json(database: Database, name: str, columns: Mapping[str, str]) -> str:
    # as texts: a decimal would become a floating point number
    values = ", ".join(f"CAST({database.q(column)} AS CHAR)" for column in columns)
    # NULL as well if the server cannot make so long a text
    rows = f"CASE WHEN COUNT(*) = 0 THEN '[]' WHEN COUNT(*) <= {FEW}"
    rows += f" THEN JSON_ARRAYAGG(JSON_ARRAY({values})) END"
    return f"SELECT {rows} FROM (SELECT * FROM {database.q(name)} LIMIT {FEW + 1}) few"


def _from_json(database: Database, variable: str, columns: Mapping[str, str]) -> str:
    listed = ", ".join(
        f"{database.q(column)} {kind} PATH '$[{place}]' ERROR ON ERROR"
        for place, (column, kind) in enumerate(columns.items())
    )
    rows = f"COALESCE({variable}, 'too many')"
    return f"SELECT * FROM JSON_TABLE({rows}, '$[*]' COLUMNS ({listed})) held"
