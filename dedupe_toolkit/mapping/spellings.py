"""Keys in other spellings than their own column's, as generic keys hold them.

Each column that has some gets a work table of the shape of a mapping, with the spelled keys in
place of the members and survivors. Writes work tables only.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..databases.names import derived
from ..references.discover import unknown_references_to

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..databases import Database
    from ..databases.tables import Column
    from ..planning.session import Session
    from ..references.kinds import Reference
    from ..references.spellings import Spelling
    from .mapping import MergeMap

CHUNK = 100
"""Keys in one statement, and groups in memory at once."""

_NAMES = ["group_number", "place", "member_0", "survivor_0", "root"]


def spelled_tables(
    database: Database, mapping: MergeMap, references: Sequence[Reference], name: str
) -> dict[tuple[str, ...], str]:
    """The work tables of spelled keys by the place of each reference, filled.

    References that hold keys alike share one. Their names begin with ``name``. Beside the spelled
    keys stand those of the mapping, as `Mapping.raw` and `Mapping.raw_survivors`.
    """
    found: dict[tuple[str, ...], str] = {}
    made: dict[tuple[Any, ...], str] = {}
    for reference in references:
        spelling = reference.spelling
        if spelling is None:
            continue
        column = database.table(reference.referrer).column(reference.columns[0])
        definition = _definition(database, spelling, column)
        alike = (definition, None if spelling.is_uuid else spelling.held)
        if alike not in made:
            made[alike] = derived(name, len(made))
            held = replace(column, definition=definition)
            _make(database, mapping, spelling, made[alike], held)
        found[reference.place] = made[alike]
    return found


def _definition(database: Database, spelling: Spelling, column: Column) -> str:
    """The type of spelled keys: it compares with the column that holds them."""
    if not column.is_text:
        return column.definition
    if spelling.is_uuid:
        return database.text_like(column)
    return database.exact_text_like(column)


def _make(
    database: Database, mapping: MergeMap, spelling: Spelling, name: str, held: Column
) -> None:
    (key,) = mapping.table.pk
    keys = dict.fromkeys((*mapping.raw, *mapping.raw_survivors), key.definition)
    types = {"group_number": "bigint", "place": "bigint", "member_0": held.definition}
    types |= {"survivor_0": held.definition, "root": "varchar(500)"}
    indexes = ["group_number", "key_0"]
    database.create_work_table(name, types | keys, primary_key=["member_0"], indexes=indexes)
    if spelling.is_uuid:
        _write_uuids(database, mapping, name, list(keys))
    else:
        one, own = database.placeholder(held), database.placeholder(key)
        into, line = _into(database, name, list(keys)), f"(%s, %s, {one}, {one}, %s, {own}, {own})"
        _write_converted(database, mapping, spelling, f"{into} VALUES", line)
    database.settle(name, indexes)


def _into(database: Database, name: str, keys: list[str]) -> str:
    return f"INSERT INTO {database.q(name)} ({', '.join([*_NAMES, *keys])})"


def _write_uuids(database: Database, mapping: MergeMap, name: str, keys: list[str]) -> None:
    (member,), (survivor,) = (
        database.qualified("m", side) for side in (mapping.members, mapping.survivors)
    )
    spelled = zip(database.uuid_texts(member), database.uuid_texts(survivor), strict=True)
    for member_text, survivor_text in spelled:
        database.run(
            f"{_into(database, name, keys)} SELECT m.group_number, m.place, {member_text},"
            f" {survivor_text}, {mapping.root(database)}, {member}, {survivor}"
            f" FROM {database.q(mapping.name)} m"
        )


def _write_converted(
    database: Database, mapping: MergeMap, spelling: Spelling, into: str, line: str
) -> None:
    for rows in _chunks(database, mapping):
        lines = []
        for group, place, root, *columns in rows:
            member, survivor = (spelling.of(column, database.connection) for column in columns)
            if member is not None and survivor is not None:
                lines.append([group, place, member, survivor, root, *columns])
        for start in range(0, len(lines), CHUNK):
            some = lines[start : start + CHUNK]
            database.run(
                f"{into} {', '.join([line] * len(some))}",
                [value for values in some for value in values],
            )


def _chunks(database: Database, mapping: MergeMap) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of a mapping, some groups at a time: not every database has cursors to read by."""
    work = database.q(mapping.name)
    ((first, last),) = database.fetch(f"SELECT MIN(group_number), MAX(group_number) FROM {work}")
    listed = database.qualified("m", [*mapping.members, *mapping.survivors])
    for start in range(first, last + 1, CHUNK) if first is not None else ():
        yield database.fetch(
            f"SELECT m.group_number, m.place, {mapping.root(database)}, {', '.join(listed)}"
            f" FROM {work} m WHERE m.group_number BETWEEN %s AND %s",
            [start, start + CHUNK - 1],
        )


def hold_unspelled(session: Session, mapping: MergeMap, references: Sequence[Reference]) -> None:
    """Hold back the groups with keys that a generic key may hold in a way that nobody can read."""
    database = session.database
    for reference in references:
        if reference.spelling and not reference.spelling.is_certain:
            same = database.join_on("s", mapping.raw, "m", mapping.members)
            spelled = database.q(mapping.source(reference))
            _hold(session, mapping, reference, f"SELECT 1 FROM {spelled} s WHERE {same}")
    for unknown in unknown_references_to(mapping.table.model, database.using):
        _hold(session, mapping, unknown, "SELECT 1 FROM (SELECT 1) e WHERE 1 = 0")


def _hold(session: Session, mapping: MergeMap, reference: Reference, spelled: str) -> None:
    """Hold back the groups with members that are not spelled, if the referrer has rows of them."""
    database = session.database
    meant = f"t.{database.q(reference.columns[0])} IS NOT NULL"
    meant = " AND ".join(filter(None, [meant, reference.condition("t", database)]))
    referrer = database.q(reference.referrer._meta.db_table)
    session.held.add(
        "unreadable",
        f"FROM (SELECT m.* FROM {database.q(mapping.name)} m WHERE NOT EXISTS ({spelled})"
        f" AND EXISTS (SELECT 1 FROM {referrer} t WHERE {meant})) x",
        told={"reference": reference.label, "model": mapping.table.model._meta.label},
        first=session.held.key("x", mapping.table.pk, mapping.members),
    )
