"""What follows rows whose key moves: references to columns that repointing changes.

Reads users' rows, writes work tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..databases.names import numbered
from ..databases.tables import definitions
from ..mapping.mapping import MergeMap, Way
from ..mapping.spellings import spelled_tables
from ..mapping.with_texts import with_texts
from .rows import repointed_rows, repointed_values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..databases import Database
    from ..databases.tables import Table
    from ..planning.session import Session
    from ..references.kinds import Reference
    from ..references.referrers import Referrer


@dataclass(frozen=True, kw_only=True)
class Follower:
    """A reference to rows that move, and the mapping that says what it holds now and then."""

    referrer: Referrer
    reference: Reference
    mapping: MergeMap


Moving = Mapping[tuple[str, ...], tuple[MergeMap, ...]]
"""How the rows of a level will move because of the levels above: by the columns pointed at."""


Moves = Sequence[Follower]
"""What moves rows, and is yet to move them."""


def followers(
    session: Session,
    mapping: MergeMap,
    referrer: Referrer,
    reference: Reference,
    but_for: Sequence[str] = (),
) -> Iterator[Follower]:
    """Every reference to the columns of a referrer that repointing a reference of its changes.

    Before the repointing: what they hold now is looked up in the referrer's rows, without those
    (``t``) for which a condition in ``but_for`` is true.
    """
    if not referrer.moves_by(reference):
        return
    moved: dict[tuple[str, ...], MergeMap] = {}
    way = (*mapping.way, (referrer.table.name, reference.columns))
    for below in session.referrers(referrer.table.model):
        for follower in below.references:
            targets = follower.targets
            if set(targets).isdisjoint(reference.columns) or _has_moved(below, follower, way):
                continue
            if targets not in moved:
                moved[targets] = moved_by(session, mapping, referrer, reference, targets, but_for)
            known = _as_held(session, moved[targets], follower)
            yield Follower(referrer=below, reference=follower, mapping=replace(known, way=way))


def keepers(session: Session, referrer: Referrer, reference: Reference) -> Iterator[Reference]:
    """References of the very rows that repointing a reference moves, to each other."""
    if not referrer.moves_by(reference):
        return
    columns = set(reference.columns)
    for below in session.referrers(referrer.table.model):
        for own in below.references if below.table.name == referrer.table.name else ():
            if columns.issubset(own.columns) and not columns.isdisjoint(own.targets):
                yield own


def _has_moved(referrer: Referrer, follower: Reference, way: Way) -> bool:
    """Whether what follows has moved on the way already: a circle, or the very rows that move.

    Such rows hold, with others, the columns that moved them, as the trees of a tenant do.
    """
    return any(
        table == referrer.table.name and set(columns).issubset(follower.columns)
        for table, columns in way
    )


def moving_below(session: Session, mapping: MergeMap, moving: Moving, referrer: Referrer) -> Moving:
    """How a referrer's rows will move because of a level that they point at, and those above."""
    found: dict[tuple[str, ...], tuple[MergeMap, ...]] = {}
    for targets in {follower.targets: None for follower in referrer.followers}:
        for reference in referrer.references:
            if not set(targets).isdisjoint(reference.columns):
                movers = (mapping, *moving.get(reference.targets, ()))
                moved = [moved_by(session, one, referrer, reference, targets) for one in movers]
                found[targets] = (*found.get(targets, ()), *moved)
    return found


def moved_by(
    session: Session,
    mapping: MergeMap,
    referrer: Referrer,
    reference: Reference,
    targets: tuple[str, ...],
    but_for: Sequence[str] = (),
) -> MergeMap:
    """The mapping of what columns of a referrer hold now to what they hold once repointed."""
    keyed = replace(mapping, table=referrer.table, values={})
    source = mapping.source(reference)
    if targets == reference.columns:
        # the very values that are repointed
        return keyed if source == mapping.name else replace(keyed, values={targets: source})
    name = session.fresh_table("moved")
    _create_moved(session, referrer, targets, name)
    _map_moved(session, mapping, referrer, reference, targets, name, but_for)
    return replace(keyed, values={targets: name})


def key_once_moved(database: Database, table: Table, moves: Moves) -> dict[str, str]:
    """SQL for the primary key that a table's rows (``t``) will have, once all that has moved."""
    names = table.key
    key = dict(zip(names, database.qualified("t", names), strict=True))
    for move in moves:
        if move.referrer.table.name == table.name:
            values = repointed_values(database, move.mapping, move.reference, "t")
            new = zip(move.reference.columns, values, strict=True)
            key |= {column: value for column, value in new if column in key}
    return key


def _as_held(session: Session, moved: MergeMap, follower: Reference) -> MergeMap:
    """The mapping, with the keys as a follower holds them: as text, or in spellings of its own."""
    database, source = session.database, moved.by_targets(follower)
    is_own = source == moved.name
    raw = moved if is_own else replace(moved, name=source, is_nested=True, texts_for={})
    if follower.is_text and not raw.has_text(follower):
        return with_texts(database, raw, follower, session.fresh_table("texts"))
    spelled = spelled_tables(database, raw, [follower], session.fresh_table("spelled"))
    return replace(moved, values={**moved.values, **spelled}) if spelled else moved


def _create_moved(
    session: Session, referrer: Referrer, targets: tuple[str, ...], name: str
) -> None:
    columns = [referrer.table.column(column) for column in targets]
    types = {"group_number": "bigint", "place": "bigint", "root": "varchar(500)"}
    for side in ("member", "survivor"):
        types |= definitions(numbered(side, len(targets)), columns)
    members = numbered("member", len(targets))
    session.database.create_work_table(name, types, primary_key=members)


def _map_moved(
    session: Session,
    mapping: MergeMap,
    referrer: Referrer,
    reference: Reference,
    targets: tuple[str, ...],
    name: str,
    but_for: Sequence[str],
) -> None:
    database = session.database
    old = dict(zip(targets, database.qualified("t", targets), strict=True))
    taken = zip(reference.columns, database.qualified("m", mapping.new(reference)), strict=True)
    new = old | {column: value for column, value in taken if column in old}
    names = [name for side in ("member", "survivor") for name in numbered(side, len(targets))]
    selected = ["m.group_number", "m.place", mapping.root_at(reference, database)]
    selected += [*old.values(), *new.values()]
    conditions = [f" AND {column} IS NOT NULL" for column in old.values()]
    conditions += [f" AND NOT ({condition})" for condition in but_for]
    listed = ", ".join(map(database.q, ["group_number", "place", "root", *names]))
    database.run(
        f"INSERT INTO {database.q(name)} ({listed}) SELECT {', '.join(selected)}"
        f" {repointed_rows(database, mapping, reference)}{''.join(conditions)}"
    )
    database.settle(name)


def joined(one: Moving, other: Moving) -> Moving:
    """How rows move by either."""
    return {
        targets: (*one.get(targets, ()), *other.get(targets, ())) for targets in {**one, **other}
    }
