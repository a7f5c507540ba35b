"""What a table is to the proof: its columns, what they point at, and what must be unique."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from .kinds import NUMBER, Kind

Row = dict[str, Any]
Rows = dict[str, dict[int, Row]]
"""Every row of every table: table -> primary key -> column -> value."""

ANY = "*"
"""The target of a generic key: the table that the row's `content_type` names."""


@dataclass(frozen=True)
class To:
    """A column that points at another table, by its primary key unless another column is named."""

    table: str
    by: str = ""
    is_nullable: bool = False
    is_checked: bool = True
    """Whether the database refuses a value that points at nothing."""
    columns: tuple[str, ...] = ()
    """The columns that hold the key, where it is a composite one."""
    again: str = ""
    """Another column of the row that names the same, unless this one is empty."""
    acts: str = ""
    """What the database does by itself, where the foreign key is made by hand."""


@dataclass(frozen=True)
class Table:
    """A table; ``unordered`` are those of its unique rules that take values in either order,
    ``lowered`` those to which upper case is lower case, and ``checks`` name columns of which each
    is at least the next (or empty).

    A row is a part of an object with that of its ``parent`` that has the same key, and with those
    that its ``links`` name.
    """

    name: str
    references: dict[str, To] = field(default_factory=dict)
    values: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    unique: tuple[tuple[str, ...], ...] = ()
    unordered: tuple[tuple[str, ...], ...] = ()
    lowered: tuple[tuple[str, ...], ...] = ()
    computed: tuple[tuple[str, ...], ...] = ()
    """Unique rules over a computed column that repeats their reference."""
    counting: dict[tuple[str, ...], tuple[str, Any]] = field(default_factory=dict)
    """What a row holds, in a column, if a unique rule counts it; of rules that count some only."""
    checks: tuple[tuple[str, ...], ...] = ()
    key: str = "id"
    composite: tuple[str, ...] = ()
    """The columns that make up the key, which is then no column itself."""
    parent: str = ""
    links: tuple[str, ...] = ()
    is_diamond: bool = False
    """Whether its parents are parts of the same row."""
    is_link: bool = False
    is_symmetrical: bool = False
    is_unknown: bool = False
    """Whether no model has it, so that nothing can follow there."""
    key_kind: Kind = NUMBER
    kinds: dict[str, Kind] = field(default_factory=dict)
    """Of the columns that hold something else than plain numbers and texts."""
    moments: tuple[str, ...] = ()
    """Columns in which no value beside one is a difference, and is not filled."""
    shown: dict[str, Any] = field(default_factory=dict)
    """What a row has in a column if the default manager shows it; those are not filled either."""
    together: tuple[tuple[str, ...], ...] = ()
    """Columns without references of which a row's values are taken all or not at all."""
    measures: tuple[tuple[str, str], ...] = ()
    """Amounts and their currency: the same, though nobody declares it."""
    stamped: str = ""
    """A column that a trigger writes whenever a row is changed; it is not compared."""
    touched: str = ""
    """A moment that MariaDB and MySQL write by themselves, unless it is given with the rest."""
    db_table: str = ""
    db_columns: dict[str, str] = field(default_factory=dict)
    """What tables and columns are called in the database, where it is not what models call them."""

    def compared(self, rule: tuple[str, ...], row: Row) -> tuple[Any, ...]:
        """What a unique rule compares; None among it if it does not count the row."""
        column, counted = self.counting.get(rule, ("", None))
        if column and row[column] != counted:
            return (None,)
        value = tuple(self.folded(column, row[column]) for column in rule)
        if rule in self.lowered:
            value = tuple(one.lower() if isinstance(one, str) else one for one in value)
        return tuple(sorted(value)) if rule in self.unordered else value

    def folded(self, column: str, value: Any) -> Any:
        """What the database compares of a value."""
        kind = self.kinds.get(column)
        return value if kind is None or value is None else kind.fold(value)

    def is_special(self, rule: tuple[str, ...]) -> bool:
        """Whether a unique rule is more than columns."""
        return rule in self.lowered or rule in self.counting or rule in self.computed

    def is_sound(self, row: Row) -> bool:
        """Whether a row passes every check."""
        return all(self.passes(check, row) for check in self.checks)

    def passes(self, check: tuple[str, ...], row: Row) -> bool:
        values = [LIMITS.get(column, row.get(column)) for column in check]
        return None in values or values == sorted(values, reverse=True)

    def partners(self, column: str) -> set[str]:
        """The column with those that it belongs together with."""
        return {column}.union(*(columns for columns in self.belonging if column in columns))

    @property
    def belonging(self) -> tuple[tuple[str, ...], ...]:
        """All that is taken together, declared or not."""
        return (*self.together, *self.measures)

    def is_silent(self, column: str) -> bool:
        """Whether a blank in it says something, so that nothing is filled there unasked."""
        choosing = {chosen for chosen, _ in self.counting.values()}
        return column in self.moments or column in self.shown or column in choosing

    def is_hidden(self, row: Row) -> bool:
        return any(row[column] != value for column, value in self.shown.items())

    @property
    def columns(self) -> tuple[str, ...]:
        key = () if self.key in self.references or self.composite else (self.key,)
        generic = ("content_type",) if any(t.table == ANY for t in self.references.values()) else ()
        return (*key, *generic, *self.references, *self.values)

    @property
    def stored(self) -> tuple[str, ...]:
        """The columns that there are in the database."""
        return tuple(name for column in self.columns for name in self._stored_as(column))

    def _stored_as(self, column: str) -> tuple[str, ...]:
        to = self.references.get(column)
        return to.columns if to and to.columns else (column,)

    def keyed(self, row: Row) -> Row:
        """The row under the key that its columns make up."""
        made = {self.key: tuple(row[column] for column in self.composite)}
        return row | made if self.composite else row

    def spread(self, row: Row) -> Row:
        """The row as it is stored: composite keys part by part."""
        parts: Row = {}
        for column, to in self.references.items():
            held = row[column] or (None,) * len(to.columns)
            parts |= zip(to.columns, held, strict=True) if to.columns else ()
        return {**row, **parts}

    def gathered(self, row: Row) -> Row:
        """The same read back."""
        found = dict(row)
        for column, to in self.references.items():
            if to.columns:
                held = tuple(found.pop(name) for name in to.columns)
                found[column] = None if None in held else held
        return self.keyed(found)


LIMITS = {"MOST": 2}
"""What stands for a column in a check, and is a number."""


@dataclass(frozen=True)
class Schema:
    """All tables of an app; ``subjects`` are those that generic keys point at."""

    app: str
    tables: tuple[Table, ...]
    subjects: tuple[str, ...] = ()

    @cached_property
    def by_name(self) -> dict[str, Table]:
        return {table.name: table for table in self.tables}

    def lineage(self, name: str) -> list[str]:
        """A table and those of which its rows are parts under the same key, itself first."""
        own = self.by_name[name]
        above = [own.parent, *(own.references[link].table for link in own.links if own.is_diamond)]
        found = [name, *(one for each in above if each for one in self.lineage(each))]
        return list(dict.fromkeys(found))

    def root(self, name: str) -> str:
        """The table of which a table's rows are parts, by their first parents."""
        parent = self.by_name[name].parent
        return self.root(parent) if parent else name

    def family(self, name: str) -> list[str]:
        """All tables of which a row can be a part together with one of this, which is the first."""
        found = [name]
        for one in found:
            own = self.by_name[one]
            near = [own.parent, *(own.references[link].table for link in own.links)]
            near += [
                other.name
                for other in self.tables
                if other.parent == one or one in (other.references[x].table for x in other.links)
            ]
            found += [each for each in near if each and each not in found]
        return found
