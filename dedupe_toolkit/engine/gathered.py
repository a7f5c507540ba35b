"""Duplicate groups with all their rows from one GROUP BY: each row of the answer is a group.

For primary keys that are whole numbers, and survivors known by them. Under any other survivor
rule the database has to sort the members by their values, and then by the rule. Only reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.db.models import Count, F, Max, Min, QuerySet, Window

from ..databases import Database, dialect_of
from ..databases.collecting import CollectedKeys, SumOverGroups, text_after_key, without_key
from ..databases.tables import pk_names
from ..keys import ends_in_text, key_field
from ..values import DuplicateGroup, FoundDuplicates, Nulls
from .key_rows import Rows, are_numbered, key_columns, repeated, row_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..values import MatchKey
    from .survivors import SurvivorRule

_EXTREMES: dict[SurvivorRule, type[Min] | type[Max]] = {"oldest": Min, "newest": Max}


def can_gather(key: MatchKey, survivor: SurvivorRule, using: str) -> bool:
    """Whether `gathered_duplicates` knows this model, survivor rule and database."""
    is_by_key = isinstance(survivor, str) and survivor in _EXTREMES
    return is_by_key and are_numbered(key.model) and dialect_of(using) is not Database


def gathered_duplicates(
    key: MatchKey, rows: QuerySet[Any], survivor: SurvivorRule, limit: int | None
) -> FoundDuplicates:
    """The totals, and the largest groups: all of them if ``limit`` is None."""
    search = _Search(key=key, rows=rows, survivor=survivor)
    # not by a cursor on the server: PostgreSQL plans those to answer early, and sorts the table
    found = list(search.groups()[:limit])
    groups, members = found[0][:2] if found else (0, 0)
    return FoundDuplicates(
        key=key,
        groups=groups,
        rows=int(members),
        duplicate_groups=tuple(search.as_group(*group) for _, _, *group in found),
    )


@dataclass(frozen=True, kw_only=True)
class _Search:
    """The groups of a key among the rows that are considered, and how to read what comes back."""

    key: MatchKey
    rows: QuerySet[Any]
    survivor: SurvivorRule

    @cached_property
    def columns(self) -> list[str]:
        return key_columns(self.key)

    @cached_property
    def dialect(self) -> type[Database]:
        return dialect_of(self.rows.db)

    @cached_property
    def loose(self) -> list[str]:
        """The key columns whose texts may be equal to the database and yet differ."""
        model, is_loose = self.key.model, self.dialect.compares_loosely
        return [
            column
            for column, lookup in zip(self.columns, self.key.fields, strict=True)
            if ends_in_text(model, lookup)
            and (is_loose or getattr(key_field(model, lookup), "db_collation", None))
        ]

    def groups(self) -> QuerySet[Any]:
        """For each group: the number of groups, and of all their rows; its own keys and values."""
        (pk,), extreme = pk_names(self.key.model), _EXTREMES[self.survivor]
        texts = {f"{name}_text": extreme(text_after_key(F(pk), F(name))) for name in self.loose}
        groups: QuerySet[Any] = (
            repeated(self.key, self._narrowed())
            .annotate(
                dedupe_groups=Window(Count("*")),
                dedupe_members=Window(SumOverGroups(F("dedupe_rows"))),
                dedupe_survivor=extreme(pk),
                dedupe_pks=CollectedKeys(pk),
                **texts,
            )
            .order_by("-dedupe_rows", "dedupe_survivor")
        )
        totals = ("dedupe_groups", "dedupe_members")
        return groups.values_list(*totals, "dedupe_pks", *self.columns, *texts)

    def _narrowed(self) -> QuerySet[Any]:
        """The rows, and only those with duplicates where collecting would sort all the others."""
        # a row of values with a NULL among them is never found by IN
        if not self.dialect.collects_by_sorting or self.key.nulls is Nulls.EQUAL:
            return self.rows
        values = Rows(repeated(self.key, self.rows).values(*self.columns))
        return self.rows.filter(row_in(self.columns, values))

    def as_group(self, pks: Any, *values: Any) -> DuplicateGroup:
        """A group as it was found; one that is too large to be collected is read by itself."""
        width = len(self.columns)
        held = dict(zip(self.columns, values[:width], strict=True))
        if self.loose:
            held |= self._texts(held, values[width:])
        if pks is None:
            pks = self._members(held)
        survivor, *duplicates = sorted(pks, reverse=self.survivor == "newest")
        return DuplicateGroup(
            values=dict(zip(self.key.fields, held.values(), strict=True)),
            survivor=survivor,
            duplicates=tuple(duplicates),
        )

    def _texts(self, held: dict[str, Any], texts: Sequence[str]) -> dict[str, str]:
        """The survivor's own texts, where it has any."""
        return {
            column: without_key(text)
            for column, text in zip(self.loose, texts, strict=True)
            if held[column] is not None
        }

    def _members(self, held: dict[str, Any]) -> QuerySet[Any]:
        filled = {column: value for column, value in held.items() if value is not None}
        blank = {f"{column}__isnull": True for column in held if column not in filled}
        return self.rows.filter(**filled, **blank).values_list("pk", flat=True)
