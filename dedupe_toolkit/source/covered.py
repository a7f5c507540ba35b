"""Whether a database has a unique rule already that leaves a match key no duplicates."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.db import DatabaseError

from ..databases import database
from ..databases.places import has_table
from ..keys import key_field
from ..references.meta import column_of
from ..references.unique import RuleStanding, rule_standings
from ..values import MatchKey, Nulls
from .constraints import constraint_for, is_deterministic
from .generated import carried

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import UniqueConstraint

    from ..databases import Database
    from .carriers import Carrier


def covering_rule(key: MatchKey, using: str) -> RuleStanding | None:
    """The rule of the database ``using`` that covers the key, if there is one.

    A rule covers the key when it compares some or all of the key's fields, or when it says the
    same as the key would. One that the database does not warrant covers nothing, whatever the
    model declares.
    """
    return next((one for one in _on_key(key, using) if one.is_valid), None)


def promised_rule(key: MatchKey, using: str) -> RuleStanding | None:
    """The rule that the model declares, and that would cover the key if the database kept it."""
    return next((one for one in _on_key(key, using) if one.declared and not one.is_valid), None)


def says_the_same(one: UniqueConstraint, other: UniqueConstraint) -> bool:
    """Whether two constraints differ in nothing but their names and the order of their fields."""
    return _meaning(one) == _meaning(other)


def _on_key(key: MatchKey, using: str) -> Iterator[RuleStanding]:
    """The rules, kept or not, that leave the key no duplicates where they are kept."""
    found = database(using)
    plain = {key_field(key.model, one).column for one in key.fields if "__" not in one}
    held = {column_of(key_field(key.model, name)): one for name, one in carried(key).items()}
    computed = set(held)
    # NULL in one of these takes no duplicate out
    folded = {column for column, one in held.items() if _is_never_null(key, one)}
    is_there = computed and has_table(key.model, using)
    columns_there = found.table(key.model).columns if is_there else ()
    generated = {one.name for one in columns_there if one.is_generated}
    for standing in rule_standings(key.model, found):
        total = _total_columns(standing)
        columns = plain | (computed & generated if standing.live else computed)
        if total and total <= columns and _nulls_are_harmless(key, standing, found, folded):
            yield standing
        elif _says_what_the_key_says(standing, key):
            yield replace(standing, is_same=_is_same(standing, found))


def _is_never_null(key: MatchKey, carrier: Carrier) -> bool:
    """Whether the column holds a value for each row that the key is about."""
    is_filled = not key_field(key.model, carrier.lookup).null
    return carrier.is_folded or (is_filled and is_deterministic(key, carrier.lookup))


def _total_columns(standing: RuleStanding) -> frozenset[str]:
    """The columns that no two rows share, if the rule is about columns of all rows."""
    if standing.live:
        return standing.live.compared if standing.live.is_total else frozenset()
    declared = standing.declared
    is_total = declared and not declared.expressions and declared.condition is None
    return frozenset(declared.columns) if declared and is_total else frozenset()


def _nulls_are_harmless(
    key: MatchKey, standing: RuleStanding, found: Database, folded: set[str]
) -> bool:
    """Whether the rule leaves the key no duplicates though NULLs may repeat in it."""
    rule = standing.live or standing.declared
    if key.nulls is Nulls.DISTINCT or (rule and not rule.nulls_distinct):
        return True
    columns = _total_columns(standing) - folded
    return not any(c.is_nullable for c in found.table(key.model).columns if c.name in columns)


def _says_what_the_key_says(standing: RuleStanding, key: MatchKey) -> bool:
    constraint = standing.declared.constraint if standing.declared else None
    return constraint is not None and says_the_same(
        constraint, constraint_for(key, constraint.name)
    )


def _is_same(standing: RuleStanding, found: Database) -> bool:
    """Whether the database's expressions and condition are those that the model declares."""
    constraint = standing.declared.constraint if standing.declared else None
    if constraint is None or standing.live is None or standing.live.is_plain:
        return True
    try:
        tried = found.try_rule(standing.model, constraint)
    except DatabaseError:
        return False
    live = standing.live
    return tried is None or (
        sorted(tried.expressions) == sorted(live.expressions) and tried.condition == live.condition
    )


def _meaning(constraint: UniqueConstraint) -> tuple[Any, ...]:
    return (
        sorted(constraint.fields),
        sorted(map(repr, constraint.expressions)),
        constraint.condition,
        constraint.nulls_distinct is False,
    )
