"""What a user of PostgreSQL may do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .names import parts_of
from .rights import Right, Rights

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# the events of pg_relation_is_updatable are bits: of UPDATE, INSERT, DELETE
_LACKING = """
SELECT DISTINCT w.place, w.nth, f.is_shown
FROM (VALUES {rights}) AS w (place, nth, number, action, name)
JOIN pg_class c ON c.oid = w.number
CROSS JOIN LATERAL (SELECT c.relkind = 'f' AND CASE w.action
    WHEN 'UPDATE' THEN 4 WHEN 'INSERT' THEN 8 WHEN 'DELETE' THEN 16
    END & pg_relation_is_updatable(c.oid, true) IS NOT DISTINCT FROM 0 AS is_shown) f
WHERE f.is_shown OR NOT CASE
    WHEN w.name IS NOT NULL THEN has_column_privilege(w.number, w.name, w.action)
    WHEN w.action = 'SELECT' THEN (
        SELECT bool_and(has_column_privilege(w.number, a.attnum, w.action)) FROM pg_attribute a
        WHERE a.attrelid = w.number AND a.attnum > 0 AND NOT a.attisdropped)
    WHEN w.action = 'DELETE' THEN has_table_privilege(w.number, w.action)
    WHEN w.action = 'LOCK' THEN has_any_column_privilege(w.number, 'UPDATE')
    ELSE has_any_column_privilege(w.number, w.action) END
ORDER BY w.place, w.nth
"""


class PostgreSQLRights(Rights):
    def lacking(self, rights: Sequence[Right]) -> list[Right]:
        quoted = self.connection.ops.quote_name
        rows = [
            (place, nth, quoted(right.table), right.action, _bare(quoted, column))
            for place, right in enumerate(rights)
            for nth, column in enumerate(right.columns or (None,))
        ]
        if not rows:
            return []
        listed = ", ".join(["(%s, %s, to_regclass(%s), %s, %s::text)"] * len(rows))
        asked = [value for row in rows for value in row]
        found = self.look_up(_LACKING.format(rights=listed), asked)
        lacking: dict[Right, list[str]] = {}
        for place, nth, is_shown in found:
            right = replace(rights[place], is_anyones=not is_shown)
            lacking.setdefault(right, []).extend(right.columns[nth : nth + 1])
        return [replace(right, columns=tuple(columns)) for right, columns in lacking.items()]


def _bare(quoted: Callable[[str], str], column: str | None) -> str | None:
    """A column's name as the catalogue has it."""
    return column and parts_of(quoted(column))[0]
