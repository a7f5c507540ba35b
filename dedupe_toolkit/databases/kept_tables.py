"""Work tables that a run keeps from one batch to the next: emptied, and not made anew."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


@dataclass(frozen=True)
class Shape:
    """As what a work table is made: the types of its columns, its key, and what is indexed."""

    columns: Mapping[str, str]
    primary_key: Sequence[str]
    indexes: Sequence[str]


@dataclass
class _Kept:
    """A work table that is there: as what it was made, and whether it has its indexes."""

    shape: Shape
    is_indexed: bool = False


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

    def is_kept(self, name: str, shape: Shape) -> bool:
        """Whether there is a table of that name and shape to be emptied.

        If not, the table is about to be made.
        """
        if self._tables is None:
            return False
        kept = self._tables.get(name)
        if kept is not None and kept.shape == shape:
            return True
        self._tables[name] = _Kept(shape=shape)
        return False

    def is_bare(self, name: str) -> bool:
        """Whether a table that has been filled still needs its indexes; it has them from now on."""
        kept = (self._tables or {}).get(name)
        if kept is None:
            return True
        is_bare, kept.is_indexed = not kept.is_indexed, True
        return is_bare
