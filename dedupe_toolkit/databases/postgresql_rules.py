"""The unique rules in PostgreSQL's catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .rules import LiveRule, RulePart

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .postgresql_catalogue import PostgreSQLCatalogue

# by the name as the search path finds it, which is how Django's own statements do. A column in
# another collation than its own is compared as another value. Those without overlaps are left out:
# they compare ranges
_PARTS = """
SELECT t.name, c.relname, COALESCE(pg_get_expr(i.indpred, i.indrelid), ''),
       NOT i.indnullsnotdistinct, i.indisprimary, i.indisvalid, i.indisready AND i.indislive,
       NOT i.indimmediate, COALESCE(a.attname, ''),
       CASE WHEN k.attribute = 0
            THEN pg_get_indexdef(i.indexrelid, k.place::int, false)
            WHEN k.compared_by <> a.attcollation
            THEN quote_ident(a.attname) || ' COLLATE ' || quote_ident(n.nspname) || '.' ||
                 quote_ident(l.collname)
            ELSE '' END
FROM (VALUES {tables}) AS t (name, number)
JOIN pg_index i ON i.indrelid = t.number AND i.indisunique AND NOT i.indisexclusion
JOIN pg_class c ON c.oid = i.indexrelid
CROSS JOIN unnest(i.indkey::int2[], i.indcollation::oid[])
           WITH ORDINALITY AS k (attribute, compared_by, place)
LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attribute
LEFT JOIN pg_collation l ON l.oid = k.compared_by
LEFT JOIN pg_namespace n ON n.oid = l.collnamespace
WHERE k.place <= i.indnkeyatts
ORDER BY t.name, i.indisprimary DESC, c.relname, k.place
"""


def rule_parts(database: PostgreSQLCatalogue, tables: Sequence[str]) -> Iterator[RulePart]:
    listed = ", ".join(["(%s, to_regclass(%s))"] * len(tables))
    names = [name for table in tables for name in (table, database.q(table))]
    for table, name, condition, *facts, column, expression in database.look_up(
        _PARTS.format(tables=listed), names
    ):
        nulls_distinct, is_primary_key, is_valid, is_checked, is_deferrable = facts
        rule = LiveRule(
            table=table,
            name=name,
            condition=condition,
            nulls_distinct=nulls_distinct,
            is_primary_key=is_primary_key,
            is_valid=is_valid,
            is_checked=is_checked,
            is_deferrable=is_deferrable,
        )
        yield RulePart(rule=rule, column=column, expression=expression)
