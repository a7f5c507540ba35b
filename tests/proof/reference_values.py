"""Which rows are duplicates, which survives, and which values it gets: in plain Python."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .schema import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Callable

    from .schema import Row, Rows


@dataclass(frozen=True)
class Choices:
    """What a person chooses for a merge, as the public API takes it."""

    table: str
    key: tuple[str, ...]
    nulls: str = "distinct"
    survivor: str = "oldest"
    rules: dict[str, str] = field(default_factory=dict)
    on_collision: str = "hold"
    on_conflict: str = "survivor"
    limit: int | None = None
    batch_size: int = 0


Group = tuple[int, ...]
"""The primary keys of one duplicate group in survivor order: the survivor is the first."""


def duplicate_groups(rows: Rows, choices: Choices) -> list[Group]:
    """The duplicate groups, by the primary key of their survivor, as far as the limit goes."""
    alike: dict[tuple[Any, ...], list[int]] = {}
    whole = {pk: whole_row(rows, choices.table, pk) for pk in rows[choices.table]}
    for pk, row in whole.items():
        value = tuple(_looked_up(row, lookup) for lookup in choices.key)
        if choices.nulls == "equal" or None not in value:
            alike.setdefault(value, []).append(pk)
    groups = [_in_survivor_order(whole, pks, choices.survivor) for pks in alike.values()]
    return sorted(group for group in groups if len(group) > 1)[: choices.limit]


def whole_row(rows: Rows, table: str, pk: int) -> Row:
    """A row together with what it inherits."""
    parent = BY_NAME[table].parent
    return {**(rows[parent][pk] if parent else {}), **rows[table][pk]}


def _looked_up(row: Row, lookup: str) -> Any:
    column, _, transform = lookup.partition("__")
    value = row[column]
    return value.lower() if transform and value is not None else value


def _in_survivor_order(rows: dict[int, Row], pks: list[int], rule: str) -> Group:
    if rule == "newest":
        return tuple(sorted(pks, reverse=True))
    if rule == "oldest":
        return tuple(sorted(pks))
    column, sign = rule.lstrip("-"), -1 if rule.startswith("-") else 1
    return tuple(sorted(pks, key=lambda pk: (sign * rows[pk][column], pk)))


def is_blank(value: Any) -> bool:
    return value is None or value == ""


Held = list[tuple[int, Any]]
"""What the rows of a group hold in one column, with their primary keys, in survivor order."""


def _first_filled(held: Held) -> Any:
    return next((value for _, value in held if not is_blank(value)), held[0][1])


def _longest(held: Held) -> Any:
    return _first_filled(sorted(held, key=lambda item: -len(item[1] or "")))


def _joined(held: Held) -> Any:
    texts = dict.fromkeys(value for _, value in held if not is_blank(value))
    return "; ".join(texts) or held[0][1]


def _over(function: Callable[[list[Any]], Any]) -> Callable[[Held], Any]:
    def settle(held: Held) -> Any:
        values = [value for _, value in held if not is_blank(value)]
        return function(values) if values else held[0][1]

    return settle


FIELD_RULES: dict[str, Callable[[Held], Any]] = {
    "survivor": lambda held: held[0][1],
    "fill": _first_filled,
    "newest": lambda held: _filled_or_own(held, sorted(held, reverse=True, key=_pk)),
    "oldest": lambda held: _filled_or_own(held, sorted(held, key=_pk)),
    "min": _over(min),
    "max": _over(max),
    "sum": _over(sum),
    "longest": _longest,
    "concat": _joined,
    "any": _over(any),
    "all": _over(all),
}


def _pk(item: tuple[int, Any]) -> int:
    return item[0]


def _filled_or_own(held: Held, ordered: Held) -> Any:
    found = _first_filled(ordered)
    return held[0][1] if is_blank(found) else found
