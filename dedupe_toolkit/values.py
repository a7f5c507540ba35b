"""What flows from find to plan to merge: keys, groups and policies; frozen, free of any database.

What a plan says is in `plan_values`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeAlias, TypeVar

from .errors import InvalidOption

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
    """What happens to two rows that would break a unique rule of their table once repointed.

    The names of the package's own resolutions (`dedupe_toolkit.collisions.resolutions`).
    """

    HOLD = "hold"
    MERGE = "merge"
    DISCARD = "discard"
    KEEP = "keep"
    """Of single references: a row that ties survivor and duplicate together may stay."""


class OnConflict(StrEnum):
    """What happens when rows of a group differ in a field that no field rule names."""

    SURVIVOR = "survivor"
    HOLD = "hold"


Kind = TypeVar("Kind", bound=StrEnum)


class _Choice(Generic[Kind]):
    """A field of a value that takes plain text as well, and holds the choice that it stands for."""

    def __init__(self, default: Kind) -> None:
        self.default = default

    def __set_name__(self, owner: type[Any], name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type[Any] | None = None) -> Kind:
        found: Kind = self.default if instance is None else instance.__dict__[self.name]
        return found

    def __set__(self, instance: Any, value: Kind | str) -> None:
        kind = type(self.default)
        try:
            instance.__dict__[self.name] = kind(value)
        except ValueError:
            raise InvalidOption(f"{self.name} is {' or '.join(kind)}, not {value!r}") from None


@dataclass(frozen=True, kw_only=True)
class MatchKey:
    """A model, the lookups that make rows equal, and how NULLs and empty strings count.

    Build one with :func:`dedupe_toolkit.keys.match_key`, which checks every part of it.

    ``fields`` are lookups in the order given (``"email__lower"``); ``where`` holds the
    conditions that narrow the rows considered, as ``filter()`` would take them.
    """

    model: type[Model]
    fields: tuple[str, ...]
    nulls: _Choice[Nulls] = _Choice(Nulls.DISTINCT)
    blanks: _Choice[Blanks] = _Choice(Blanks.EQUAL)
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
    fields: ClassVar[tuple[str, ...]] = ()
    """They need not share a value."""

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


@dataclass(frozen=True)
class Taken:
    """The field rule of a person who chose one row's value, for rows named one by one.

    ``place`` is 0 for the survivor; the others follow in survivor order. The value is no blank.
    """

    place: int


FieldRule: TypeAlias = "str | Callable[[list[Any]], Any] | Taken"


def rule_name(rule: FieldRule) -> str:
    """What a field rule is called: a function by its own name."""
    if isinstance(rule, Taken):
        return f"row {rule.place + 1}"
    return rule if isinstance(rule, str) else getattr(rule, "__name__", type(rule).__name__)


@dataclass(frozen=True, kw_only=True)
class MergePolicy:
    """The choices a person makes for a merge.

    ``survivor`` names a survivor rule or an ordering (``"-updated_at,created"``, with
    ``nulls-first`` after a name where rows without a value shall come first);
    ``field_rules`` maps field names to field rules or, for rows named one by one, to functions
    that take the list of all rows' values, the survivor's first, and return one;
    ``collisions`` overrides ``on_collision`` for single references, by the names under which
    plans show them, and may say ``keep`` of rows that tie survivor and duplicate together.
    ``limit`` bounds the number of groups, ``batch_size`` those of one transaction (0: all in
    one). Without it, batches have as many groups as take ``batch_seconds``, and on servers fewer
    while others wait for them. ``pause`` is for how many seconds the run rests between two.
    ``lock_timeout`` is for how many seconds a statement of a batch waits for rows that others
    hold; 0 leaves it to the session. None is the database's default for each of the three.
    """

    survivor: Any = "oldest"
    field_rules: Mapping[str, FieldRule] = field(default_factory=dict)
    on_collision: OnCollision | str = OnCollision.HOLD
    collisions: Mapping[str, OnCollision | str] = field(default_factory=dict)
    on_conflict: OnConflict | str = OnConflict.SURVIVOR
    limit: int | None = None
    batch_size: int | None = None
    batch_seconds: float | None = None
    pause: float | None = None
    lock_timeout: float | None = None
