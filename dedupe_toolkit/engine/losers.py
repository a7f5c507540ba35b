"""The rows that lose by one unique rule once repointed, beside the rows that they lose to.

Of each set of rivals one wins: the row that pointed at the survivor, else the one with the
lowest primary key. Builds SQL, runs none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..databases import Database
    from ..databases.tables import Column
    from ..graph.references import Reference
    from .holders import Holder
    from .mapping import Mapping
    from .rule_rows import RuleRows


def losing_rows(
    database: Database, mapping: Mapping, holder: Holder, rows: RuleRows, *others: str
) -> str:
    """SQL from FROM on: every row that loses (``x``), where the ``others`` are true, too.

    `loser_keys` and `winner_keys` are the keys of both, ``x.group_number`` is the group to blame.
    ``rows.root`` is the key of the row that this is merged into.
    """
    conditions = [*rows.conditions, *others]
    if holder.table.name == mapping.table.name:
        # the duplicates themselves are going, and can win nothing
        gone = not_in(database, mapping.name, mapping.members, rows.keys, " AND g.place > 0")
        conditions.append(gone)
    order = ["m0.place"] if holder.is_inherited else rows.keys
    window = (
        f"(PARTITION BY {', '.join(rows.values)}"
        f" ORDER BY CASE WHEN {rows.moves} THEN 1 ELSE 0 END, {', '.join(order)})"
    )
    keys = [
        f"{key} AS l{n}, FIRST_VALUE({key}) OVER {window} AS w{n}"
        for n, key in enumerate(rows.keys)
    ]
    roots = [f"{sql} AS {column}" for column, sql in rows.roots.items()]
    return (
        f"FROM (SELECT {rows.group} AS group_number, {', '.join(roots + keys)}"
        f" FROM {rows.source} WHERE {' AND '.join(conditions) or '1 = 1'}) x"
        f" WHERE NOT ({database.equal(loser_keys(holder), winner_keys(holder))})"
    )


def loser_keys(holder: Holder) -> list[str]:
    return [f"x.l{number}" for number in range(len(holder.table.pk))]


def winner_keys(holder: Holder) -> list[str]:
    return [f"x.w{number}" for number in range(len(holder.table.pk))]


def beside_winners(
    database: Database, holder: Holder, losers: Sequence[str], winners: Sequence[str]
) -> str:
    """SQL that joins keys of losers and winners with the rows themselves, ``a`` and ``b``."""
    table = database.q(holder.table.name)
    key = [column.name for column in holder.table.pk]
    loser = database.equal(database.qualified("a", key), losers)
    winner = database.equal(database.qualified("b", key), winners)
    return f"{database.join} {table} a ON {loser} {database.join} {table} b ON {winner}"


def are_alike(database: Database, holder: Holder) -> str:
    """SQL that is true for losers (``a``) that say nothing that their winners (``b``) do not."""
    same = [
        database.same(f"a.{database.q(column.name)}", f"b.{database.q(column.name)}", column)
        for column in _compared(holder)
    ]
    return " AND ".join(same) or "1 = 1"


def _compared(holder: Holder) -> list[Column]:
    """The columns that must be equal: all but the key and those every rule makes equal."""
    by_rule = [
        {column for reference in holder.in_rule(rule) for column in reference.columns}
        for rule in holder.rules
    ]
    equal = set.intersection(*by_rule) if by_rule else set()
    return [column for column in holder.table.others if column.name not in equal]


def count_pointing(
    database: Database, holder: Holder, reference: Reference, keys: Sequence[str]
) -> str:
    """SQL for the number of rows that point by a reference at the holder's row with these keys."""
    key = [column.name for column in holder.table.pk]
    if reference.is_text:
        held = [database.as_python_text(keys[0], holder.table.model._meta.pk)]
    elif list(reference.targets) == key:
        held = list(keys)
    else:
        same = database.equal(database.qualified("h", key), keys)
        table = database.q(holder.table.name)
        columns = database.qualified("h", reference.targets)
        held = [f"(SELECT {column} FROM {table} h WHERE {same})" for column in columns]
    return reference.count_sql(database, held)


def not_in(
    database: Database, table: str, columns: Sequence[str], keys: Sequence[str], extra: str = ""
) -> str:
    """SQL that is true for keys that no row of a work table has."""
    same = database.equal(database.qualified("g", columns), keys)
    return f"NOT EXISTS (SELECT 1 FROM {database.q(table)} g WHERE {same}{extra})"
