"""Which rows are duplicates, which survives, and which values it gets: in plain Python."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .schema import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Callable

    from .tables import Row, Rows, Schema, Table


@dataclass(frozen=True)
class Declared:
    """What is declared of a table that a merge reaches below the top; None where nothing is."""

    rules: dict[str, str] = field(default_factory=dict)
    survivor: str | None = None
    on_collision: str | None = None
    on_conflict: str | None = None


@dataclass(frozen=True)
class Choices:
    """What a person chooses for a merge, as the public API takes it."""

    table: str
    key: tuple[str, ...]
    nulls: str = "distinct"
    blanks: str = "equal"
    where: dict[str, Any] = field(default_factory=dict)
    """What the rows hold that are looked at."""
    survivor: str = "oldest"
    rules: dict[str, str] = field(default_factory=dict)
    on_collision: str = "hold"
    kept: tuple[str, ...] = ()
    """References that may end in the same row as another of theirs: ``duel.left_id``."""
    on_conflict: str = "survivor"
    limit: int | None = None
    batch_size: int = 0
    declared: dict[str, Declared] = field(default_factory=dict)
    schema: Schema = SCHEMA

    def below(self, table: str) -> Declared:
        """What holds for a table below the top: what it declares, else what the merge says."""
        own = self.declared.get(table, Declared())
        return Declared(
            rules=own.rules,
            survivor=own.survivor,
            on_collision=own.on_collision or self.on_collision,
            on_conflict=own.on_conflict or self.on_conflict,
        )


def kept_ties(choices: Choices) -> list[str]:
    """The same under the names that the public API knows them by."""
    names = [name.removesuffix("_id").partition(".") for name in choices.kept]
    return [f"{choices.schema.app}.{table.capitalize()}.{column}" for table, _, column in names]


TRANSFORMS: dict[str, Callable[[str], str]] = {
    "lower": str.lower,
    "upper": str.upper,
    "trim": lambda text: text.strip(" "),
    "collapse": lambda text: " ".join(text.split()),
}

Group = tuple[int, ...]
"""The primary keys of one duplicate group in survivor order: the survivor is the first."""


def duplicate_groups(rows: Rows, choices: Choices) -> list[Group]:
    """The duplicate groups, by the primary key of their survivor, as far as the limit goes."""
    table = choices.schema.by_name[choices.table]
    lineage = [choices.schema.by_name[name] for name in choices.schema.lineage(choices.table)]
    alike: dict[tuple[Any, ...], list[int]] = {}
    whole = {pk: whole_row(rows, choices, pk) for pk in rows[choices.table]}
    for pk, row in whole.items():
        value = tuple(_looked_up(lineage, row, lookup) for lookup in choices.key)
        is_out = choices.nulls != "equal" and None in value
        is_out |= choices.blanks != "equal" and "" in value
        if not is_out and all(row[column] == held for column, held in choices.where.items()):
            alike.setdefault(value, []).append(pk)
    groups = [in_survivor_order(table, whole, pks, choices.survivor) for pks in alike.values()]
    return sorted(group for group in groups if len(group) > 1)[: choices.limit]


def whole_row(rows: Rows, choices: Choices, pk: int) -> Row:
    """A row of what is merged together with what it inherits."""
    whole: Row = {}
    for name in choices.schema.lineage(choices.table):
        whole = {**rows[name][pk], **whole}
    return whole


def _looked_up(lineage: list[Table], row: Row, lookup: str) -> Any:
    column, *transforms = lookup.split("__")
    owners = [table for table in lineage if column in table.values]
    if not owners:
        return row[f"{column}_id"]
    value = row[column]
    for transform in transforms if value is not None else ():
        value = TRANSFORMS[transform](value)
    return owners[0].folded(column, value)


def in_survivor_order(table: Table, rows: dict[int, Row], pks: list[int], rule: str) -> Group:
    """Rows that the default manager shows come before those that it hides."""
    return tuple(sorted(_by_rule(rows, pks, rule), key=lambda pk: table.is_hidden(rows[pk])))


def _by_rule(rows: dict[int, Row], pks: list[int], rule: str) -> list[int]:
    if rule in ("newest", "oldest"):
        return sorted(pks, reverse=rule == "newest")
    column, sign = rule.lstrip("-"), -1 if rule.startswith("-") else 1

    def place(pk: int) -> tuple[bool, int, int]:
        value = rows[pk][column]
        return value is None, sign * (value or 0), pk  # rows without a value come last

    return sorted(pks, key=place)


def is_blank(value: Any) -> bool:
    return value is None or value == ""


Held = list[tuple[int, Any]]
"""What the rows of a group hold in one column, with their primary keys, in survivor order."""


def _first_filled(held: Held) -> Any:
    return next((value for _, value in held if not is_blank(value)), held[0][1])


def in_order_of(rule: str, held: Held) -> Held:
    """Rows that have a value, in the order in which a rule picks one of them."""
    if rule in ("newest", "oldest"):
        return sorted(held, key=_pk, reverse=rule == "newest")
    if rule == "longest":
        return sorted(held, key=lambda item: -len(item[1]))
    # sorted() keeps the order of what is equal, whichever way round
    return sorted(held, key=lambda item: item[1], reverse=rule in ("max", "any"))


def _longest(held: Held) -> Any:
    return _first_filled(sorted(held, key=lambda item: -len(item[1] or "")))


def joined(held: Held, between: str = "; ") -> Any:
    texts = dict.fromkeys(value for _, value in held if not is_blank(value))
    return between.join(texts) or held[0][1]


def _over(function: Callable[[list[Any]], Any]) -> Callable[[Held], Any]:
    def settle(held: Held) -> Any:
        values = [value for _, value in held if not is_blank(value)]
        return function(values) if values else held[0][1]

    return settle


def _total(values: list[Any]) -> Any:
    return sum(values[1:], start=values[0])


FIELD_RULES: dict[str, Callable[[Held], Any]] = {
    "survivor": lambda held: held[0][1],
    "fill": _first_filled,
    "newest": lambda held: _filled_or_own(held, sorted(held, reverse=True, key=_pk)),
    "oldest": lambda held: _filled_or_own(held, sorted(held, key=_pk)),
    "min": _over(min),
    "max": _over(max),
    "sum": _over(_total),
    "longest": _longest,
    "concat": joined,
    "any": _over(any),
    "all": _over(all),
}


def _pk(item: tuple[int, Any]) -> int:
    return item[0]


def _filled_or_own(held: Held, ordered: Held) -> Any:
    found = _first_filled(ordered)
    return held[0][1] if is_blank(found) else found
