"""Rows of a table that a work table names: what is updated, deleted, locked or journaled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class NamedRows:
    """The rows of a table (alias ``t``) that the work table ``source`` (alias ``m``) names.

    ``on`` maps columns of the table to those of the work table. ``where`` is SQL that speaks of
    ``t`` only, ``where_source`` of ``m`` only; empty where all rows count.
    """

    source: str
    on: Mapping[str, str]
    where: str = ""
    where_source: str = ""

    def only(self, where_source: str) -> NamedRows:
        """Those that the work table names where this is true."""
        return replace(self, where_source=where_source)

    def but_for(self, conditions: Sequence[str]) -> NamedRows:
        """Those rows of the table for which none of these is true."""
        others = [f"NOT ({condition})" for condition in conditions]
        return replace(self, where=" AND ".join(filter(None, [self.where, *others])))

    @property
    def conditions(self) -> list[str]:
        return [condition for condition in (self.where_source, self.where) if condition]
