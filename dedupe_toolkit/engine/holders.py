"""Holders: the tables that point at the merged rows, each with all that concerns it together.

Two references of one table can collide with each other, so the engine works table by table.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from django.apps import apps
from django.db.models import ManyToManyField

from ..graph.discover import column_references, references_to
from ..graph.meta import column_of
from ..graph.references import InheritedReference, LinkReference, Reference
from ..graph.unique import UniqueRule, unique_rules

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import Model

    from ..databases import Database
    from ..databases.tables import Table


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A table that points at the merged rows, by one reference or several.

    ``rules`` are its unique rules that repointing can break.
    """

    table: Table
    references: tuple[Reference, ...]
    rules: tuple[UniqueRule, ...]
    followers: tuple[Reference, ...]

    @property
    def is_link(self) -> bool:
        """Whether its rows say nothing but who is linked: an automatic many-to-many table."""
        return isinstance(self.references[0], LinkReference)

    @property
    def is_inherited(self) -> bool:
        """Whether its rows belong to the same objects as the merged rows."""
        return any(isinstance(reference, InheritedReference) for reference in self.references)

    @property
    def key(self) -> Reference | None:
        """The reference that is the table's own primary key, if there is one."""
        return next((reference for reference in self.references if reference.is_key), None)

    def in_rule(self, rule: UniqueRule) -> tuple[Reference, ...]:
        """The references whose columns all take part in a unique rule."""
        columns = set(rule.columns)
        return tuple(ref for ref in self.references if columns.issuperset(ref.columns))

    def touching(self, rule: UniqueRule) -> tuple[Reference, ...]:
        """The references with a column in a unique rule; those by several may have others, too."""
        columns = set(rule.columns)
        return tuple(ref for ref in self.references if not columns.isdisjoint(ref.columns))

    @property
    def link_pairs(self) -> list[tuple[Reference, Reference]]:
        """The two ends of a many-to-many relation of the merged model with itself."""
        ends = _self_link_columns(self.table.model)
        by_column = {reference.columns: reference for reference in self.references}
        return [
            (by_column[start], by_column[end])
            for start, end in ends
            if start in by_column and end in by_column
        ]


def holders_of(model: type[Model], database: Database) -> list[Holder]:
    """Every table that points at the rows of ``model``, in a fixed order."""
    references = sorted(
        column_references(references_to(model, database.using)),
        key=lambda ref: (ref.holder._meta.db_table, ref.label),
    )
    database.read_tables(reference.holder for reference in references)
    return [
        _holder(database, tuple(group))
        for _, group in groupby(references, key=lambda ref: ref.holder._meta.db_table)
    ]


def _holder(database: Database, references: tuple[Reference, ...]) -> Holder:
    model = references[0].holder
    touched = {column for reference in references for column in reference.columns}
    rules = [rule for rule in unique_rules(model, database) if touched.intersection(rule.columns)]
    return Holder(
        table=database.table(model),
        references=references,
        rules=tuple(rules),
        followers=column_references(references_to(model, database.using)),
    )


def _self_link_columns(through: type[Model]) -> Iterable[tuple[tuple[str, ...], tuple[str, ...]]]:
    for model in apps.get_models():
        for field in model._meta.local_many_to_many:
            # taggit's manager passes for such a field, but its table is no link of two rows
            is_link = isinstance(field, ManyToManyField)
            if is_link and field.remote_field.through is through:
                start, end = field.m2m_field_name(), field.m2m_reverse_field_name()
                ends = (through._meta.get_field(start), through._meta.get_field(end))
                yield (column_of(ends[0]),), (column_of(ends[1]),)
