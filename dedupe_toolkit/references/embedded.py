"""Kinds of references that stand inside larger values: in JSON, arrays, the project's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from .kinds import Reference

if TYPE_CHECKING:
    from ..databases import Database
    from .custom import CustomReference


@dataclass(frozen=True, kw_only=True)
class EmbeddedReference(Reference, is_kind=False):
    """Keys inside a larger value: the row keeps the value, with the keys in it replaced.

    Named by ``dedupe.py``; such rows are found by reading the whole table.
    """

    is_embedded = True
    joins_mapping: ClassVar[bool] = False
    """Whether `replaced` speaks of the row of the mapping (``m``) that the value holds."""

    custom: CustomReference | None = None
    """The project's own Python that finds and replaces the keys, where no SQL does."""

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
    holds_key = False
    joins_mapping = True

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

    custom: CustomReference = field()
