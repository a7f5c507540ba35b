"""Searching: the engine's against the bare GROUP BY of the same key.

``times`` searches are measured as one, so that small tables take long enough to be measured.
"""

from __future__ import annotations

from typing import Any

from django.db import connection

from dedupe_toolkit import find_duplicates
from dedupe_toolkit.keys import match_key

from .clock import both, measured
from .library.models import Author

KEYS = {
    "plain": ["first_name", "last_name"],
    "lower": ["first_name__lower", "last_name__lower"],
}
COLUMNS = {
    "plain": "first_name, last_name",
    "lower": "LOWER(first_name), LOWER(last_name)",
}


def bare(*, key: str, times: int = 1) -> dict[str, Any]:
    """What a person would type to count groups and rows, in the form this database does best."""
    # COUNT(*) makes MariaDB fill a keyed temporary table, ten times slower than sorting
    count = "COUNT(DISTINCT id)" if connection.vendor == "mysql" else "COUNT(*)"
    query = (
        "SELECT COUNT(*), SUM(n) FROM ("
        f"SELECT {count} AS n FROM library_author GROUP BY {COLUMNS[key]} HAVING {count} > 1) g"
    )
    with measured() as reading, connection.cursor() as cursor:
        for _ in range(times):
            cursor.execute(query)
            groups, rows = cursor.fetchone()
    return {"total": both(reading), "groups": groups, "rows": int(rows)}


def find(*, key: str, members: bool, times: int = 1) -> dict[str, Any]:
    """The engine's totals, and with ``members`` every group with its rows as well."""
    with measured() as reading:
        for _ in range(times):
            found = find_duplicates(match_key(Author, KEYS[key]), limit=None if members else 0)
    listed = len(found.duplicate_groups)
    return {"total": both(reading), "groups": found.groups, "rows": found.rows, "listed": listed}
