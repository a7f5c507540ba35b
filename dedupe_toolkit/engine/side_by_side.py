"""Rows side by side, for a person to compare: what differs, and what fills a blank. Only reads."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from ..keys import is_text
from ..registry import declared_policy
from ..values import MergePolicy, RowSet, rule_name
from .groups import named_rows, refuse_missing
from .survivors import survivor_ordering

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.db.models import Field, Model


FILL = "fill"
"""The field rule of every field that no other is named for."""


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

    @property
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

    @property
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
    rows = _rows(source, policy, using)
    into = rows[0].pk if source.into is None else source.into
    # the survivor is asked first, the others in their order: as the merge fills blanks
    order = sorted(rows, key=lambda row: row.pk != into)
    fields = [field for field in source.model._meta.concrete_fields if not field.primary_key]
    return SideBySide(
        source=RowSet(model=source.model, pks=tuple(row.pk for row in rows), into=into),
        rows=rows,
        lines=tuple(_line(field, policy.field_rules, rows, order) for field in fields),
        fingerprint=_fingerprint(fields, rows),
    )


def _rows(source: RowSet, policy: MergePolicy, using: str) -> tuple[Model, ...]:
    related = [f.name for f in source.model._meta.concrete_fields if f.is_relation]
    ordering = survivor_ordering(source.model, policy.survivor, using)
    rows = tuple(named_rows(source, using).order_by(*ordering).prefetch_related(*related))
    refuse_missing(source, (row.pk for row in rows))
    return rows


def _line(
    field: Field[Any, Any],
    rules: Mapping[str, Any],
    rows: Sequence[Model],
    order: Sequence[Model],
) -> Line:
    kept = _raw(field, order[0])
    rule = rules.get(field.name, FILL)
    filler = _filler(field, order) if rule == FILL else None
    cells = [
        Cell(
            value=_related(field, row),
            is_blank=_is_blank(field, _raw(field, row)),
            differs=_raw(field, row) != kept,
            fills=row is filler,
        )
        for row in rows
    ]
    return Line(field=field, rule="" if rule == FILL else rule_name(rule), cells=tuple(cells))


def _filler(field: Field[Any, Any], order: Sequence[Model]) -> Model | None:
    """The row whose value the survivor takes, if it has none of its own that can stay."""
    kept = _raw(field, order[0])
    points_inside = _points_inside(field, kept, order)
    if not _is_blank(field, kept) and not points_inside:
        return None
    # a survivor that would point at itself takes first what its target pointed at
    asked = sorted(order, key=lambda row: points_inside and row.pk != kept)
    return next((row for row in asked if _can_fill(field, row, order)), None)


def _can_fill(field: Field[Any, Any], row: Model, rows: Sequence[Model]) -> bool:
    value = _raw(field, row)
    return not _is_blank(field, value) and not _points_inside(field, value, rows)


def _points_inside(field: Field[Any, Any], value: Any, rows: Sequence[Model]) -> bool:
    """Whether the value is a reference to one of the rows themselves."""
    if field.related_model not in type(rows[0]).__mro__:
        return False
    target: Field[Any, Any] = field.target_field  # type: ignore[attr-defined]  # a foreign key's
    return value in [target.value_from_object(row) for row in rows]


def _raw(field: Field[Any, Any], row: Model) -> Any:
    value = field.value_from_object(row)
    return bytes(value) if isinstance(value, memoryview) else value


def _related(field: Field[Any, Any], row: Model) -> Any:
    raw = _raw(field, row)
    if not field.is_relation or raw is None:
        return raw
    # the related row may be missing where the database does not check the key
    return getattr(row, field.name, raw)


def _is_blank(field: Field[Any, Any], value: Any) -> bool:
    return value is None or (is_text(field) and value == "")


def _fingerprint(fields: Sequence[Field[Any, Any]], rows: Sequence[Model]) -> str:
    values = [[repr(row.pk), *(repr(_raw(field, row)) for field in fields)] for row in rows]
    return sha256(repr(values).encode()).hexdigest()
