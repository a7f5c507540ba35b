"""Rivals: rows of a referring table that would break a unique rule once repointed.

Of each set of rivals one wins; the others go into a work table with their fate. Writes to work
tables only.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from .losers import are_alike, beside_winners, loser_keys, losing_rows, not_in, winner_keys
from .mapping import Mapping, numbered
from .rule_rows import rule_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..databases import Database
    from ..graph.references import Reference
    from ..graph.unique import UniqueRule
    from .holders import Holder


class Fate(StrEnum):
    """What happens to a losing row."""

    HOLD = "hold"
    MERGE = "merge"
    DISCARD = "discard"
    REDUNDANT = "redundant"
    OWN_LINK = "own link"


@dataclass(frozen=True, kw_only=True)
class Rivals:
    """The losing rows of one holder, in a work table: group, rule, loser, winner and fate.

    ``root`` is the key of the row into which the whole group is merged, for the journal.
    """

    name: str
    holder: Holder

    @property
    def losers(self) -> list[str]:
        return numbered("loser", len(self.holder.table.pk))

    @property
    def winners(self) -> list[str]:
        return numbered("winner", len(self.holder.table.pk))

    @property
    def on_key(self) -> dict[str, str]:
        """The holder's primary key ↔ the losers: joins the work table with the holder's."""
        return dict(zip(self.key, self.losers, strict=True))

    @property
    def on_winner(self) -> dict[str, str]:
        return dict(zip(self.key, self.winners, strict=True))

    @property
    def key(self) -> list[str]:
        return [column.name for column in self.holder.table.pk]


def find_rivals(
    database: Database, mapping: Mapping, rivals: Rivals, fate: Fate
) -> dict[Fate, int]:
    """Fill the work table with every losing row; returns how many meet each fate.

    ``fate`` is what happens to rows that differ from their rival in some other column.
    """
    if rivals.holder.is_link:
        fate = Fate.REDUNDANT
    _create(database, rivals)
    own_links = sum(
        _find_own_links(database, mapping, rivals, ends) for ends in rivals.holder.link_pairs
    )
    losers = 0
    for number, rule in enumerate(rivals.holder.rules):
        is_first = not (own_links or losers)
        losers += _find_losers(database, mapping, rivals, number, rule, fate, is_first=is_first)
    for _ in rivals.holder.rules[1:]:
        _follow_winners(database, rivals)
    if losers and fate is not Fate.REDUNDANT:
        _find_redundant(database, rivals)
    table = database.q(rivals.name)
    counts = database.fetch(f"SELECT fate, COUNT(*) FROM {table} GROUP BY fate")
    return {Fate(fate): count for fate, count in counts}


def _create(database: Database, rivals: Rivals) -> None:
    pk = rivals.holder.table.pk
    columns = {"group_number": "bigint", "root": "varchar(500)"}
    columns |= {"rule": "integer", "fate": "varchar(20)"}
    for names in (rivals.losers, rivals.winners):
        columns |= {name: column.definition for name, column in zip(names, pk, strict=True)}
    database.create_work_table(rivals.name, columns, primary_key=rivals.losers)


def _find_own_links(
    database: Database, mapping: Mapping, rivals: Rivals, ends: tuple[Reference, Reference]
) -> int:
    """Links whose two ends become one row by this merge (not those that were so before)."""
    keys = database.qualified("r", rivals.key)
    start, end = (database.qualified("r", reference.columns) for reference in ends)
    from_map = database.equal(start, database.qualified("a", mapping.members))
    to_map = database.equal(end, database.qualified("b", mapping.members))
    table, holder = database.q(mapping.name), database.q(rivals.holder.table.name)
    return database.run(
        f"INSERT INTO {database.q(rivals.name)}"
        f" ({_names(database, ['group_number', 'root', 'fate', *rivals.losers, *rivals.winners])})"
        f" SELECT a.group_number, {mapping.root(database, 'a')}, '{Fate.OWN_LINK}',"
        f" {', '.join(keys + keys)}"
        f" FROM {table} a {database.join} {holder} r ON {from_map} JOIN {table} b ON {to_map}"
        f" WHERE a.group_number = b.group_number AND NOT ({database.equal(start, end)})"
    )


def _find_losers(
    database: Database,
    mapping: Mapping,
    rivals: Rivals,
    number: int,
    rule: UniqueRule,
    fate: Fate,
    *,
    is_first: bool,
) -> int:
    holder = rivals.holder
    rows = rule_rows(database, mapping, holder, rule)
    lost = [] if is_first else [not_in(database, rivals.name, rivals.losers, rows.keys)]
    names = ["group_number", "root", "rule", "fate", *rivals.losers, *rivals.winners]
    keys = [*loser_keys(holder), *winner_keys(holder)]
    return database.run(
        f"INSERT INTO {database.q(rivals.name)} ({_names(database, names)})"
        f" SELECT x.group_number, {rows.root}, {number}, '{fate}', {', '.join(keys)}"
        f" {losing_rows(database, mapping, holder, rows, *lost)}",
        rows.params,
    )


def _follow_winners(database: Database, rivals: Rivals) -> None:
    """A row that won by one rule and lost by another passes its losers on to its winner."""
    database.update(
        rivals.name,
        dict(zip(rivals.winners, rivals.winners, strict=True)),
        source=rivals.name,
        on=dict(zip(rivals.winners, rivals.losers, strict=True)),
    )


def _find_redundant(database: Database, rivals: Rivals) -> None:
    """Losers that equal their winner in every other column say nothing that is not kept."""
    # a few losers must not look like many, or the holder is scanned for them
    database.settle(rivals.name)
    names = f"{rivals.name}_same"
    types = {
        name: column.definition
        for name, column in zip(rivals.losers, rivals.holder.table.pk, strict=True)
    }
    database.create_work_table(names, types | {"fate": "varchar(20)"}, primary_key=rivals.losers)
    losers = database.qualified("x", rivals.losers)
    winners = database.qualified("x", rivals.winners)
    database.run(
        f"INSERT INTO {database.q(names)} ({_names(database, [*rivals.losers, 'fate'])})"
        f" SELECT {', '.join(losers)}, '{Fate.REDUNDANT}' FROM {database.q(rivals.name)} x"
        f" {beside_winners(database, rivals.holder, losers, winners)}"
        f" WHERE x.fate <> '{Fate.OWN_LINK}' AND {are_alike(database, rivals.holder)}"
    )
    database.update(
        rivals.name,
        {"fate": "fate"},
        source=names,
        on=dict(zip(rivals.losers, rivals.losers, strict=True)),
    )


def _names(database: Database, names: Sequence[str]) -> str:
    return ", ".join(map(database.q, names))
