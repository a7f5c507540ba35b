"""Referrers: the tables that point at the merged rows, each with all that concerns it together.

Two references of one table can collide with each other, so the engine works table by table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING

from .discover import column_references, columns_pointed_at, present, references_to
from .links import ends_of
from .rule_sql import TableRule, table_rule
from .unique import unique_rules

if TYPE_CHECKING:
    from django.db.models import Model

    from ..databases import Database
    from ..databases.tables import Table
    from .kinds import Reference


@dataclass(frozen=True, kw_only=True)
class Referrer:
    """A table that points at the merged rows, by one reference or several.

    ``rules`` are its unique rules that repointing can break.
    """

    table: Table
    references: tuple[Reference, ...]
    rules: tuple[TableRule, ...]
    database: Database = field(compare=False, repr=False)

    @cached_property
    def followers(self) -> tuple[Reference, ...]:
        """The references to its own rows; found when they are asked for, which is rarely."""
        found = references_to(self.table.model, self.database.using)
        return present(column_references(found), self.database)

    @property
    def is_link(self) -> bool:
        """Whether its rows say nothing but who is linked: an automatic many-to-many table."""
        return self.references[0].is_link

    @property
    def is_inherited(self) -> bool:
        """Whether its rows belong to the same objects as the merged rows."""
        return any(reference.is_part for reference in self.references)

    def moves_by(self, reference: Reference) -> bool:
        """Whether repointing a reference changes columns of these rows that others point at."""
        if columns_pointed_at(self.table.model).isdisjoint(reference.columns):
            return False
        return any(
            not set(follower.targets).isdisjoint(reference.columns) for follower in self.followers
        )

    @property
    def moves(self) -> bool:
        """Whether repointing any of the references does that."""
        return any(self.moves_by(reference) for reference in self.references)

    def in_rule(self, rule: TableRule) -> tuple[Reference, ...]:
        """The references whose columns are all compared by a unique rule, as they are."""
        columns = set(rule.columns)
        return tuple(ref for ref in self.references if columns.issuperset(ref.columns))

    def touching(self, rule: TableRule) -> tuple[Reference, ...]:
        """The references with a column in a unique rule; those by several may have others, too."""
        return tuple(ref for ref in self.references if not rule.decisive.isdisjoint(ref.columns))

    def feeding(self, rule: TableRule) -> tuple[Reference, ...]:
        """The references that its expressions, condition or generated columns depend on."""
        return tuple(ref for ref in self.references if not rule.reads.isdisjoint(ref.columns))

    @property
    def link_pairs(self) -> list[tuple[Reference, Reference]]:
        """The two ends of a many-to-many relation of the merged model with itself."""
        by_column = {reference.columns: reference for reference in self.references}
        return [
            (by_column[start,], by_column[end,])
            for start, end in ends_of(self.table.model)
            if (start,) in by_column and (end,) in by_column
        ]


def referrers_of(model: type[Model], database: Database) -> list[Referrer]:
    """Every table that points at the rows of ``model``, in a fixed order."""
    references = sorted(
        present(column_references(references_to(model, database.using)), database),
        key=lambda ref: (ref.referrer._meta.db_table, ref.label),
    )
    referrers = [reference.referrer for reference in references]
    database.read_rules(referrers)
    database.read_demands([model, *referrers])
    return [
        _holder(database, tuple(group))
        for _, group in groupby(references, key=lambda ref: ref.referrer._meta.db_table)
    ]


def _holder(database: Database, references: tuple[Reference, ...]) -> Referrer:
    model = references[0].referrer
    touched = {column for reference in references for column in reference.columns}
    rules = (table_rule(model, database, rule) for rule in unique_rules(model, database))
    return Referrer(
        table=database.table(model),
        references=references,
        rules=tuple(rule for rule in rules if not touched.isdisjoint(rule.decisive)),
        database=database,
    )
