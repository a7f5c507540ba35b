"""What a field of the survivor will hold: as the merge's rules have it, told from the rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any

from ..field_rules.fillers import FILL, raw
from ..field_rules.rules import separator
from ..keys import is_text
from ..references.together import together_with
from ..values import Taken

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import Field, Model

    from ..reviewing.side_by_side import Cell, Line, SideBySide
    from ..values import MergePolicy


@dataclass(frozen=True, kw_only=True)
class Result:
    """The value that stays, and the row that it comes from, if it comes from one.

    Not ``is_known`` is what only the database can tell: how it sorts texts.
    """

    value: Any = None
    row: Model | None = None
    is_known: bool = True


def result_of(comparison: SideBySide, line: Line, policy: MergePolicy) -> Result:
    """What the survivor will hold in the field of this line."""
    rows = list(comparison.rows)
    order = sorted(rows, key=lambda row: row.pk != comparison.source.into)
    rule = policy.field_rules.get(line.field.name, _followed(line.field, policy))
    if isinstance(rule, Taken):
        return _of(comparison, line, order[rule.place])
    if callable(rule):
        return Result(value=rule([raw(line.field, row) for row in order]))
    if rule in {FILL, "survivor"}:
        filler = next((row for row, c in zip(rows, line.cells, strict=True) if c.fills), order[0])
        return _of(comparison, line, filler if rule == FILL else order[0])
    filled = [row for row in order if not _cell(comparison, line, row).is_blank]
    if not filled:
        return _of(comparison, line, order[0])
    if rule in {"oldest", "newest"}:
        by_key = sorted(filled, key=lambda row: row.pk, reverse=rule == "newest")
        return _of(comparison, line, by_key[0])
    return _computed(line.field, str(rule), [raw(line.field, row) for row in filled])


def _computed(field: Field[Any, Any], rule: str, values: list[Any]) -> Result:
    if rule == "concat":
        return Result(value=separator(field).join(dict.fromkeys(values)))
    if rule == "sum":
        return Result(value=reduce(add, values))
    if rule == "longest":
        return Result(value=max(values, key=len))
    if is_text(field) or field.is_relation:
        return Result(is_known=len(set(values)) == 1, value=values[0])
    return Result(value=max(values) if rule in {"max", "any"} else min(values))


def _followed(field: Field[Any, Any], policy: MergePolicy) -> Any:
    """The choice of a row for another field, with which this one belongs together."""
    for one in together_with(field):
        chosen = [policy.field_rules.get(each.name) for each in one.fields]
        return next((rule for rule in chosen if isinstance(rule, Taken)), FILL)
    return FILL


def _of(comparison: SideBySide, line: Line, row: Model) -> Result:
    return Result(value=_cell(comparison, line, row).value, row=row)


def _cell(comparison: SideBySide, line: Line, row: Model) -> Cell:
    cells: Sequence[Cell] = line.cells
    return next(cell for each, cell in zip(comparison.rows, cells, strict=True) if each is row)
