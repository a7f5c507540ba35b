"""Full scans of large tables, as the database's own plan of a statement shows them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGE = 1_000
PLANNED = ("SELECT", "WITH", "INSERT")


def full_scans(sql: str, params: Any) -> list[str]:
    """The large tables that a statement reads from end to end; work tables are none."""
    text = sql.lstrip()
    if not text.startswith(PLANNED) or "information_schema" in text or "pg_catalog" in text:
        return []
    return [scan for scan in _SCANS[connection.vendor](text, params) if scan]


def _rows(sql: str, params: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def _postgresql(sql: str, params: Any) -> Iterator[str]:
    for (plan,) in _rows(f"EXPLAIN (FORMAT JSON) {sql}", params):
        found = plan if isinstance(plan, list) else json.loads(plan)
        for node in _nodes(found[0]["Plan"]):
            name = node.get("Relation Name", "")
            if node["Node Type"].endswith("Seq Scan") and _rows_of(name) >= LARGE:
                yield name


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node.get("Plans", []):
        yield from _nodes(below)


def _rows_of(name: str) -> float:
    estimate = "SELECT reltuples FROM pg_class WHERE relname = %s AND relname LIKE 'library%%'"
    return max((float(rows) for (rows,) in _rows(estimate, [name])), default=0.0)


def _mysql(sql: str, params: Any) -> Iterator[str]:
    # MySQL's answer is a tree unless it is asked for a table, which MariaDB cannot be
    form = "" if connection.mysql_is_mariadb else "FORMAT=TRADITIONAL "
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {form}{sql}", params)
        names = [column[0] for column in cursor.description]
        steps = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    for step in steps:
        if step["type"] in ("ALL", "index") and int(step["rows"] or 0) >= LARGE:
            yield f"{step['table']} ({step['rows']} rows, key {step['key']})"


def _sqlite(sql: str, params: Any) -> Iterator[str]:
    """By the program of the statement: a cursor on a table or index that begins at its start."""
    pages = dict(_rows("SELECT rootpage, tbl_name FROM sqlite_master WHERE rootpage > 0", []))
    opened: dict[int, str] = {}
    for _, code, cursor, page, database, *_ in _rows(f"EXPLAIN {sql}", params):
        if code == "OpenRead" and database == 0:
            opened[cursor] = pages.get(page, "")
        elif code in ("Rewind", "Last") and opened.get(cursor, "").startswith("library_"):
            yield opened[cursor]


_SCANS = {"postgresql": _postgresql, "mysql": _mysql, "sqlite": _sqlite}
