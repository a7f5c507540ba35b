"""The mapping: a work table that says, for every member of a group, which row survives.

One row a member: ``member`` becomes ``survivor``; ``place`` is 0 for the survivor itself, so
the duplicates are the rows with a higher place. Keys that generic references store as text
stand there as text as well. Mappings are filled by the database and never pass through Python.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..databases.named_rows import NamedRows
from ..databases.names import numbered
from ..databases.tables import Column, Table, definitions, last_field, pk_fields

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..databases import Database
    from ..references.kinds import Reference

MERGED = "m.place > 0"
"""True for the rows of a mapping (alias ``m``) that are duplicates."""


Way = tuple[tuple[str, tuple[str, ...]], ...]
"""References, each by its table and columns."""


@dataclass(frozen=True, kw_only=True)
class MergeMap:
    """A mapping of the rows of one table, in the work table ``name``.

    ``texts_for`` says in which types the keys also stand as text, each for the columns (table and
    name) that hold them so: of different collations, which compare with themselves only.
    ``is_nested`` mappings also have the key of the top group's survivor, for the journal.
    ``values`` names a work table for each other unique column that foreign keys point at
    (``to_field``): of the shape of a nested mapping, with the values of that column for keys. It
    also names one for each column that has spellings of its own for keys (`SpelledReference`).
    ``way`` are the references whose rows have moved before, one because of the other.
    """

    name: str
    table: Table
    texts_for: Mapping[str, frozenset[tuple[str, str]]] = field(default_factory=dict)
    is_nested: bool = False
    values: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    way: Way = ()

    @property
    def members(self) -> list[str]:
        return numbered("member", len(self.table.pk))

    @property
    def survivors(self) -> list[str]:
        return numbered("survivor", len(self.table.pk))

    @property
    def texts(self) -> list[str]:
        return list(self.text_types)

    @property
    def text_types(self) -> dict[str, str]:
        """The columns with keys as text, in pairs of member and survivor, with their types."""
        return {
            f"{side}_text{_suffix(number)}": kind
            for number, kind in enumerate(self.texts_for)
            for side in ("member", "survivor")
        }

    def has_text(self, reference: Reference) -> bool:
        """Whether the keys also stand as the text that a reference holds."""
        return any(_column(reference) in columns for columns in self.texts_for.values())

    def _text(self, side: str, reference: Reference) -> str:
        held = enumerate(self.texts_for.values())
        numbers = (number for number, columns in held if _column(reference) in columns)
        return f"{side}_text{_suffix(next(numbers))}"

    @property
    def named(self) -> NamedRows:
        """The members in their own table."""
        return NamedRows(self.name, dict(zip(self.key, self.members, strict=True)))

    def with_rows(self, alias: str, database: Database) -> str:
        """SQL for the work table (``m``) beside the rows of its members, under an alias."""
        same = database.join_on(alias, self.key, "m", self.members)
        work, table = database.q(self.name), database.q(self.table.name)
        return f"{work} m {database.join} {table} {alias} ON {same}"

    def survivors_in(self, source: str) -> NamedRows:
        """The survivors that a work table names as this one does."""
        return NamedRows(source, dict(zip(self.key, self.survivors, strict=True)))

    def pointing(self, reference: Reference, database: Database) -> NamedRows:
        """The rows that point at duplicates by a reference."""
        on = dict(zip(reference.columns, self.old(reference), strict=True))
        return NamedRows(self.source(reference), on, reference.condition("t", database), MERGED)

    @property
    def key(self) -> list[str]:
        return self.table.key

    @property
    def raw(self) -> list[str]:
        """The members as they are, in a work table of spelled keys: see `spelled_tables`."""
        return numbered("key", len(self.table.pk))

    @property
    def raw_survivors(self) -> list[str]:
        """The survivors as they are, in a work table of spelled keys."""
        return numbered("into", len(self.table.pk))

    def is_spelled(self, reference: Reference) -> bool:
        """Whether a reference is looked up in a work table of spelled keys."""
        return not reference.holds_key and reference.place in self.values

    def pointed_at(self, reference: Reference) -> tuple[list[str], list[str]]:
        """What a reference points at now and then, as it is: columns of where it is looked up."""
        if self.is_spelled(reference):
            return self.raw, self.raw_survivors
        width = len(reference.targets)
        return numbered("member", width), numbered("survivor", width)

    def source(self, reference: Reference) -> str:
        """The work table in which to look up what a reference holds."""
        return self.values.get(reference.place, self.name)

    def by_targets(self, reference: Reference) -> str:
        """The work table that has what a reference points at as it is, however it is spelled."""
        return self.values.get(reference.targets, self.name)

    def old(self, reference: Reference) -> list[str]:
        """The mapping's columns that a reference to a member holds now."""
        if reference.is_text:
            return [self._text("member", reference)]
        return numbered("member", len(reference.columns))

    def new(self, reference: Reference) -> list[str]:
        """The mapping's columns that the reference holds once repointed."""
        if reference.is_text:
            return [self._text("survivor", reference)]
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
        return database.key_text(self.table.pk, survivors)

    def root_at(self, reference: Reference, database: Database, alias: str = "m") -> str:
        """The same beside what a reference is looked up in, which may hold no primary keys."""
        if reference.place in self.values:
            return f"{alias}.root"
        return self.root(database, alias)


def _column(reference: Reference) -> tuple[str, str]:
    return reference.referrer._meta.db_table, reference.columns[0]


def _suffix(number: int) -> str:
    return f"_{number}" if number else ""


def create(database: Database, mapping: MergeMap) -> MergeMap:
    """The mapping, with its work table there and empty."""
    create_with(database, mapping, mapping.table.pk, _indexes(mapping))
    return mapping


def create_with(
    database: Database, mapping: MergeMap, keys: Sequence[Column], indexes: Sequence[str]
) -> None:
    """Create its work table, with members and survivors of the types of ``keys``."""
    columns = {"group_number": "bigint", "place": "bigint"}
    for side in ("member", "survivor"):
        columns |= definitions(numbered(side, len(keys)), keys)
    columns |= mapping.text_types
    if mapping.is_nested:
        columns["root"] = "varchar(500)"
    members = numbered("member", len(keys))
    database.create_work_table(mapping.name, columns, primary_key=members, indexes=indexes)


def _indexes(mapping: MergeMap) -> list[str]:
    """What is looked up beside members: one level down no group number says what becomes one."""
    together = ["survivor_0"] if mapping.is_nested else []
    return ["group_number", *together, *mapping.texts[::2]]


FEW = 100
"""So many rows are looked through as quickly as an index."""


def settle(database: Database, mapping: MergeMap, rows: int | None = None) -> None:
    """The mapping's work table is filled: let it be found by index, and the planner know it.

    ``rows`` is how many it has, where that is known: a few take no index but that of their keys.
    """
    is_small = rows is not None and rows <= FEW
    database.settle(mapping.name, () if is_small else _indexes(mapping))


def fill(database: Database, mapping: MergeMap, rows: str, params: Sequence[Any]) -> int:
    """Fill a mapping from SQL for its rows (see `filling`); returns how many members it has."""
    names, sql = filling(database, mapping, rows)
    into = ", ".join(map(database.q, names))
    return database.run(f"INSERT INTO {database.q(mapping.name)} ({into}) {sql}", params)


def filling(database: Database, mapping: MergeMap, rows: str) -> tuple[list[str], str]:
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
        f"WITH dedupe_filling ({listed}) AS ({rows})"
        f" SELECT {', '.join(selected)} FROM dedupe_filling r ORDER BY {', '.join(members)}",
    )


def texts(
    database: Database, mapping: MergeMap, members: Sequence[str], survivors: Sequence[str]
) -> list[str]:
    """SQL for the keys as text, where references need them so."""
    if not mapping.texts:
        return []
    (key,) = pk_fields(mapping.table.model)
    key = last_field(key)
    pair = [database.as_python_text(column, key) for column in (members[0], survivors[0])]
    return pair * len(mapping.texts_for)


def texts_for(
    database: Database, references: Sequence[Reference]
) -> dict[str, frozenset[tuple[str, str]]]:
    """The types in which a mapping must hold keys as text: those of the columns compared with."""
    found: dict[str, frozenset[tuple[str, str]]] = {}
    for reference in references:
        if reference.is_text:
            column = database.table(reference.referrer).column(reference.columns[0])
            key = database.table(reference.target).pk[0]
            # where keys are told apart to the letter, a looser column would mix them up
            is_exact = key.is_text and database.text_like(key) == database.exact_text_like(key)
            kind = (database.exact_text_like if is_exact else database.text_like)(column)
            found[kind] = found.get(kind, frozenset()) | {_column(reference)}
    return found
