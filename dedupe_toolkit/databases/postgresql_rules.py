"""The unique rules, checks, exclusions and generated columns in PostgreSQL's catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .checks import LiveCheck, LiveExclusion
from .rules import LiveRule, RulePart

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .checks import Demand
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


# constraints that are declared and not enforced came with PostgreSQL 18, as a column. A domain
# demands something of each column that has it for its type
_DEMANDS = """
WITH t (name, number) AS (VALUES {tables})
SELECT t.name, 'check', c.conname, ARRAY[pg_get_expr(c.conbin, c.conrelid)], NULL::text[], '',
       c.convalidated
FROM t JOIN pg_constraint c ON c.conrelid = t.number AND c.contype = 'c'
WHERE to_jsonb(c) ->> 'conenforced' IS DISTINCT FROM 'false'
UNION ALL
SELECT t.name, 'check', c.conname,
       ARRAY[regexp_replace(pg_get_expr(c.conbin, 0), '\\mVALUE\\M', quote_ident(a.attname), 'g')],
       NULL::text[], '', c.convalidated
FROM t JOIN pg_attribute a ON a.attrelid = t.number AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_constraint c ON c.contypid = a.atttypid AND c.contype = 'c'
UNION ALL
SELECT t.name, 'exclusion', c.conname,
       ARRAY(SELECT pg_get_indexdef(c.conindid, n, false)
             FROM generate_series(1, cardinality(c.conexclop)) n),
       ARRAY(SELECT 'OPERATOR(' || quote_ident(s.nspname) || '.' || p.oprname || ')'
             FROM unnest(c.conexclop) WITH ORDINALITY o (number, place)
             JOIN pg_operator p ON p.oid = o.number JOIN pg_namespace s ON s.oid = p.oprnamespace
             ORDER BY o.place),
       COALESCE(pg_get_expr(i.indpred, i.indrelid), ''), true
FROM t JOIN pg_constraint c ON c.conrelid = t.number AND c.contype = 'x'
JOIN pg_index i ON i.indexrelid = c.conindid
UNION ALL
SELECT t.name, 'generated', a.attname, ARRAY[pg_get_expr(d.adbin, d.adrelid)], NULL::text[], '',
       true
FROM t JOIN pg_attribute a ON a.attrelid = t.number AND a.attgenerated <> '' AND NOT a.attisdropped
JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
"""


def demands(database: PostgreSQLCatalogue, tables: Sequence[str]) -> Iterator[tuple[str, Demand]]:
    listed = ", ".join(["(%s, to_regclass(%s))"] * len(tables))
    names = [name for table in tables for name in (table, database.q(table))]
    for table, kind, name, texts, operators, condition, is_valid in database.look_up(
        _DEMANDS.format(tables=listed), names
    ):
        sql = [text.replace("%", "%%") for text in texts]
        yield table, _demand(kind, name, sql, operators, condition, is_valid)


def _demand(
    kind: str, name: str, sql: list[str], operators: list[str], condition: str, is_valid: bool
) -> Demand:
    if kind == "check":
        return LiveCheck(name=name, sql=sql[0], is_valid=is_valid)
    if kind == "generated":
        return name, sql[0]
    parts = tuple((part, op.replace("%", "%%")) for part, op in zip(sql, operators, strict=True))
    return LiveExclusion(name=name, parts=parts, condition=condition.replace("%", "%%"))
