"""Rows side by side, for a person to compare: what differs, and what fills a blank. Only reads."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from ..field_rules.fillers import FILL, differ, fillers, is_blank, raw
from ..finding.survivor_rules import survivor_ordering
from ..mapping.groups import named_rows, refuse_missing
from ..registry import declared_policy
from ..values import MergePolicy, RowSet, rule_name
from .related_rows import read_related

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
    """One field across all rows; ``rule`` names a field rule other than filling blanks."""

    field: Field[Any, Any]
    rule: str = ""
    cells: tuple[Cell, ...]

    @cached_property
    def differs(self) -> bool:
        return any(cell.differs for cell in self.cells)


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
        return next(row for row in self.rows if row.pk == self.source.into)


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
    rows = tuple(named_rows(source, using).order_by(*ordering))
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
    return SideBySide(
        source=RowSet(model=source.model, pks=tuple(row.pk for row in rows), into=into),
        rows=rows,
        lines=tuple(
            _line(field, policy.field_rules.get(field.name, FILL), rows, order[0], filled[field])
            for field in fields
        ),
        fingerprint=_fingerprint(fields, rows),
    )


def _line(
    field: Field[Any, Any],
    rule: Any,
    rows: Sequence[Model],
    survivor: Model,
    filler: Model | None,
) -> Line:
    kept = raw(field, survivor)
    cells = [
        Cell(
            value=_related(field, row),
            is_blank=is_blank(field, raw(field, row)),
            differs=differ(raw(field, row), kept),
            fills=row is filler and differ(raw(field, row), kept),
        )
        for row in rows
    ]
    return Line(field=field, rule="" if rule == FILL else rule_name(rule), cells=tuple(cells))


def _related(field: Field[Any, Any], row: Model) -> Any:
    held = raw(field, row)
    if not field.is_relation or held is None:
        return held
    # the related row may be missing where the database does not check the key
    return getattr(row, field.name, held)


def _fingerprint(fields: Sequence[Field[Any, Any]], rows: Sequence[Model]) -> str:
    values = [[repr(row.pk), *(repr(raw(field, row)) for field in fields)] for row in rows]
    return sha256(repr(values).encode()).hexdigest()
