"""What is known of a call, and what is said of it: frozen, and free of any database."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import Model, Q


class Verdict(StrEnum):
    """What a race does to a call."""

    SAFE = "safe"
    """No second row, and the loser gets the winner's."""
    UNSAFE = "unsafe"
    """A second row."""
    FRAGILE = "fragile"
    """No second row, but a call raises instead of returning one."""
    UNKNOWN = "unknown"
    """It cannot be told from what is known of the call."""


class Reason(StrEnum):
    """Why a verdict was given: stable codes, for programs."""

    EXACT = "exact"
    SUBSET = "subset"
    HIDDEN_ROWS = "hidden-rows"
    DEFAULTS = "defaults"
    OTHER_SPELLING = "other-spelling"
    DEFERRABLE = "deferrable"
    DEADLOCK = "deadlock"
    SNAPSHOT = "snapshot"
    LOST = "lost"
    VOLATILE = "volatile"
    NOT_STORED_AS_GIVEN = "not-stored-as-given"
    MANY_TO_MANY = "many-to-many"
    BY_HAND = "by-hand"
    NO_RULE = "no-rule"
    SUPERSET = "superset"
    NULL = "null"
    CONDITION = "condition"
    NO_LOOKUP = "no-lookup"
    UNLESS_NULL = "unless-null"
    OPEN_CONDITION = "open-condition"
    UNKNOWN_FIELD = "unknown-field"
    OPAQUE_DEFAULTS = "opaque-defaults"
    OPAQUE_ARGUMENTS = "opaque-arguments"
    UNRESOLVED = "unresolved"
    OWN_METHOD = "own-method"
    NO_TABLE = "no-table"


class Null(StrEnum):
    """Whether a value is None."""

    NEVER = "never"
    PROMISED = "promised"
    """It is declared to be there, which nothing enforces."""
    MAYBE = "maybe"
    ALWAYS = "always"


class _Unset:
    def __repr__(self) -> str:
        return "UNSET"


UNSET: Any = _Unset()
"""Where there is no literal, which None would be."""


@dataclass(frozen=True, kw_only=True)
class Given:
    """What is known of one value.

    ``literal`` is the value itself where it is known. ``text`` is how it is spelled: two values
    of the same text are the same. ``is_key`` marks a primary key or an instance, which are rarely
    None. ``varies`` is a value that differs on every call: ``now()``, ``uuid4()``.
    """

    text: str = ""
    scope: str = ""
    """Where it is spelled: the same text means something else in another function."""
    literal: Any = field(default=UNSET, hash=False)
    null: Null = Null.MAYBE
    is_key: bool = False
    varies: bool = False
    is_computed: bool = False
    """A value that only the database knows, such as ``F("a") + 1``."""

    @classmethod
    def of(cls, value: Any) -> Given:
        """A value that is there, as a caller at run time has it."""
        is_null = Null.ALWAYS if value is None else Null.NEVER
        is_computed = hasattr(value, "resolve_expression")
        literal = UNSET if is_computed else value
        return cls(text=repr(value), literal=literal, null=is_null, is_computed=is_computed)

    def equals(self, other: Given) -> bool:
        """Whether the two are certainly the same value."""
        if self.varies or other.varies or self.is_computed or other.is_computed:
            return False
        if self.literal is not UNSET and other.literal is not UNSET:
            return bool(self.literal == other.literal)
        return bool(self.text) and self.spelled == other.spelled

    @property
    def spelled(self) -> tuple[str, str]:
        """How it is spelled, and where."""
        return self.text, self.scope


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of ``get_or_create`` or ``update_or_create``, as far as it is known.

    ``lookups`` are its keyword arguments, under the names they have there, and what a related
    manager adds. ``filters`` are read by ``get()`` alone: those of ``filter()`` before the call and
    of the manager itself. ``excludes`` are texts of conditions whose meaning is not known.
    ``defaults`` are those that the row is created with; None where they are not known.
    ``many_to_many`` is the relation the call goes through, if it is one of that kind.
    """

    model: type[Model]
    method: str = "get_or_create"
    lookups: Mapping[str, Given] = field(default_factory=dict)
    filters: Mapping[str, Given] = field(default_factory=dict)
    excludes: tuple[str, ...] = ()
    defaults: Mapping[str, Given] | None = field(default_factory=dict)
    many_to_many: str = ""
    deadlocks: bool = False
    """Whether it locks the row before it is there, on a database where racers then deadlock."""
    snapshot: str = ""
    """The isolation level of the transaction around it, if that keeps the winner's row from it."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of a unique rule, or of what ``get()`` asks for: a field, as it is or changed."""

    name: str
    form: str = ""
    """Empty for the value as it is, ``NO_CASE``, ``IS_NULL``, or the expression's own text."""


NO_CASE = "no case"
IS_NULL = "is null"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A unique rule of a model's table, with its fields under the names that the model knows."""

    text: str
    parts: frozenset[Part]
    nullable: frozenset[str] = frozenset()
    """The fields in which a NULL takes a row out of the rule."""
    condition: Q | None = None
    has_unknown_condition: bool = False
    is_deferrable: bool = False
    is_primary_key: bool = False

    @property
    def names(self) -> frozenset[str]:
        return frozenset(part.name for part in self.parts)


@dataclass(frozen=True, kw_only=True)
class Decision:
    """A verdict, with the reason as a code and as a sentence.

    ``rule`` names the unique rule it rests on, ``fields`` are those it is about: looked up in
    vain, to be moved to ``defaults``, or possibly NULL.
    """

    verdict: Verdict
    reason: Reason
    sentence: str
    rule: str = ""
    fields: tuple[str, ...] = ()
