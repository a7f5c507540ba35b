"""Mappings by other values than the primary key: unique columns, keys in other spellings.

Reads users' rows and writes work tables.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..databases.names import derived, numbered
from .mapping import create_with
from .spellings import spelled_tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..databases import Database
    from ..references.kinds import Reference
    from .mapping import MergeMap

_BY_VALUE = ["group_number"]


def with_values(database: Database, mapping: MergeMap, references: Sequence[Reference]) -> MergeMap:
    """The mapping, joined by one of other unique columns where references point at those."""
    keys = tuple(mapping.key)
    targets = {ref.targets for ref in references if not ref.is_text and ref.targets != keys}
    values = {}
    for number, columns in enumerate(sorted(targets)):
        values[columns] = derived(mapping.name, "by", number)
        _map_values(database, mapping, values[columns], columns)
    return replace(
        mapping,
        values=values | spelled_tables(database, mapping, references, derived(mapping.name, "as")),
    )


def _map_values(database: Database, mapping: MergeMap, name: str, columns: tuple[str, ...]) -> None:
    keys = [mapping.table.column(column) for column in columns]
    valued = replace(mapping, name=name, is_nested=True, texts_for={})
    create_with(database, valued, keys, _BY_VALUE)
    held = database.qualified("d", columns)
    # a survivor without a value of its own takes that of its first duplicate that has one
    survivors = ", ".join(database.qualified("m", mapping.survivors))
    window = (
        f"(PARTITION BY {survivors} ORDER BY CASE WHEN {held[0]} IS NULL THEN 1 ELSE 0 END,"
        " m.place)"
    )
    names = ["group_number", "place", *numbered("member", len(keys))]
    names += [*numbered("survivor", len(keys)), "root"]
    values = ["m.group_number AS g", "m.place AS p"]
    values += [f"{column} AS o{number}" for number, column in enumerate(held)]
    values += [f"FIRST_VALUE({column}) OVER {window} AS n{n}" for n, column in enumerate(held)]
    values += [f"{mapping.root(database)} AS root"]
    database.run(
        f"INSERT INTO {database.q(name)} ({', '.join(map(database.q, names))})"
        f" SELECT * FROM (SELECT {', '.join(values)} FROM {mapping.with_rows('d', database)}) x"
        f" WHERE {' AND '.join(f'x.o{n} IS NOT NULL' for n in range(len(keys)))}"
    )
    database.settle(name, _BY_VALUE)
