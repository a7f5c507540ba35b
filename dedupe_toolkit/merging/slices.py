"""The groups of a run that are still to be merged: slices of their numbers, busy ones last."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from time import sleep
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..databases.retry import RowsLocked

Slice = tuple[int, int]

_TRIES = 3
"""How often a group alone is tried whose rows others hold."""
_IN_VAIN = 50
"""How many slices in a row find their rows held before the run ends: the whole table is, then."""
_PAUSE = 0.1


@dataclass(kw_only=True)
class Slices:
    """Slices of groups, from the first to the last, and then those that were put off.

    ``in_order`` is for groups of which some must be merged before others.
    """

    last: int
    in_order: bool = False
    _next: int = 1
    _late: deque[Slice] = field(default_factory=deque)
    _tries: Counter[Slice] = field(default_factory=Counter)
    _in_vain: int = 0

    def take(self, size: int) -> Slice | None:
        """The next slice, of so many groups if it is a new one; None if none is left."""
        if self._late and (self.in_order or self._next > self.last):
            sleep(_PAUSE)
            return self._late.popleft()
        if self._next > self.last:
            return None
        first, self._next = self._next, min(self._next + size, self.last + 1)
        return first, self._next - 1

    def add(self, first: int, last: int) -> None:
        """More groups, once no others are left."""
        self._next, self.last = first, last

    @property
    def are_left(self) -> bool:
        """Whether there will be another."""
        return bool(self._late) or self._next <= self.last

    def succeeded(self) -> None:
        """Groups have been merged, so not everything is held by others."""
        self._in_vain = 0

    def put_off(self, first: int, last: int, error: RowsLocked) -> bool:
        """Whether a slice whose rows others hold will come again: at the end, then in halves.

        Raises what the database said when nothing but that has come for long.
        """
        self._in_vain += 1
        if self._in_vain >= _IN_VAIN and error.__cause__:
            raise error.__cause__
        self._tries[first, last] += 1
        tries = self._tries[first, last]
        if first == last and tries >= _TRIES:
            return False
        self._come_again(first, last, halved=first < last and tries > 1)
        return True

    def _come_again(self, first: int, last: int, *, halved: bool) -> None:
        middle = (first + last) // 2
        parts = [(first, middle), (middle + 1, last)] if halved else [(first, last)]
        if halved:
            self._tries.update(parts)
        if self.in_order:
            self._late.extendleft(reversed(parts))
        else:
            self._late.extend(parts)
