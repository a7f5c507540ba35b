"""The mapping of rivals to winners: what is merged one level down. Writes work tables only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..databases.names import derived
from ..mapping.mapping import MergeMap, create, settle, texts, texts_for
from .standings import keys_of, rank

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..databases import Database
    from ..databases.tables import Table
    from ..planning.session import Session
    from ..references.kinds import Reference
    from .resolutions import Outcome
    from .rivals import Rivals


def nested_mapping(
    session: Session,
    mapping: MergeMap,
    rivals: Rivals,
    outcomes: Sequence[Outcome],
    table: Table,
) -> MergeMap:
    """The mapping of rivals that meet these outcomes, under the numbers of their groups.

    ``table`` is theirs, or that which names the same objects by the same keys.
    """
    database = session.database
    nested = _create(session, derived(rivals.name, "map"), table)
    losers, winners = (database.qualified("x", side) for side in (rivals.losers, rivals.winners))
    listed = ", ".join(f"'{outcome}'" for outcome in outcomes)
    where = f"x.outcome IN ({listed})"
    source, place = _placed(database, mapping, rivals, where)
    into = _into(database, nested)
    pairs = losers + winners + texts(database, nested, losers, winners)
    rows = database.run(
        f"{into} SELECT x.group_number, {place}, {', '.join(pairs)}, x.root {source} WHERE {where}"
    )
    rows += _add_winners(database, nested, into)
    settle(database, nested, rows)
    return nested


def side_mapping(session: Session, mapping: MergeMap, link: Reference, table: Table) -> MergeMap:
    """The mapping of the parents by a link of rows that merge; ``table`` names these parents."""
    database = session.database
    side = _create(session, session.fresh_table("side"), table)
    joins = []
    for row, names in (("d", mapping.members), ("s", mapping.survivors)):
        keys = database.qualified(row, mapping.key)
        same = database.equal(keys, database.qualified("m", names))
        joins.append(f" {database.join} {database.q(mapping.table.name)} {row} ON {same}")
    lost, won = (database.qualified(row, link.columns) for row in ("d", "s"))
    pairs = lost + won + texts(database, side, lost, won)
    rows = database.run(
        f"{_into(database, side)} SELECT m.group_number, m.place, {', '.join(pairs)},"
        f" {mapping.root(database)} FROM {database.q(mapping.name)} m{''.join(joins)}"
    )
    settle(database, side, rows)
    return side


def _create(session: Session, name: str, table: Table) -> MergeMap:
    database = session.database
    references = [r for referrer in session.referrers(table.model) for r in referrer.references]
    known = texts_for(database, references)
    return create(database, MergeMap(name=name, table=table, texts_for=known, is_nested=True))


def _into(database: Database, nested: MergeMap) -> str:
    names = ["group_number", "place", *nested.members, *nested.survivors, *nested.texts, "root"]
    return f"INSERT INTO {database.q(nested.name)} ({', '.join(map(database.q, names))})"


def _placed(database: Database, mapping: MergeMap, rivals: Rivals, where: str) -> tuple[str, str]:
    """SQL from FROM on for the losers (``x``), and for the place of each after its winner."""
    losers, winners = (database.qualified("x", side) for side in (rivals.losers, rivals.winners))
    source = f"FROM {database.q(rivals.name)} x"
    if rivals.referrer.is_inherited:
        # parts of the merged objects themselves, so they keep the order of their survivors
        return source, _place_of_parent(database, mapping, rivals, losers)
    order = ", ".join(losers)
    if rivals.ordering:
        same = database.equal(database.qualified("s", keys_of(rivals)), losers)
        source += f" JOIN {database.q(rank(database, rivals, where))} s ON {same}"
        order = f"s.standing, {order}"
    return source, f"ROW_NUMBER() OVER (PARTITION BY {', '.join(winners)} ORDER BY {order})"


def _place_of_parent(
    database: Database, mapping: MergeMap, rivals: Rivals, losers: Sequence[str]
) -> str:
    link = next(ref for ref in rivals.referrer.references if ref.is_part)
    members, work = database.qualified("g", mapping.members), database.q(mapping.name)
    if link.is_key:
        same = database.equal(members, losers)
        return f"(SELECT g.place FROM {work} g WHERE {same})"
    parent = database.equal(members, database.qualified("h", link.columns))
    itself = database.equal(database.qualified("h", rivals.key), losers)
    table = database.q(rivals.referrer.table.name)
    return f"(SELECT g.place FROM {table} h JOIN {work} g ON {parent} WHERE {itself})"


def _add_winners(database: Database, nested: MergeMap, into: str) -> int:
    """The winners themselves, once each, under the lowest number of the groups they win for.

    Returns how many they are.
    """
    winners = database.qualified("w", nested.survivors)
    kept = winners + winners + texts(database, nested, winners, winners)
    # from a copy: what is being filled cannot be read by the same statement everywhere
    return database.run(
        f"{into} SELECT MIN(w.group_number), 0, {', '.join(kept)}, MIN(w.root)"
        f" FROM (SELECT * FROM {database.q(nested.name)}) w GROUP BY {', '.join(winners)}"
    )
