"""The rows of a referring table that one unique rule compares, as they will be once repointed.

Builds SQL, runs none. The rows are aliased ``r``; ``m0``, ``m1``, … are the mapping, joined
once for each reference in the rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import F, QuerySet

from ..databases.tables import pk_names
from ..graph.meta import column_of

if TYPE_CHECKING:
    from collections.abc import Mapping as Dict
    from collections.abc import Sequence

    from ..databases import Database
    from ..graph.references import Reference
    from ..graph.unique import UniqueRule
    from .holders import Holder
    from .mapping import Mapping


@dataclass(frozen=True, kw_only=True)
class RuleRows:
    """SQL for the compared rows: where they come from, their keys and their mapped values.

    ``roots`` are the columns of the key of the row into which all is merged, by name, and ``root``
    is that key as text, made of those (of ``x``) once the losers are known: text makes the rows
    wide that are to be sorted, and MariaDB sorts wide rows on disk.
    """

    source: str
    params: Sequence[Any]
    keys: list[str]
    values: list[str]
    group: str
    roots: Dict[str, str]
    root: str
    moves: str
    conditions: list[str]


@dataclass(frozen=True, kw_only=True)
class _Relation:
    """The table itself, or a query over it where the rule has a condition or expressions.

    ``columns`` gives the SQL of each column by its name in the table.
    """

    sql: str
    params: Sequence[Any]
    keys: list[str]
    columns: Dict[str, str]
    expressions: list[str]


def rule_rows(database: Database, mapping: Mapping, holder: Holder, rule: UniqueRule) -> RuleRows:
    """The rows that ``rule`` compares because a reference in it points into a group."""
    references = holder.touching(rule)
    relation = _relation(database, holder, rule)
    aliases = [f"m{number}" for number in range(len(references))]
    joined = list(zip(aliases, references, strict=True))
    raw = [*(relation.columns[name] for name in rule.columns), *relation.expressions]
    roots, root = _root(database, mapping, joined)
    return RuleRows(
        source=_source(database, mapping, holder, relation, joined),
        params=relation.params,
        keys=relation.keys,
        values=_mapped(database, mapping, relation, joined, raw),
        group=_blamed(aliases, [f"{alias}.group_number" for alias in aliases]),
        roots=roots,
        root=root,
        moves=" OR ".join(f"{alias}.place > 0" for alias in aliases),
        conditions=[f"{value} IS NOT NULL" for value in raw] if rule.nulls_distinct else [],
    )


def _relation(database: Database, holder: Holder, rule: UniqueRule) -> _Relation:
    if rule.expressions or rule.condition is not None:
        return _compiled(database, holder, rule)
    table = holder.table
    return _Relation(
        sql=database.q(table.name),
        params=(),
        keys=database.qualified("r", [column.name for column in table.pk]),
        columns={c.name: f"r.{database.q(c.name)}" for c in table.columns},
        expressions=[],
    )


def _compiled(database: Database, holder: Holder, rule: UniqueRule) -> _Relation:
    """Only Django can turn a rule's condition and expressions into SQL, so it writes the query."""
    model = holder.table.model
    rows: QuerySet[Any] = QuerySet(model, using=database.using).order_by()
    if rule.condition is not None:
        rows = rows.filter(rule.condition)
    fields = model._meta.local_concrete_fields
    names = {f"dedupe_c{number}": F(field.attname) for number, field in enumerate(fields)}
    keys = {f"dedupe_k{number}": F(name) for number, name in enumerate(pk_names(model))}
    values = {f"dedupe_v{number}": value for number, value in enumerate(rule.expressions)}
    selected = names | keys | values
    compiler = rows.annotate(**selected).values_list(*selected).query.get_compiler(database.using)
    sql, params = compiler.as_sql()
    columns = {column_of(field): name for field, name in zip(fields, names, strict=True)}
    # under their own names again: the conditions of references speak of those
    renamed = [f"q.{name} AS {database.q(column)}" for column, name in columns.items()]
    kept = [f"q.{name}" for name in [*keys, *values]]
    return _Relation(
        sql=f"(SELECT {', '.join(renamed + kept)} FROM ({sql}) q)",
        params=params,
        keys=[f"r.{name}" for name in keys],
        columns={column: f"r.{database.q(column)}" for column in columns},
        expressions=[f"r.{name}" for name in values],
    )


def _source(
    database: Database,
    mapping: Mapping,
    holder: Holder,
    relation: _Relation,
    joined: list[tuple[str, Reference]],
) -> str:
    on = {alias: _on(database, mapping, relation, alias, ref) for alias, ref in joined}
    tables = {alias: database.q(mapping.source(reference)) for alias, reference in joined}
    if len(joined) == 1:
        return f"{tables['m0']} m0 {database.join} {relation.sql} r ON {on['m0']}"
    same = database.equal([f"c.k{n}" for n in range(len(relation.keys))], relation.keys)
    candidates = _candidates(database, mapping, holder, [reference for _, reference in joined])
    outer = [f"LEFT JOIN {tables[alias]} {alias} ON {on[alias]}" for alias in tables]
    return f"({candidates}) c {database.join} {relation.sql} r ON {same} {' '.join(outer)}"


def _candidates(
    database: Database, mapping: Mapping, holder: Holder, references: list[Reference]
) -> str:
    """The keys of all rows that any of the references puts into a group, each found by index."""
    selects = []
    for reference in references:
        keys = database.qualified("t", [column.name for column in holder.table.pk])
        selected = ", ".join(f"{key} AS k{number}" for number, key in enumerate(keys))
        on = database.equal(
            database.qualified("t", reference.columns),
            database.qualified("m", mapping.old(reference)),
        )
        selects.append(
            f"SELECT {selected} FROM {database.q(mapping.source(reference))} m"
            f" {database.join} {database.q(holder.table.name)} t ON {on}"
        )
    return " UNION ".join(selects)


def _on(
    database: Database, mapping: Mapping, relation: _Relation, alias: str, reference: Reference
) -> str:
    columns = [relation.columns[name] for name in reference.columns]
    equal = database.equal(columns, database.qualified(alias, mapping.old(reference)))
    return " AND ".join(filter(None, [equal, reference.condition("r", database)]))


def _mapped(
    database: Database,
    mapping: Mapping,
    relation: _Relation,
    joined: list[tuple[str, Reference]],
    raw: list[str],
) -> list[str]:
    """The rule's values, with what each reference will point at in place of what it does now."""
    mapped = {}
    for alias, reference in joined:
        new = database.qualified(alias, mapping.new(reference))
        for name, column in zip(reference.columns, new, strict=True):
            old = relation.columns[name]
            # joined to one mapping, a row is there for that mapping's sake
            mapped[old] = column if len(joined) == 1 else f"COALESCE({column}, {old})"
    return [mapped.get(value, value) for value in raw]


def _root(
    database: Database, mapping: Mapping, joined: list[tuple[str, Reference]]
) -> tuple[dict[str, str], str]:
    """The columns that the root's key is made of, and the key as text: see `RuleRows`."""
    aliases = [alias for alias, _ in joined]
    if any(reference.targets in mapping.values for _, reference in joined):
        # where other columns are looked up, the root is known as text alone
        texts = [mapping.root_at(reference, database, alias) for alias, reference in joined]
        return {"root": _blamed(aliases, texts)}, "x.root"
    columns = {
        column: _blamed(aliases, [f"{alias}.{column}" for alias in aliases])
        for column in mapping.root_columns
    }
    return columns, mapping.root(database, "x")


def _blamed(aliases: list[str], values: list[str]) -> str:
    """The value of the group to blame for a collision: one whose merge moves the row, if any does.

    ``values`` are SQL for the value of the group of each alias.
    """
    if len(values) == 1:
        return values[0]
    moved = [
        f"CASE WHEN {alias}.place > 0 THEN {value} END"
        for alias, value in zip(aliases, values, strict=True)
    ]
    return f"COALESCE({', '.join(moved + values)})"
