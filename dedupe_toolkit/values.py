"""The values that flow from find to plan to merge: frozen, and free of any database."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.db.models import Model


class Nulls(StrEnum):
    """How NULL counts in a key field."""

    DISTINCT = "distinct"
    """A row with NULL in a key field duplicates nothing, as a plain unique constraint sees it."""
    EQUAL = "equal"
    """NULL equals NULL, as ``get_or_create(field=None)`` and ``nulls_distinct=False`` see it."""


class Blanks(StrEnum):
    """How an empty string counts in a key field."""

    EQUAL = "equal"
    """An empty string is a value like any other."""
    DISTINCT = "distinct"
    """A row with an empty string in a key field duplicates nothing."""


class OnCollision(StrEnum):
    """What happens to two rows that would break a unique rule of their table once repointed."""

    HOLD = "hold"
    MERGE = "merge"
    DISCARD = "discard"


class OnConflict(StrEnum):
    """What happens when rows of a group differ in a field that no field rule names."""

    SURVIVOR = "survivor"
    HOLD = "hold"


@dataclass(frozen=True, kw_only=True)
class MatchKey:
    """A model, the lookups that make rows equal, and how NULLs and empty strings count.

    Build one with :func:`dedupe_toolkit.keys.match_key`, which checks every part of it.

    ``fields`` are lookups in the order given (``"email__lower"``); ``where`` holds the
    conditions that narrow the rows considered, as ``filter()`` would take them.
    """

    model: type[Model]
    fields: tuple[str, ...]
    nulls: Nulls = Nulls.DISTINCT
    blanks: Blanks = Blanks.EQUAL
    where: tuple[tuple[str, Any], ...] = ()

    @property
    def label(self) -> str:
        """The model as users name it: ``app_label.ModelName``."""
        return self.model._meta.label


@dataclass(frozen=True, kw_only=True)
class RowSet:
    """Rows named one by one, to be merged into one survivor: a person's own match."""

    model: type[Model]
    pks: tuple[Any, ...]
    into: Any = None

    @property
    def label(self) -> str:
        return self.model._meta.label


@dataclass(frozen=True, kw_only=True)
class DuplicateGroup:
    """Two or more rows of one model that are equal on a match key.

    ``values`` maps each key lookup to the value the survivor holds there; ``duplicates`` are
    in survivor order, so the first would survive if the survivor were not there.
    """

    values: Mapping[str, Any]
    survivor: Any
    duplicates: tuple[Any, ...]

    @property
    def rows(self) -> int:
        return 1 + len(self.duplicates)


@dataclass(frozen=True, kw_only=True)
class FoundDuplicates:
    """What a search for one key found: totals, and the groups that were asked for."""

    key: MatchKey
    groups: int
    rows: int
    duplicate_groups: tuple[DuplicateGroup, ...] = ()
    dismissed: int = 0
    """Groups that a person has dismissed: not among the others, unless they were asked for."""
    is_empty: bool = False
    """Whether the table has no rows at all."""

    @property
    def surplus(self) -> int:
        """Rows that would go: all of a group but its survivor."""
        return self.rows - self.groups


@dataclass(frozen=True, kw_only=True)
class ReferenceCount:
    """What a merge does to the rows of one reference."""

    reference: str
    kind: str
    repointed: int = 0
    discarded: int = 0
    merged: int = 0


@dataclass(frozen=True, kw_only=True)
class HeldGroup:
    """A duplicate group that a merge leaves alone, and why."""

    values: Mapping[str, Any]
    rows: tuple[Any, ...]
    reason: str


def rule_name(rule: str | Callable[..., Any]) -> str:
    """What a field rule is called: a function by its own name."""
    return rule if isinstance(rule, str) else getattr(rule, "__name__", type(rule).__name__)


@dataclass(frozen=True, kw_only=True)
class MergePolicy:
    """The choices a person makes for a merge.

    ``survivor`` names a survivor rule or an ordering (``"-updated_at,created"``);
    ``field_rules`` maps field names to field rules or, for rows named one by one, to functions
    that take the list of all rows' values, the survivor's first, and return one;
    ``collisions`` overrides ``on_collision`` for single references, by the names under which
    plans show them. ``limit`` bounds the number of groups, ``batch_size`` those of one
    transaction (0: all in one).
    """

    survivor: Any = "oldest"
    field_rules: Mapping[str, str | Callable[[list[Any]], Any]] = field(default_factory=dict)
    on_collision: OnCollision | str = OnCollision.HOLD
    collisions: Mapping[str, OnCollision | str] = field(default_factory=dict)
    on_conflict: OnConflict | str = OnConflict.SURVIVOR
    limit: int | None = None
    batch_size: int | None = None


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
    warnings: tuple[str, ...] = ()
    is_empty: bool = False
    token: str = ""

    @property
    def mergeable(self) -> int:
        """Groups that will be merged: all that were found but the ones held back."""
        return self.groups - len(self.held_back)
