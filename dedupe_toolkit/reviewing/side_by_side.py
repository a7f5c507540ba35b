"""Rows side by side, for a person to compare: what differs, and what fills a blank. Only reads."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from ..field_rules.fillers import FILL, differ, exact_text, fillers, is_blank, raw, raw_values
from ..finding.survivor_rules import survivor_ordering
from ..mapping.groups import named_rows, refuse_missing
from ..registry import declared_policy
from ..values import MergePolicy, RowSet, rule_name
from .related_rows import read_related, row_or_held
from .unreadable import read_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import Field, Model


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One row's value of one field, seen from the survivor.

    ``value`` is the related row where the field is a foreign key and that row is there.
    ``differs`` says that the survivor has another value; ``fills`` that the survivor has none
    and takes this one.
    """

    value: Any
    is_blank: bool
    differs: bool
    fills: bool


@dataclass(frozen=True, kw_only=True)
class Line:
    """One field across all rows, in their order; ``rule`` names one other than filling blanks.

    A cell is made when it is asked for: of thousands of rows a page shows a few.
    ``filler`` is the place of the row whose value fills the survivor's blank.
    """

    field: Field[Any, Any]
    rule: str = ""
    rows: tuple[Model, ...]
    values: tuple[Any, ...]
    kept: Any
    filler: int | None

    @cached_property
    def differs(self) -> bool:
        return any(differ(value, self.kept) for value in self.values)

    def cell(self, place: int) -> Cell:
        """The cell of the row in this place."""
        value = self.values[place]
        differs = differ(value, self.kept)
        return Cell(
            value=row_or_held(self.field, self.rows[place], value),
            is_blank=is_blank(self.field, value),
            differs=differs,
            fills=place == self.filler and differs,
        )


@dataclass(frozen=True, kw_only=True)
class SideBySide:
    """Rows of one model in survivor order, and their fields, line by line.

    ``fingerprint`` is another one as soon as any value of any row is another one.
    """

    source: RowSet
    rows: tuple[Model, ...]
    lines: tuple[Line, ...]
    fingerprint: str

    @cached_property
    def survivor(self) -> Model:
        return self.rows[self.order[0]]

    @cached_property
    def order(self) -> tuple[int, ...]:
        """The places of the rows as the merge asks them: the survivor first."""
        into = self.source.into
        return tuple(sorted(range(len(self.rows)), key=lambda place: self.rows[place].pk != into))


def side_by_side(
    source: RowSet, *, using: str = "default", policy: MergePolicy | None = None
) -> SideBySide:
    """The rows of ``source`` and where they differ; its ``into`` names the survivor.

    Without ``into`` the survivor rule of the policy decides, and the ``source`` of the result
    says for whom. Without a ``policy`` the declared one of the model is used.
    One statement, and one for each foreign key of the model, whatever the number of rows.

    Raises `InvalidOption` naming the rows that are not there.
    """
    policy = policy or declared_policy(source.model)
    return compared(source, rows_in_order(source, policy, using), policy)


def rows_in_order(source: RowSet, policy: MergePolicy, using: str) -> tuple[Model, ...]:
    """The rows named, in survivor order, with the rows that they point at.

    Raises `InvalidOption` naming the rows that are not there.
    """
    ordering = survivor_ordering(source.model, policy.survivor, using)
    rows = tuple(read_rows(named_rows(source, using).order_by(*ordering)))
    read_related(rows)
    refuse_missing(source, (row.pk for row in rows), using)
    return rows


def compared(source: RowSet, rows: tuple[Model, ...], policy: MergePolicy) -> SideBySide:
    """The rows of ``source``, which stand in survivor order, compared under a policy."""
    into = rows[0].pk if source.into is None else source.into
    # the survivor is asked first, the others in their order: as the merge fills blanks
    order = sorted(rows, key=lambda row: row.pk != into)
    fields = [field for field in source.model._meta.concrete_fields if not field.primary_key]
    filled = fillers(fields, policy.field_rules, order)
    places = {id(row): place for place, row in enumerate(rows)}
    lines = tuple(
        Line(
            field=field,
            rule=_named(policy.field_rules.get(field.name, FILL)),
            rows=rows,
            values=tuple(raw_values(field, rows)),
            kept=raw(field, order[0]),
            filler=places.get(id(filled[field])),
        )
        for field in fields
    )
    return SideBySide(
        source=RowSet(model=source.model, pks=tuple(row.pk for row in rows), into=into),
        rows=rows,
        lines=lines,
        fingerprint=_fingerprint(rows, lines),
    )


def _named(rule: Any) -> str:
    return "" if rule == FILL else rule_name(rule)


def _fingerprint(rows: Sequence[Model], lines: Sequence[Line]) -> str:
    told = sha256()
    for row, *values in zip(rows, *(line.values for line in lines), strict=True):
        told.update(exact_text([row.pk, *values]).encode())
    return told.hexdigest()
