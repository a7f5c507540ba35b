"""The rows that lose by one unique rule once repointed, beside the rows that they lose to.

Of each set of rivals one wins: the row that pointed at the survivor, else the one with the
lowest primary key, unless their model has a rule of its own (see `standings`). Builds SQL, runs
none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..databases.tables import last_field
from ..references.discover import naming_columns
from ..repointing.rows import repointed_values
from .parts import join_parts, parts_are_alike

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..databases import Database
    from ..databases.tables import Column
    from ..field_rules.family import FieldRules
    from ..mapping.mapping import MergeMap
    from ..references.kinds import Reference
    from ..references.referrers import Referrer
    from .compared_rows import RuleRows


def losing_rows(
    database: Database, mapping: MergeMap, referrer: Referrer, rows: RuleRows, *others: str
) -> str:
    """SQL from FROM on: every row that loses (``x``), where the ``others`` are true, too.

    `loser_keys` and `winner_keys` are the keys of both, ``x.group_number`` is the group to blame.
    ``rows.root`` is the key of the row that this is merged into.
    """
    conditions = [*rows.conditions, *others]
    if referrer.table.name == mapping.table.name:
        # the duplicates themselves are going, and can win nothing
        gone = not_in(database, mapping.name, mapping.members, rows.keys, " AND g.place > 0")
        conditions.append(gone)
    window = (
        f"(PARTITION BY {', '.join(rows.values)}"
        f" ORDER BY CASE WHEN {rows.moves} THEN 1 ELSE 0 END, {', '.join(rows.order)})"
    )
    keys = [
        f"{key} AS l{n}, FIRST_VALUE({key}) OVER {window} AS w{n}"
        for n, key in enumerate(rows.keys)
    ]
    roots = [f"{sql} AS {column}" for column, sql in rows.roots.items()]
    return (
        f"FROM (SELECT {rows.group} AS group_number, {', '.join(roots + keys)}"
        f" FROM {rows.source} WHERE {' AND '.join(conditions) or '1 = 1'}) x"
        f" WHERE x.group_number IS NOT NULL"
        f" AND NOT ({database.equal(loser_keys(referrer), winner_keys(referrer))})"
    )


def loser_keys(referrer: Referrer) -> list[str]:
    return [f"x.l{number}" for number in range(len(referrer.table.pk))]


def winner_keys(referrer: Referrer) -> list[str]:
    return [f"x.w{number}" for number in range(len(referrer.table.pk))]


def beside_winners(
    database: Database, referrer: Referrer, losers: Sequence[str], winners: Sequence[str]
) -> str:
    """SQL that joins keys of losers and winners with the rows themselves, ``a`` and ``b``.

    And with the other parts of their objects, where those are not compared elsewhere.
    """
    table = database.q(referrer.table.name)
    key = referrer.table.key
    loser = database.equal(database.qualified("a", key), losers)
    winner = database.equal(database.qualified("b", key), winners)
    parts = "" if referrer.is_inherited else join_parts(database, referrer.table.model)
    return f"{database.join} {table} a ON {loser} {database.join} {table} b ON {winner}{parts}"


def are_alike(database: Database, mapping: MergeMap, referrer: Referrer, rules: FieldRules) -> str:
    """SQL that is true for losers (``a``) that say nothing that their winners (``b``) do not."""
    one, other = (_values(database, mapping, referrer, alias) for alias in ("a", "b"))
    same = [
        database.same(one[column.name], other[column.name], column)
        for column in _compared(referrer)
    ]
    same += rules.say_nothing(referrer.table, "a")
    if not referrer.is_inherited:
        same += parts_are_alike(database, referrer.table.model, rules)
    return " AND ".join(same) or "1 = 1"


def _values(
    database: Database, mapping: MergeMap, referrer: Referrer, alias: str
) -> dict[str, str]:
    """SQL for the columns of a row; references that feed a rule count as they will be."""
    names = [column.name for column in referrer.table.columns]
    values = dict(zip(names, database.qualified(alias, names), strict=True))
    for reference in {ref: None for rule in referrer.rules for ref in referrer.feeding(rule)}:
        new = repointed_values(database, mapping, reference, alias)
        values |= zip(reference.columns, new, strict=True)
    return values


def _compared(referrer: Referrer) -> list[Column]:
    """The columns that must be equal: all but the key and those every rule makes equal."""
    by_rule = [
        {column for reference in referrer.in_rule(rule) for column in reference.columns}
        for rule in referrer.rules
    ]
    equal = set.intersection(*by_rule) if by_rule else set()
    equal |= naming_columns(referrer.table.model)
    return [column for column in referrer.table.non_key_columns if column.name not in equal]


def count_pointing(
    database: Database, referrer: Referrer, reference: Reference, keys: Sequence[str]
) -> str:
    """SQL for how many rows point by a reference at the referrer's row with these keys."""
    key = referrer.table.key
    if reference.is_text:
        held = [database.as_python_text(keys[0], last_field(referrer.table.model._meta.pk))]
    elif list(reference.targets) == key:
        held = list(keys)
    else:
        same = database.equal(database.qualified("h", key), keys)
        table = database.q(referrer.table.name)
        columns = database.qualified("h", reference.targets)
        held = [f"(SELECT {column} FROM {table} h WHERE {same})" for column in columns]
    return reference.count_sql(database, held)


def not_in(
    database: Database, table: str, columns: Sequence[str], keys: Sequence[str], extra: str = ""
) -> str:
    """SQL that is true for keys that no row of a work table has."""
    same = database.equal(database.qualified("g", columns), keys)
    return f"NOT EXISTS (SELECT 1 FROM {database.q(table)} g WHERE {same}{extra})"
