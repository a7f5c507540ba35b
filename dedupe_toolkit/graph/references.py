"""The kinds of references: what points at a row, in which columns, under which condition.

A new kind is a new small class. The engine asks each only for what stands in `Reference`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import Field, Model

    from ..databases import Database
    from .custom import CustomReference


@dataclass(frozen=True, kw_only=True)
class Reference:
    """Columns of one table that hold the key of a row of another model.

    ``holder`` is the model whose table has the columns; ``targets`` are the columns of
    ``target``'s table whose values they hold.
    """

    kind: ClassVar[str]
    is_text: ClassVar[bool] = False
    """Whether the columns hold the key as text, as generic keys may."""

    holder: type[Model]
    label: str
    columns: tuple[str, ...]
    target: type[Model]
    targets: tuple[str, ...]

    is_enforced: bool = False
    """Whether the database itself refuses to delete a row that is still pointed at."""

    @property
    def is_key(self) -> bool:
        """Whether the columns are the holder's own primary key, so repointing renames the row."""
        return False

    def condition(self, alias: str, database: Database) -> str:
        """SQL that is true for the rows of the holder that point at this target at all."""
        return ""

    def count_sql(self, database: Database, keys: Sequence[str]) -> str:
        """SQL for the number of rows that point at the row with these key columns."""
        columns = database.qualified("dedupe_r", self.columns)
        where = " AND ".join(
            part
            for part in (database.equal(columns, keys), self.condition("dedupe_r", database))
            if part
        )
        table = database.q(self.holder._meta.db_table)
        return f"(SELECT COUNT(*) FROM {table} dedupe_r WHERE {where})"


@dataclass(frozen=True, kw_only=True)
class ForeignKeyReference(Reference):
    kind = "foreign key"

    @property
    def is_key(self) -> bool:
        pk = self.holder._meta.pk
        return pk is not None and self.columns == (pk.column,)


@dataclass(frozen=True, kw_only=True)
class RegisteredReference(ForeignKeyReference):
    """A column that an app's ``dedupe.py`` names: it holds keys, and no relation says so."""

    kind = "registered"


@dataclass(frozen=True, kw_only=True)
class TextRegisteredReference(RegisteredReference):
    is_text = True


@dataclass(frozen=True, kw_only=True)
class EmbeddedReference(Reference):
    """Keys inside a larger value: the row keeps the value, with the keys in it replaced.

    Named by ``dedupe.py``; such rows are found by reading the whole table.
    """

    def holds(self, database: Database) -> str:
        """SQL that is true when a row (``t``) holds a member of the mapping (``m``)."""
        raise NotImplementedError

    def replaced(self, database: Database, source: str) -> str:
        """SQL for the value with every key replaced, by the mapping in work table ``source``."""
        raise NotImplementedError

    @property
    def value(self) -> str:
        """The one column that holds the value."""
        return self.columns[0]


@dataclass(frozen=True, kw_only=True)
class JSONReference(EmbeddedReference):
    """A key at a path of a JSON value, as a number or as text."""

    kind = "JSON"
    is_text = True

    path: tuple[str, ...]

    def holds(self, database: Database) -> str:
        held = database.json_text(f"t.{database.q(self.value)}", self.path)
        return f"m.member_text = {held}"

    def replaced(self, database: Database, source: str) -> str:
        return database.json_replaced(f"t.{database.q(self.value)}", self.path, "m.survivor_text")


@dataclass(frozen=True, kw_only=True)
class ArrayReference(EmbeddedReference):
    """Keys in an array; one that stands for the same row twice stays once, at its first place."""

    kind = "array"

    def holds(self, database: Database) -> str:
        return f"m.member_0 = ANY (t.{database.q(self.value)})"

    def replaced(self, database: Database, source: str) -> str:
        return database.array_replaced(f"t.{database.q(self.value)}", source)


@dataclass(frozen=True, kw_only=True)
class ComputedReference(EmbeddedReference):
    """Keys that the project's own Python finds and replaces in a value; there is no SQL for it."""

    kind = "custom"

    field: Field[Any, Any]
    custom: CustomReference


@dataclass(frozen=True, kw_only=True)
class OneToOneReference(ForeignKeyReference):
    kind = "one-to-one"


@dataclass(frozen=True, kw_only=True)
class InheritedReference(ForeignKeyReference):
    """The link from a multi-table child to its parent: the child row is part of the same object."""

    kind = "inheritance"


@dataclass(frozen=True, kw_only=True)
class LinkReference(ForeignKeyReference):
    """One side of an automatic many-to-many table, whose rows say nothing but who is linked."""

    kind = "many-to-many"


@dataclass(frozen=True, kw_only=True)
class GenericReference(Reference):
    """A content type and an object id, with or without a ``GenericForeignKey`` over them.

    ``content_types`` are the ids under which the target and its proxies are stored.
    """

    kind = "generic"

    content_type_column: str
    content_types: tuple[int, ...]

    def condition(self, alias: str, database: Database) -> str:
        ids = ", ".join(str(number) for number in self.content_types)
        return f"{alias}.{database.q(self.content_type_column)} IN ({ids})"


@dataclass(frozen=True, kw_only=True)
class TextGenericReference(GenericReference):
    is_text = True
