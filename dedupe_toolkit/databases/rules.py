"""A unique rule as a database has it: what its catalogue says, whoever made the rule."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


@dataclass(frozen=True, kw_only=True)
class LiveRule:
    """Values that no two rows of a table may share, as the catalogue has it.

    The values are those of ``columns``, the first characters of the columns in ``prefixes``, and
    ``expressions``, among the rows that meet ``condition``. Expressions and condition are SQL as
    the database itself writes it, in which columns are named without their table.

    ``is_valid`` says whether all rows keep the rule: an index whose concurrent build failed does
    not show that. ``is_checked`` says whether what is written is compared with it; the database
    does that for most invalid indexes, too.
    """

    table: str
    name: str
    columns: tuple[str, ...] = ()
    prefixes: tuple[tuple[str, int], ...] = ()
    expressions: tuple[str, ...] = ()
    condition: str = ""
    nulls_distinct: bool = True
    is_primary_key: bool = False
    is_valid: bool = True
    is_checked: bool = True
    is_deferrable: bool = False

    def spelled(self, names: Callable[[str], str]) -> LiveRule:
        """The rule, its columns called by other names."""
        return replace(
            self,
            columns=tuple(map(names, self.columns)),
            prefixes=tuple((names(column), length) for column, length in self.prefixes),
        )

    @property
    def is_plain(self) -> bool:
        """Whether it compares whole columns of all rows."""
        return not (self.prefixes or self.expressions or self.condition)

    @property
    def is_total(self) -> bool:
        """Whether it compares columns of all rows, be it only how they begin."""
        return not (self.expressions or self.condition)

    @property
    def compared(self) -> frozenset[str]:
        """The columns whose values, or their beginnings, it compares."""
        return frozenset([*self.columns, *(column for column, _ in self.prefixes)])


@dataclass(frozen=True, kw_only=True)
class RulePart:
    """One of the values that a rule compares: a column, the beginning of one, or an expression."""

    rule: LiveRule
    column: str = ""
    length: int | None = None
    expression: str = ""


def assembled(parts: Iterable[RulePart]) -> list[LiveRule]:
    """The rules that these parts, in the order of their rules, belong to."""
    return [_whole(rule, list(some)) for rule, some in groupby(parts, key=lambda part: part.rule)]


def _whole(rule: LiveRule, parts: list[RulePart]) -> LiveRule:
    named = [part for part in parts if not part.expression]
    return replace(
        rule,
        columns=tuple(part.column for part in named if part.length is None),
        prefixes=tuple((part.column, part.length) for part in named if part.length is not None),
        expressions=tuple(part.expression for part in parts if part.expression),
    )
