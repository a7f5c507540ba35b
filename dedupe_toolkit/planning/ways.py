"""How a level of a merge has been reached: by which mappings, as which part of an object."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..references.discover import inheritance_root
from .reasons.two_ends import KnownEnds

if TYPE_CHECKING:
    from django.db.models import Model

    from ..mapping.mapping import MergeMap
    from ..repointing.followers import Moving
    from ..repointing.meeting import Meeting


@dataclass(frozen=True, kw_only=True)
class Family:
    """What merges the parts of the objects of one level: each table's parts merge once.

    ``roots`` has the mapping of each table that names the parts in others, and ``merged`` that of
    each whose parts have been reached.
    """

    roots: dict[type[Model], MergeMap] = field(default_factory=dict)
    merged: dict[str, MergeMap] = field(default_factory=dict)

    def reach(self, mapping: MergeMap) -> None:
        self.merged.setdefault(mapping.table.name, mapping)
        if inheritance_root(mapping.table.model) is mapping.table.model:
            self.roots.setdefault(mapping.table.model, mapping)


@dataclass(frozen=True, kw_only=True)
class Way:
    """How a level has been reached: by which mappings, as which part of an object.

    ``came_by`` are the columns of the links to parents that merge already, ``moving`` says how
    its rows will move because of the levels above, and ``met`` how their objects have come to
    collide. ``ends`` is one for all levels.
    """

    path: tuple[MergeMap, ...]
    family: Family = field(default_factory=Family)
    came_by: frozenset[str] = frozenset()
    moving: Moving = field(default_factory=dict)
    meeting: Meeting | None = None
    met: Met | None = None
    ends: KnownEnds = field(default_factory=KnownEnds)

    def beside(self, side: MergeMap) -> Way:
        """The way to another parent of the rows that merge."""
        return Way(path=(*self.path, side), family=self.family, ends=self.ends)


@dataclass(frozen=True, kw_only=True)
class Met:
    """The rivals whose objects merge, as a level above has found them, and how those move."""

    meeting: Meeting
    moving: Moving
