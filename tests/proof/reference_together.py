"""Values that belong together, in plain Python: all are taken from one row, or none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .reference_values import in_order_of, is_blank

if TYPE_CHECKING:
    from .tables import Row, Table


@dataclass(frozen=True)
class Taken:
    """One set of columns of rows that become one; the first of ``rows`` is the winner's."""

    table: Table
    columns: tuple[str, ...]
    rows: dict[int, Row]
    rule: tuple[str, str] | None
    """The column that a field rule names, and the rule."""

    def values(self) -> Row:
        """What the winner gets in these columns, but for what a rule makes of several values."""
        if self.rule is None or self.rule[1] == "fill":
            return self._of(
                next((row for row in self._rows[1:] if self._completes(row)), self._own)
            )
        column, rule = self.rule
        if rule == "survivor" or not self._having:
            return self._of(self._own)
        if self._makes_one:
            first = next(iter(self._having.values()))
            return {name: value for name, value in self._of(first).items() if name != column}
        held = [(pk, row[column]) for pk, row in self._having.items()]
        pk, _ = in_order_of(rule, held)[0]
        return self._of(self.rows[pk])

    def is_unlike(self) -> bool:
        """Whether a rule would make one value of what is not of one kind."""
        partners = {
            tuple(row[name] for name in self.columns if name != self.rule[0])
            for row in self._having.values()
            if self.rule
        }
        return self._makes_one and len(partners) > 1

    @property
    def _rows(self) -> list[Row]:
        return list(self.rows.values())

    @property
    def _own(self) -> Row:
        return self._rows[0]

    @property
    def _having(self) -> dict[int, Row]:
        """The rows with a value where the rule wants one."""
        column, _ = self.rule or ("", "")
        return {pk: row for pk, row in self.rows.items() if column and not is_blank(row[column])}

    @property
    def _makes_one(self) -> bool:
        column, rule = self.rule or ("", "")
        is_compared = rule in ("min", "max") and self.table.kinds[column].is_amount
        return rule in ("sum", "concat") or is_compared

    def _of(self, row: Row) -> Row:
        """The values of a row, but for those that nothing but a rule changes."""
        kept = self.table.shown if self.rule is None else ()
        return {name: (self._own if name in kept else row)[name] for name in self.columns}

    def _completes(self, row: Row) -> bool:
        """Whether a row has what the winner lacks, and the same where it lacks nothing."""
        own, is_asked = self._own, self.rule is not None
        asking = [c for c in self.columns if is_asked or not self.table.is_silent(c)]
        gains = any(is_blank(own[name]) and not is_blank(row[name]) for name in asking)
        return gains and all(self._agrees(name, own[name], row[name]) for name in self.columns)

    def _agrees(self, name: str, own: Any, its: Any) -> bool:
        is_kept = self.rule is None and name in self.table.shown
        return own == its or (self._says_nothing(name, own) and not is_kept)

    def _says_nothing(self, name: str, own: Any) -> bool:
        """Blanks and defaults; and the currency of no amount."""
        kind = self.table.kinds.get(name)
        of_nothing = [a for a, currency in self.table.measures if currency == name]
        is_idle = any(is_blank(self._own[amount]) for amount in of_nothing)
        is_default = kind is not None and kind.default is not None and own == kind.default
        return is_blank(own) or is_idle or is_default
