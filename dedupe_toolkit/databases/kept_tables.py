"""Work tables that a run keeps from one batch to the next: emptied, and not made anew."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORN = 10
"""How many times its rows a table may have lost before it is made anew: what is deleted stays in
the way of scans until somebody vacuums, and nobody does that within a transaction."""


@dataclass
class _Kept:
    """A work table that is there: as what it was made, and what the planner was told of it."""

    shape: Any
    is_indexed: bool = False
    told: int | None = None
    """The rows that it had when the planner was told; None if that was in this batch."""
    is_known: bool = False
    lost: int = 0


@dataclass
class KeptTables:
    """The work tables of a run, by name; none while there is only one batch to make them for."""

    _tables: dict[str, _Kept] | None = field(default=None)

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Within, work tables are kept for whoever asks for the same again."""
        self._tables = {}
        try:
            yield
        finally:
            self._tables = None

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Around a transaction: one that is taken back may take its tables along, or not."""
        try:
            yield
        except BaseException:
            if self._tables is not None:
                self._tables = {}
            raise

    def is_kept(self, name: str, shape: Any) -> bool:
        """Whether there is a table of that name and shape to be emptied.

        If not, the table is about to be made.
        """
        if self._tables is None:
            return False
        kept = self._tables.get(name)
        if kept is not None and kept.shape == shape and not self._is_worn(kept):
            return True
        self._tables[name] = _Kept(shape=shape)
        return False

    @staticmethod
    def _is_worn(kept: _Kept) -> bool:
        return kept.lost > _WORN * max(kept.told or 0, 100)

    def emptied(self, name: str, rows: int) -> None:
        """The rows that the table had are gone."""
        kept = (self._tables or {})[name]
        kept.lost += rows
        if kept.told is None:
            kept.told = rows
        kept.is_known = kept.told / 2 <= rows <= kept.told * 2

    def settled(self, name: str) -> tuple[bool, bool]:
        """Whether a filled table still needs its indexes, and whether the planner must be told."""
        kept = (self._tables or {}).get(name)
        if kept is None:
            return True, True
        needs = not kept.is_indexed, not kept.is_known
        kept.is_indexed = True
        if not kept.is_known:
            kept.told = None
        return needs
