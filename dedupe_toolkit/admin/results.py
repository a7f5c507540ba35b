"""What a field of the survivor will hold: as the merge's rules have it, told from the rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any

from ..field_rules.fillers import FILL, is_blank
from ..field_rules.rules import separator
from ..keys import is_text
from ..references.together import together_with
from ..values import Taken

if TYPE_CHECKING:
    from django.db.models import Field

    from ..reviewing.side_by_side import Line, SideBySide
    from ..values import MergePolicy


@dataclass(frozen=True, kw_only=True)
class Result:
    """The value that stays, and the place of the row that it comes from, if it comes from one.

    Not ``is_known`` is what only the database can tell: how it sorts texts.
    """

    value: Any = None
    place: int | None = None
    is_known: bool = True


def result_of(comparison: SideBySide, line: Line, policy: MergePolicy) -> Result:
    """What the survivor will hold in the field of this line."""
    order = comparison.order
    rule = policy.field_rules.get(line.field.name, _followed(line.field, policy))
    if isinstance(rule, Taken):
        return _of(line, order[rule.place])
    if callable(rule):
        return _computed(line.field, rule, [line.values[place] for place in order])
    if rule == FILL and line.filler is not None and line.cell(line.filler).fills:
        return _of(line, line.filler)
    if rule in {FILL, "survivor"}:
        return _of(line, order[0])
    filled = [place for place in order if not is_blank(line.field, line.values[place])]
    if not filled:
        return _of(line, order[0])
    if rule in {"oldest", "newest"}:
        by_key = sorted(filled, key=lambda place: line.rows[place].pk, reverse=rule == "newest")
        return _of(line, by_key[0])
    return _computed(line.field, rule, [line.values[place] for place in filled])


def _computed(field: Field[Any, Any], rule: Any, values: list[Any]) -> Result:
    try:
        return _of_rule(field, rule, values)
    except Exception:  # a project's own values raise what they like: the merge computes it
        return Result(is_known=False)


def _of_rule(field: Field[Any, Any], rule: Any, values: list[Any]) -> Result:
    if callable(rule):
        return Result(value=rule(values))
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


def _of(line: Line, place: int) -> Result:
    return Result(value=line.values[place], place=place)
