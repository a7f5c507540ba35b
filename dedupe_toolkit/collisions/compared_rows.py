"""The rows of a referring table that one unique rule compares, as they will be once repointed.

Builds SQL, runs none. The rows are aliased ``r``; ``m0``, ``m1``, … are the mapping, joined
once for each reference in the rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..databases.relations import Relation, evaluated, table_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..databases import Database
    from ..mapping.mapping import MergeMap
    from ..references.kinds import Reference
    from ..references.referrers import Referrer
    from ..references.rule_sql import TableRule

    Joined = list[tuple[str, Reference]]
    """References, each with the alias of the mapping that says where it points."""


@dataclass(frozen=True, kw_only=True)
class RuleRows:
    """SQL for the compared rows: where they come from, their keys and their mapped values.

    ``roots`` are the columns of the key of the row into which all is merged, by name, and ``root``
    is that key as text, made of those (of ``x``) once the losers are known: text makes the rows
    wide that are to be sorted, and MariaDB sorts wide rows on disk. ``moves`` is true for rows
    that will be repointed, and ``order`` is that among those that will, or will not.
    """

    source: str
    keys: list[str]
    values: list[str]
    group: str
    roots: Mapping[str, str]
    root: str
    moves: str
    order: list[str]
    conditions: list[str]


def rule_rows(
    database: Database, mapping: MergeMap, referrer: Referrer, rule: TableRule
) -> RuleRows:
    """The rows that ``rule`` compares because a reference in it points into a group."""
    if referrer.feeding(rule):
        return _fed_rows(database, mapping, referrer, rule)
    references = referrer.touching(rule)
    relation = evaluated(database, table_rows(database, referrer.table), rule)
    joined = _joined(references)
    values = [*database.qualified("r", rule.columns), *relation.values]
    roots, root = _root(database, mapping, joined)
    keys = database.qualified("r", referrer.table.key)
    return RuleRows(
        source=_source(database, mapping, referrer, relation, joined),
        keys=keys,
        values=_mapped(database, mapping, joined, values),
        group=_blamed(joined, [f"{alias}.group_number" for alias, _ in joined]),
        roots=roots,
        root=root,
        moves=_moves(joined),
        order=["m0.place"] if referrer.is_inherited else keys,
        conditions=[
            *_conditions(rule, values),
            *_not_given_targets(database, mapping, referrer, joined),
        ],
    )


def _fed_rows(
    database: Database, mapping: MergeMap, referrer: Referrer, rule: TableRule
) -> RuleRows:
    """Where expressions, a condition or generated columns depend on references: rows that point
    into groups, with these worked out of the new values, and all others that they may meet."""
    joined = _joined(referrer.touching(rule))
    roots, root = _root(database, mapping, joined)
    facts = {
        "dedupe_group": _blamed(joined, [f"{alias}.group_number" for alias, _ in joined]),
        **{f"dedupe_root_{n}": sql for n, sql in enumerate(roots.values())},
        "dedupe_place": "m0.place" if referrer.is_inherited else "0",
        "dedupe_moves": f"CASE WHEN {_moves(joined)} THEN 1 ELSE 0 END",
    }
    moving = evaluated(database, _moving(database, mapping, referrer, joined, facts), rule)
    resting = evaluated(database, table_rows(database, referrer.table), rule)
    values = [*database.qualified("r", rule.columns), *moving.values]
    compared = [f"c.v{number}" for number in range(len(values))]
    met = database.equal(values, compared) if rule.nulls_distinct else "1 = 1"
    keys = database.qualified("r", referrer.table.key)
    listed = [*keys, *(f"{value} AS v{number}" for number, value in enumerate(values))]
    untouched = _untouched(database, mapping, joined)
    none = ", ".join(["NULL", *["NULL"] * len(roots), "0", "0"])
    source = database.reading_again(
        f"SELECT {', '.join([*listed, *(f'r.{fact}' for fact in facts)])} FROM {moving.sql} r",
        lambda found: (
            f"SELECT * FROM {found} b UNION ALL SELECT {', '.join([*listed, none])}"
            f" FROM {found} c {database.join} {resting.sql} r ON {met}"
            f" WHERE c.dedupe_moves = 1 AND {untouched}"
        ),
    )
    keys = database.qualified("c", referrer.table.key)
    return RuleRows(
        source=f"({source}) c",
        keys=keys,
        values=compared,
        group="c.dedupe_group",
        roots={name: f"c.dedupe_root_{n}" for n, name in enumerate(roots)},
        root=root,
        moves="c.dedupe_moves = 1",
        order=["c.dedupe_place"] if referrer.is_inherited else keys,
        conditions=_conditions(rule, compared),
    )


def _untouched(database: Database, mapping: MergeMap, joined: Joined) -> str:
    """SQL that is true for rows of which no reference points into a group."""
    return " AND ".join(
        f"NOT EXISTS (SELECT 1 FROM {database.q(mapping.source(reference))} g"
        f" WHERE {_points(database, mapping, reference, 'g')})"
        for _, reference in joined
    )


def _moving(
    database: Database,
    mapping: MergeMap,
    referrer: Referrer,
    joined: Joined,
    facts: Mapping[str, str],
) -> Relation:
    """The rows that point into groups, with what each reference will hold, and facts of each."""
    plain = table_rows(database, referrer.table)
    raw = database.qualified("r", plain.columns)
    mapped = _mapped(database, mapping, joined, raw)
    listed = [
        f"{value} AS {database.q(name)}" for name, value in zip(plain.columns, mapped, strict=True)
    ]
    listed += [f"{sql} AS {name}" for name, sql in facts.items()]
    return Relation(
        sql=f"(SELECT {', '.join(listed)}"
        f" FROM {_source(database, mapping, referrer, plain, joined)})",
        columns=plain.columns,
        facts=tuple(facts),
    )


def _joined(references: tuple[Reference, ...]) -> Joined:
    return [(f"m{number}", reference) for number, reference in enumerate(references)]


def _moves(joined: Joined) -> str:
    return " OR ".join(f"{alias}.place > 0" for alias, _ in joined)


def _conditions(rule: TableRule, values: list[str]) -> list[str]:
    return [f"{value} IS NOT NULL" for value in values] if rule.nulls_distinct else []


def _not_given_targets(
    database: Database, mapping: MergeMap, referrer: Referrer, joined: Joined
) -> list[str]:
    """Survivors that point at duplicates of theirs are not repointed: they get other targets."""
    if referrer.table.name != mapping.table.name:
        return []
    keys = database.qualified("r", mapping.key)
    return [
        f"NOT (COALESCE({alias}.place, 0) > 0 AND"
        f" {database.equal(keys, database.qualified(alias, mapping.survivors))})"
        for alias, reference in joined
        if reference.targets == tuple(mapping.key)
    ]


def _source(
    database: Database,
    mapping: MergeMap,
    referrer: Referrer,
    relation: Relation,
    joined: Joined,
) -> str:
    on = {alias: _points(database, mapping, reference, alias) for alias, reference in joined}
    tables = {alias: database.q(mapping.source(reference)) for alias, reference in joined}
    if len(joined) == 1:
        return f"{tables['m0']} m0 {database.join} {relation.sql} r ON {on['m0']}"
    keys = database.qualified("r", referrer.table.key)
    same = database.equal([f"c.k{n}" for n in range(len(keys))], keys)
    candidates = _candidates(database, mapping, referrer, [reference for _, reference in joined])
    outer = [f"LEFT JOIN {tables[alias]} {alias} ON {on[alias]}" for alias in tables]
    return f"({candidates}) c {database.join} {relation.sql} r ON {same} {' '.join(outer)}"


def _candidates(
    database: Database, mapping: MergeMap, referrer: Referrer, references: list[Reference]
) -> str:
    """The keys of all rows that any of the references puts into a group, each found by index."""
    selects = []
    for reference in references:
        keys = database.qualified("t", referrer.table.key)
        selected = ", ".join(f"{key} AS k{number}" for number, key in enumerate(keys))
        on = database.join_on("t", reference.columns, "m", mapping.old(reference))
        selects.append(
            f"SELECT {selected} FROM {database.q(mapping.source(reference))} m"
            f" {database.join} {database.q(referrer.table.name)} t ON {on}"
        )
    return " UNION ".join(selects)


def _points(database: Database, mapping: MergeMap, reference: Reference, alias: str) -> str:
    """SQL that is true when a row (``r``) points by a reference at a member of the mapping."""
    columns = database.qualified("r", reference.columns)
    equal = database.equal(columns, database.qualified(alias, mapping.old(reference)))
    return " AND ".join(filter(None, [equal, reference.condition("r", database)]))


def _mapped(
    database: Database,
    mapping: MergeMap,
    joined: Joined,
    values: list[str],
) -> list[str]:
    """Values of rows (``r``), with what each reference will point at in place of what it does."""
    mapped = {}
    for alias, reference in joined:
        new = database.qualified(alias, mapping.new(reference))
        for old, column in zip(database.qualified("r", reference.columns), new, strict=True):
            # joined to one mapping, a row is there for that mapping's sake
            mapped[old] = column if len(joined) == 1 else f"COALESCE({column}, {old})"
    return [mapped.get(value, value) for value in values]


def _root(database: Database, mapping: MergeMap, joined: Joined) -> tuple[dict[str, str], str]:
    """The columns that the root's key is made of, and the key as text: see `RuleRows`."""
    if any(reference.place in mapping.values for _, reference in joined):
        # where other columns are looked up, the root is known as text alone
        texts = [mapping.root_at(reference, database, alias) for alias, reference in joined]
        return {"root": _blamed(joined, texts)}, "x.root"
    columns = {
        column: _blamed(joined, [f"{alias}.{column}" for alias, _ in joined])
        for column in mapping.root_columns
    }
    return columns, mapping.root(database, "x")


def _blamed(joined: Joined, values: list[str]) -> str:
    """The value of the group to blame for a collision: one whose merge moves the row, if any does.

    ``values`` are SQL for the value of the group of each alias.
    """
    if len(values) == 1:
        return values[0]
    moved = [
        f"CASE WHEN {alias}.place > 0 THEN {value} END"
        for (alias, _), value in zip(joined, values, strict=True)
    ]
    return f"COALESCE({', '.join(moved + values)})"
