"""What a database demands of each row of a table, and computes in it: SQL of its catalogue.

In all of it columns are named without their table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class LiveCheck:
    """A condition that no row may fail, be it of the table or of a column's type.

    Rows written before a check that is not ``is_valid`` may fail it.
    """

    name: str
    sql: str
    is_valid: bool = True


@dataclass(frozen=True, kw_only=True)
class LiveExclusion:
    """No two rows that meet the condition may relate by every operator in every part."""

    name: str
    parts: tuple[tuple[str, str], ...]
    condition: str


@dataclass(frozen=True, kw_only=True)
class Demands:
    """All that one table has of these, its generated columns in their order."""

    checks: tuple[LiveCheck, ...] = ()
    exclusions: tuple[LiveExclusion, ...] = ()
    generated: Mapping[str, str] = field(default_factory=dict)


Demand = LiveCheck | LiveExclusion | tuple[str, str]
"""One of them; a generated column by its name and SQL."""


def gathered(demands: list[Demand]) -> Demands:
    """What belongs to one table, together."""
    return Demands(
        checks=tuple(one for one in demands if isinstance(one, LiveCheck)),
        exclusions=tuple(one for one in demands if isinstance(one, LiveExclusion)),
        generated=dict(one for one in demands if isinstance(one, tuple)),
    )
