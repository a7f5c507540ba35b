"""What a merge plan says: frozen, and free of any database."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .planning.prepared import Prepared
    from .sentences import Sentence
    from .values import MatchKey, MergePolicy, RowSet


@dataclass(frozen=True, kw_only=True)
class ReferenceCount:
    """What a merge does to the rows of one reference."""

    reference: str
    kind: str
    repointed: int = 0
    discarded: int = 0
    merged: int = 0

    def __add__(self, other: ReferenceCount) -> ReferenceCount:
        return replace(
            self,
            repointed=self.repointed + other.repointed,
            discarded=self.discarded + other.discarded,
            merged=self.merged + other.merged,
        )


@dataclass(frozen=True, kw_only=True)
class TieCount:
    """Rows that two references of their own tie to two rows of one group, and what becomes of them.

    ``references`` are the two; those ``kept`` will relate the survivor to itself, those
    ``discarded`` count among the rows that their table loses.
    """

    references: tuple[str, str]
    held_back: int = 0
    discarded: int = 0
    kept: int = 0


@dataclass(frozen=True, kw_only=True)
class HeldCollisions:
    """Rows of a table that collide with others and differ from them, and hold groups back.

    ``fields`` are those in which they differ, with the number of rows that do; ``referenced`` is
    how many of the rows others reference.
    """

    model: str
    rows: int
    fields: Mapping[str, int]
    referenced: int = 0


@dataclass(frozen=True, kw_only=True)
class FieldDifference:
    """A field in which rows that become one differ, blanks and fields of the key aside.

    In ``groups`` of them, which hold ``values`` other values than the one that stays. ``rule`` is
    the field rule that settles it; without one the survivor's stays, and the others give way to
    the journal.
    """

    model: str
    field: str
    groups: int
    values: int
    rule: str = ""


@dataclass(frozen=True, kw_only=True)
class PlannedGroup:
    """One of the largest groups of a plan: its key values, its survivor, its first duplicates."""

    values: Mapping[str, Any]
    survivor: Any
    duplicates: tuple[Any, ...]
    rows: int


@dataclass(frozen=True, kw_only=True)
class BlankKeys:
    """Groups that were found because a text of their key is empty, and the rows in them."""

    groups: int = 0
    rows: int = 0


@dataclass(frozen=True, kw_only=True)
class Unsearched:
    """How many tables have JSON or array columns, which are not searched for keys.

    ``holding`` names the columns whose first rows have texts that look like a type and a key.
    """

    tables: int = 0
    holding: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RepeatedLinks:
    """Rows of a link table without a unique rule that link what another row links as well."""

    model: str
    rows: int


@dataclass(frozen=True, kw_only=True)
class HeldGroup:
    """A duplicate group that a merge leaves alone, and why."""

    values: Mapping[str, Any]
    rows: tuple[Any, ...]
    reason: Sentence


@dataclass(frozen=True, kw_only=True)
class MergePlan:
    """What a merge will do, computed without writing to any user's table.

    A plan lives as long as the database connection it was made on, and until the next plan
    there: its mapping of duplicates to survivors stays in that connection's working tables.
    """

    source: MatchKey | RowSet
    using: str
    policy: MergePolicy
    groups: int
    rows_to_merge: int
    references: tuple[ReferenceCount, ...]
    held_back: tuple[HeldGroup, ...]
    ties: tuple[TieCount, ...] = ()
    collisions: tuple[HeldCollisions, ...] = ()
    differences: tuple[FieldDifference, ...] = ()
    repeated_links: tuple[RepeatedLinks, ...] = ()
    largest: tuple[PlannedGroup, ...] = ()
    blank_keys: BlankKeys = BlankKeys()
    # no preview of one group looks for these
    triggers: tuple[str, ...] = field(default=(), compare=False)
    versioned: tuple[str, ...] = field(default=(), compare=False)
    unsearched: Unsearched = field(default=Unsearched(), compare=False, repr=False)
    warnings: tuple[Sentence, ...] = ()
    is_empty: bool = False
    # the session and work tables of `plan_merge`, for `merge`; a preview has none
    prepared: Prepared | None = field(default=None, compare=False, repr=False)

    @property
    def mergeable(self) -> int:
        """Groups that will be merged: all that were found but the ones held back."""
        return self.groups - len(self.held_back)
