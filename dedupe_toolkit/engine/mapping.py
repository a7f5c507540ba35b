"""The mapping: a work table that says, for every member of a group, which row survives.

One row a member: ``member`` becomes ``survivor``; ``place`` is 0 for the survivor itself, so
the duplicates are the rows with a higher place. Keys that generic references store as text
stand there as text as well. Mappings are filled by the database and never pass through Python.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..databases.tables import Column, Table, pk_fields

if TYPE_CHECKING:
    from collections.abc import Mapping as Dict
    from collections.abc import Sequence

    from ..databases import Database
    from ..graph.references import Reference

MERGED = "m.place > 0"
"""True for the rows of a mapping (alias ``m``) that are duplicates."""


@dataclass(frozen=True, kw_only=True)
class Mapping:
    """A mapping of the rows of one table, in the work table ``name``.

    ``text`` is the type in which the keys also stand as text, if any reference needs them so.
    ``is_nested`` mappings also have the key of the top group's survivor, for the journal.
    ``values`` names a work table for each other unique column that foreign keys point at
    (``to_field``): of the shape of a nested mapping, with the values of that column for keys.
    """

    name: str
    table: Table
    text: str = ""
    is_nested: bool = False
    values: Dict[tuple[str, ...], str] = field(default_factory=dict)

    @property
    def members(self) -> list[str]:
        return numbered("member", len(self.table.pk))

    @property
    def survivors(self) -> list[str]:
        return numbered("survivor", len(self.table.pk))

    @property
    def texts(self) -> list[str]:
        return ["member_text", "survivor_text"] if self.text else []

    @property
    def on_key(self) -> dict[str, str]:
        """The table's primary key ↔ the members: joins the mapping with the table itself."""
        return dict(zip(self.key, self.members, strict=True))

    @property
    def on_survivor(self) -> dict[str, str]:
        return dict(zip(self.key, self.survivors, strict=True))

    @property
    def key(self) -> list[str]:
        return [column.name for column in self.table.pk]

    def source(self, reference: Reference) -> str:
        """The work table in which to look up what a reference holds."""
        return self.values.get(reference.targets, self.name)

    def old(self, reference: Reference) -> list[str]:
        """The mapping's columns that a reference to a member holds now."""
        return ["member_text"] if reference.is_text else numbered("member", len(reference.columns))

    def new(self, reference: Reference) -> list[str]:
        """The mapping's columns that the reference holds once repointed."""
        if reference.is_text:
            return ["survivor_text"]
        return numbered("survivor", len(reference.columns))

    @property
    def root_columns(self) -> list[str]:
        """The columns of which `root` is made."""
        return ["root"] if self.is_nested else self.survivors

    def root(self, database: Database, alias: str = "m") -> str:
        """SQL for the key of the row into which the whole top group is merged, as text."""
        if self.is_nested:
            return f"{alias}.root"
        survivors = database.qualified(alias, self.survivors)
        return database.key_text(list(zip(self.table.pk, survivors, strict=True)))

    def root_at(self, reference: Reference, database: Database, alias: str = "m") -> str:
        """The same beside what a reference is looked up in, which may hold no primary keys."""
        if reference.targets in self.values:
            return f"{alias}.root"
        return self.root(database, alias)


def numbered(name: str, width: int) -> list[str]:
    return [f"{name}_{number}" for number in range(width)]


def create(database: Database, mapping: Mapping) -> Mapping:
    """The mapping, with its work table there and empty."""
    return _create(database, mapping, mapping.name, mapping.table.pk, mapping.text)


def _create(
    database: Database, mapping: Mapping, name: str, keys: Sequence[Column], text: str
) -> Mapping:
    columns = {"group_number": "bigint", "place": "bigint"}
    for side in ("member", "survivor"):
        names = numbered(side, len(keys))
        columns |= {name: key.definition for name, key in zip(names, keys, strict=True)}
    if text:
        columns |= {"member_text": text, "survivor_text": text}
    if mapping.is_nested:
        columns["root"] = "varchar(500)"
    database.create_work_table(
        name, columns, primary_key=numbered("member", len(keys)), indexes=_indexes(text)
    )
    return mapping


def _indexes(text: str) -> list[str]:
    return ["group_number", *(["member_text"] if text else [])]


def settle(database: Database, mapping: Mapping) -> None:
    """The mapping's work table is filled: let it be found by index, and the planner know it."""
    database.settle(mapping.name, _indexes(mapping.text))


def fill(database: Database, mapping: Mapping, rows: str, params: Sequence[Any]) -> int:
    """Fill a mapping from SQL for its rows (see `filling`); returns how many members it has."""
    names, sql = filling(database, mapping, rows)
    into = ", ".join(map(database.q, names))
    return database.run(f"INSERT INTO {database.q(mapping.name)} ({into}) {sql}", params)


def filling(database: Database, mapping: Mapping, rows: str) -> tuple[list[str], str]:
    """The columns of a mapping, and SQL for all that it is filled with, in the order of its key.

    ``rows`` is SQL for the group's number, place, survivor's key and own key of every member.
    A table whose rows come in the order of its key grows at the end, and not in the middle.
    """
    names = ["group_number", "place", *mapping.survivors, *mapping.members]
    listed = ", ".join(map(database.q, names))
    members, survivors = (
        database.qualified("r", side) for side in (mapping.members, mapping.survivors)
    )
    selected = [*database.qualified("r", names), *texts(database, mapping, members, survivors)]
    return (
        [*names, *mapping.texts],
        f"WITH r ({listed}) AS ({rows})"
        f" SELECT {', '.join(selected)} FROM r ORDER BY {', '.join(members)}",
    )


def texts(
    database: Database, mapping: Mapping, members: Sequence[str], survivors: Sequence[str]
) -> list[str]:
    """SQL for the keys as text, where references need them so."""
    if not mapping.text:
        return []
    (key,) = pk_fields(mapping.table.model)
    return [database.as_python_text(column, key) for column in (members[0], survivors[0])]


def count_groups(database: Database, mapping: Mapping) -> int:
    table = database.q(mapping.name)
    return int(database.value(f"SELECT COUNT(*) FROM {table} WHERE place = 0"))


def count_duplicates(database: Database, mapping: Mapping) -> int:
    table = database.q(mapping.name)
    return int(database.value(f"SELECT COUNT(*) FROM {table} WHERE place > 0"))


def copy_groups(
    database: Database, mapping: Mapping, name: str, where: str, params: Sequence[Any] = ()
) -> Mapping:
    """A new mapping ``name`` with the groups of another that a condition selects."""
    copy = create(database, replace(mapping, name=name, values={}))
    columns = ["group_number", "place", *mapping.members, *mapping.survivors, *mapping.texts]
    listed = ", ".join(map(database.q, columns))
    database.run(
        f"INSERT INTO {database.q(name)} ({listed})"
        f" SELECT {listed} FROM {database.q(mapping.name)} WHERE {where}",
        params,
    )
    settle(database, copy)
    return copy


def move_groups(database: Database, mapping: Mapping, target: Mapping, where: str) -> None:
    """Move the groups that a condition selects into another mapping of the same shape."""
    columns = ["group_number", "place", *mapping.members, *mapping.survivors, *mapping.texts]
    listed = ", ".join(map(database.q, columns))
    database.run(
        f"INSERT INTO {database.q(target.name)} ({listed})"
        f" SELECT {listed} FROM {database.q(mapping.name)} WHERE {where}"
    )
    drop_groups(database, mapping, where)


def drop_groups(
    database: Database, mapping: Mapping, where: str, params: Sequence[Any] = ()
) -> None:
    """Take groups out of a mapping."""
    database.run(f"DELETE FROM {database.q(mapping.name)} WHERE {where}", params)


def with_values(database: Database, mapping: Mapping, references: Sequence[Reference]) -> Mapping:
    """The mapping, joined by one of other unique columns where references point at those."""
    keys = tuple(mapping.key)
    targets = {ref.targets for ref in references if not ref.is_text and ref.targets != keys}
    values = {}
    for number, columns in enumerate(sorted(targets)):
        values[columns] = f"{mapping.name}_by_{number}"
        _map_values(database, mapping, values[columns], columns)
    return replace(mapping, values=values)


def _map_values(database: Database, mapping: Mapping, name: str, columns: tuple[str, ...]) -> None:
    keys = [mapping.table.column(column) for column in columns]
    _create(database, replace(mapping, is_nested=True), name, keys, "")
    member = database.equal(
        database.qualified("d", mapping.key), database.qualified("m", mapping.members)
    )
    held = database.qualified("d", columns)
    # a survivor without a value of its own takes that of its first duplicate that has one
    window = (
        f"(PARTITION BY m.group_number ORDER BY CASE WHEN {held[0]} IS NULL THEN 1 ELSE 0 END,"
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
        f" SELECT * FROM (SELECT {', '.join(values)} FROM {database.q(mapping.name)} m"
        f" {database.join} {database.q(mapping.table.name)} d ON {member}) x"
        f" WHERE {' AND '.join(f'x.o{n} IS NOT NULL' for n in range(len(keys)))}"
    )
    database.settle(name, _indexes(""))


def text_type(database: Database, references: Sequence[Reference]) -> str:
    """The type in which a mapping must hold keys as text: that of the column compared with."""
    for reference in references:
        if reference.is_text:
            column = database.table(reference.holder).column(reference.columns[0])
            return database.text_like(column)
    return ""
