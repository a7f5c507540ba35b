"""A mapping's keys as text, where they come from one that has no such text. Writes a work table."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .mapping import create, settle, texts, texts_for

if TYPE_CHECKING:
    from ..databases import Database
    from ..references.kinds import Reference
    from .mapping import MergeMap


def with_texts(database: Database, mapping: MergeMap, reference: Reference, name: str) -> MergeMap:
    """A copy ``name`` of a mapping whose keys also stand as the text that a reference holds."""
    copy = replace(mapping, name=name, texts_for=texts_for(database, [reference]), values={})
    copy = create(database, replace(copy, is_nested=True))
    columns = ["group_number", "place", *copy.members, *copy.survivors, *copy.texts, "root"]
    members, survivors = (
        database.qualified("m", side) for side in (mapping.members, mapping.survivors)
    )
    held = [*members, *survivors, *texts(database, copy, members, survivors)]
    rows = database.run(
        f"INSERT INTO {database.q(name)} ({', '.join(map(database.q, columns))})"
        f" SELECT m.group_number, m.place, {', '.join(held)}, {mapping.root(database)}"
        f" FROM {database.q(mapping.name)} m"
    )
    settle(database, copy, rows)
    return copy
