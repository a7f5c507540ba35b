"""Waves: groups that merge one after another in a batch, because rows of one point at another.

Where what a row points at has to be unique with something else, such as names below one parent of
a tree, the children that are duplicates must have become one before their parents do. Reads users'
rows, writes work tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..databases.named_rows import NamedRows
from .family import family_parts
from .whole_groups import copy_groups

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..databases import Database
    from ..planning.session import Session
    from ..references.kinds import Reference
    from .mapping import MergeMap

MOST = 50
"""No tree of duplicates is as high: what is still pointed at then goes round in a circle."""


def waves(session: Session, mapping: MergeMap) -> Iterator[MergeMap]:
    """The groups of a mapping in the order in which they can merge; none if all can at once."""
    name = _placed(session, mapping)
    if name is None:
        return
    table = session.database.q(name)
    highest = int(session.database.value(f"SELECT MAX(wave) FROM {table}"))
    for wave in range(highest + 1):
        where = f"group_number IN (SELECT y.group_number FROM ({_last(table)}) y"
        yield copy_groups(
            session.database,
            mapping,
            session.fresh_table("wave"),
            f"{where} WHERE y.wave = {wave})",
        )


def number_by_waves(session: Session, mapping: MergeMap) -> bool:
    """Number the groups anew, so that no batch has one that must wait for one of a later batch.

    Returns whether there are any such. Groups that point at one another in a circle, so that none
    can come first, are held back.
    """
    name = _placed(session, mapping)
    if name is None:
        return False
    database, order = session.database, session.fresh_table("order")
    columns = {"group_number": "bigint", "number": "bigint", "wave": "bigint"}
    database.create_work_table(order, columns, primary_key=["group_number"])
    database.run(
        f"INSERT INTO {database.q(order)} ({', '.join(map(database.q, columns))})"
        " SELECT y.group_number, ROW_NUMBER() OVER (ORDER BY y.wave, y.group_number), y.wave"
        f" FROM ({_last(database.q(name))}) y"
    )
    rows = NamedRows(order, {"group_number": "group_number"})
    database.update(mapping.name, {"group_number": "number"}, rows)
    _hold_circles(session, mapping, order)
    return True


def _hold_circles(session: Session, mapping: MergeMap, order: str) -> None:
    work = session.database.q(mapping.name)
    late = f"SELECT w.number FROM {session.database.q(order)} w WHERE w.wave = {MOST}"
    session.held.add(
        "circle of groups",
        f"FROM {work} x WHERE x.place > 0 AND x.group_number IN ({late})",
        first=session.held.key("x", mapping.table.pk, mapping.members),
    )
    session.held.take_out(mapping)


def _last(table: str) -> str:
    return f"SELECT w.group_number, MAX(w.wave) AS wave FROM {table} w GROUP BY w.group_number"


def _placed(session: Session, mapping: MergeMap) -> str | None:
    """A work table of groups with every wave in which one must not come yet; None without any."""
    parts = {part.table.name: part for part in family_parts(session, mapping)}
    edges = {
        _edges(session, parts[referrer.table.name], target, reference): None
        for target in parts.values()
        for referrer in session.referrers(target.table.model)
        for reference in referrer.references
        if referrer.table.name in parts
        and not reference.is_part
        and (reference.holds_key or target.has_text(reference))
        and any(reference in referrer.touching(rule) for rule in referrer.rules)
    }
    if not edges:
        return None
    database, name = session.database, session.fresh_table("edges")
    columns = {"first": "bigint", "second": "bigint"}
    database.create_work_table(name, columns, primary_key=[*columns])
    into = ", ".join(map(database.q, columns))
    # together, and not one by one: a work table may be read, but not written, twice
    found = database.run(f"INSERT INTO {database.q(name)} ({into}) {' UNION '.join(edges)}")
    return _in_waves(session, mapping, name) if found else None


def _edges(session: Session, holder: MergeMap, target: MergeMap, reference: Reference) -> str:
    """A query for the groups of duplicates, and the groups at which these point.

    Both are parts of the objects: those that hold a reference, and those to which it points.
    """
    database = session.database
    conditions = ["m.place > 0", "m.group_number <> o.group_number"]
    conditions += filter(None, [reference.condition("d", database)])
    return (
        f"SELECT DISTINCT m.group_number, o.group_number FROM {holder.with_rows('d', database)}"
        f"{_pointed_at(database, target, reference)} WHERE {' AND '.join(conditions)}"
    )


def _pointed_at(database: Database, target: MergeMap, reference: Reference) -> str:
    """SQL that joins the members (``o``) at which a row (``d``) points, by whichever column."""
    held, members = database.qualified("d", reference.columns), f"JOIN {database.q(target.name)} o"
    if reference.is_text or reference.targets == tuple(target.key):
        old = database.qualified("o", target.old(reference))
        return f" {members} ON {database.equal(held, old)}"
    pointed = database.equal(held, database.qualified("p", reference.targets))
    same = database.join_on("p", target.key, "o", target.members)
    return f" JOIN {database.q(target.table.name)} p ON {pointed} {members} ON {same}"


def _in_waves(session: Session, mapping: MergeMap, edges: str) -> str:
    database, name = session.database, session.fresh_table("waves")
    columns = {"group_number": "bigint", "wave": "bigint"}
    database.create_work_table(name, columns, primary_key=["group_number", "wave"])
    table, pointing = database.q(name), database.q(edges)
    into = f"INSERT INTO {table} ({', '.join(map(database.q, columns))})"
    work = database.q(mapping.name)
    found = database.run(f"{into} SELECT m.group_number, 0 FROM {work} m WHERE m.place = 0")
    for wave in range(MOST):
        earlier = f"SELECT w.group_number FROM (SELECT * FROM {table}) w WHERE w.wave = {wave}"
        second = f"e.{database.q('second')}"
        found = database.run(
            f"{into} SELECT DISTINCT {second}, {wave + 1} FROM {pointing} e"
            f" WHERE e.{database.q('first')} IN ({earlier})"
        )
        if not found:
            break
    return name
