"""The kinds of references: what points at a row, in which columns, under which condition.

A new kind is a new small class, and `finders` says where in models it stands. The engine asks each
only for what stands in `Reference`, or in `EmbeddedReference` (`embedded`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

from .rule_sql import as_sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import Model, Q

    from ..databases import Database
    from .spellings import Spelling


@dataclass(frozen=True, kw_only=True)
class Reference:
    """Columns of one table that hold the key of a row of another model.

    ``referrer`` is the model whose table has the columns; ``targets`` are the columns of
    ``target``'s table whose values they hold.
    """

    kind: ClassVar[str]
    """What plans and reports call it."""
    is_text: ClassVar[bool] = False
    """Whether the columns hold the key as text, as generic keys may."""
    holds_key: ClassVar[bool] = True
    """Whether the columns hold the target's values as its own columns do."""
    is_part: ClassVar[bool] = False
    """Whether the rows that have the columns are parts of the very objects that they point at."""
    is_link: ClassVar[bool] = False
    """Whether they say nothing but who is linked."""
    is_embedded: ClassVar[bool] = False
    """Whether keys stand inside a larger value: the reference is an `EmbeddedReference` then."""

    referrer: type[Model]
    label: str
    columns: tuple[str, ...]
    target: type[Model]
    targets: tuple[str, ...]

    where: Q | None = None
    """Which rows of the referrer point at the target at all, where not all do."""

    spelling: Spelling | None = None
    """How the column writes keys, where it does so in spellings of its own."""

    type_column: str = ""
    """A field that may name the type of what the columns hold, where nothing is said of it."""

    is_enforced: bool = False
    """Whether the database itself refuses to delete a row that is still pointed at."""

    def __init_subclass__(cls, *, is_kind: bool = True) -> None:
        """Raises `TypeError` for a kind that has no name."""
        super().__init_subclass__()
        if is_kind and not hasattr(cls, "kind"):
            raise TypeError(f"{cls.__name__} does not say by kind what it is called")

    @property
    def is_key(self) -> bool:
        """Whether the columns are the referrer's own primary key, so repointing renames the row."""
        return False

    @property
    def place(self) -> tuple[str, ...]:
        """What the values it holds are looked up by: the columns whose values they are."""
        return self.targets

    @property
    def beside(self) -> tuple[str, ...]:
        """Further columns of the referrer by which `condition` tells whom it points at."""
        return ()

    @property
    def is_countable(self) -> bool:
        """Whether SQL can tell from a key what the columns hold."""
        return True

    def of_twin(self, model: type[Model]) -> Reference:
        """The same as a reference to ``model``, which is another model of the target's table."""
        return replace(self, target=model)

    def joined(self, other: Reference) -> Reference:
        """One reference for this and another of the same columns."""
        return self

    def condition(self, alias: str, database: Database) -> str:
        """SQL that is true for the rows of the referrer that point at this target at all."""
        return "" if self.where is None else as_sql(self.referrer, database, self.where, alias)

    def held(self, database: Database, columns: Sequence[str], keys: Sequence[str]) -> str:
        """SQL that is true when these columns hold the values of the target under these."""
        return database.equal(columns, keys)

    def count_sql(self, database: Database, keys: Sequence[str]) -> str:
        """SQL for the number of rows that point at the row with these key columns."""
        columns = database.qualified("dedupe_r", self.columns)
        if self.is_text:
            text = database.table(self.referrer).column(self.columns[0])
            keys = [database.as_text(keys[0], text.definition)]
        held = self.held(database, columns, keys)
        where = " AND ".join(filter(None, [held, self.condition("dedupe_r", database)]))
        table = database.q(self.referrer._meta.db_table)
        return f"(SELECT COUNT(*) FROM {table} dedupe_r WHERE {where})"


@dataclass(frozen=True, kw_only=True)
class ForeignKeyReference(Reference):
    kind = "foreign key"

    @property
    def is_key(self) -> bool:
        pk = self.referrer._meta.pk
        return pk is not None and self.columns == (pk.column,)


@dataclass(frozen=True, kw_only=True)
class RegisteredReference(ForeignKeyReference):
    """A column that an app's ``dedupe.py`` names: it holds keys, and no relation says so."""

    kind = "registered"


@dataclass(frozen=True, kw_only=True)
class TextRegisteredReference(RegisteredReference):
    is_text = True
    holds_key = False


@dataclass(frozen=True, kw_only=True)
class SpelledReference(Reference, is_kind=False):
    """A column that holds the key in spellings of its own: as a field's methods write it."""

    holds_key = False

    spelling: Spelling = field()

    @property
    def place(self) -> tuple[str, ...]:
        return (*self.targets, self.label)

    @property
    def is_countable(self) -> bool:
        return self.spelling.is_uuid

    def held(self, database: Database, columns: Sequence[str], keys: Sequence[str]) -> str:
        if not self.is_countable:
            return "1 = 1"  # any may
        text = database.table(self.referrer).column(self.columns[0])
        written = [database.as_text(one, text.definition) for one in database.uuid_texts(keys[0])]
        return f"{columns[0]} IN ({', '.join(written)})"


@dataclass(frozen=True, kw_only=True)
class SpelledRegisteredReference(SpelledReference, RegisteredReference):
    """A column of ``dedupe.py`` with keys as their field's methods write them."""


@dataclass(frozen=True, kw_only=True)
class OneToOneReference(ForeignKeyReference):
    kind = "one-to-one"


@dataclass(frozen=True, kw_only=True)
class InheritedReference(ForeignKeyReference):
    """The link from a multi-table child to its parent: the child row is part of the same object."""

    kind = "inheritance"
    is_part = True

    def of_twin(self, model: type[Model]) -> Reference:
        # its rows are parts of the twin's objects only
        facts = {name: getattr(self, name) for name in Reference.__dataclass_fields__}
        return OneToOneReference(**facts | {"target": model})


@dataclass(frozen=True, kw_only=True)
class LinkReference(ForeignKeyReference):
    """One side of an automatic many-to-many table, whose rows say nothing but who is linked."""

    kind = "many-to-many"
    is_link = True


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

    @property
    def beside(self) -> tuple[str, ...]:
        return (self.content_type_column,)

    def joined(self, other: Reference) -> Reference:
        """Of both content types; what else has the columns adds none."""
        types = {*self.content_types, *getattr(other, "content_types", ())}
        return replace(self, content_types=tuple(sorted(types)))


@dataclass(frozen=True, kw_only=True)
class TextGenericReference(GenericReference):
    is_text = True
    holds_key = False


@dataclass(frozen=True, kw_only=True)
class SpelledGenericReference(SpelledReference, GenericReference):
    """A generic key with keys as their field's methods write them."""
