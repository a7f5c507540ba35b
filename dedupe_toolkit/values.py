"""The values that flow from find to plan to merge: frozen, and free of any database."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeAlias, TypeVar

from .errors import InvalidOption

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.db.models import Model

    from .planning.prepared import Prepared
    from .sentences import Sentence


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


@dataclass(frozen=True, kw_only=True)
class ReferenceCount:
    """What a merge does to the rows of one reference."""

    reference: str
    kind: str
    repointed: int = 0
    discarded: int = 0
    merged: int = 0


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
