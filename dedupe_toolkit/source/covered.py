"""Whether a model has a unique rule already that leaves a match key no duplicates."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import UniqueConstraint

from ..databases import database
from ..databases.constraints import enforces
from ..databases.tables import pk_fields
from ..values import MatchKey, Nulls
from .constraints import constraint_for


def covering_rule(key: MatchKey, using: str) -> str:
    """The existing rule that covers the key, as a person would name it; "" if there is none.

    A rule covers the key when its fields are some or all of the key's, or when it says the same
    as the key would; one that the database does not enforce covers nothing.
    """
    meta = key.model._meta
    plain = {lookup for lookup in key.fields if "__" not in lookup}
    if {field.name for field in pk_fields(key.model)} <= plain:
        return "the primary key"
    for name in sorted(plain):
        if meta.get_field(name).unique and _nulls_are_harmless(key, [name]):  # type: ignore[union-attr]
            return f"{name}, which is unique"
    for together in meta.unique_together:
        if set(together) <= plain and _nulls_are_harmless(key, together):
            return f"unique_together ({', '.join(together)})"
    for constraint in meta.constraints:
        if isinstance(constraint, UniqueConstraint) and _covers(constraint, key, plain, using):
            return f"the constraint {constraint.name}"
    return ""


def says_the_same(one: UniqueConstraint, other: UniqueConstraint) -> bool:
    """Whether two constraints differ in nothing but their names and the order of their fields."""
    return _meaning(one) == _meaning(other)


def _covers(constraint: UniqueConstraint, key: MatchKey, plain: set[str], using: str) -> bool:
    if not enforces(database(using).connection, constraint):
        return False
    is_total = constraint.condition is None and not constraint.expressions
    if is_total and set(constraint.fields) <= plain:
        nulls_are_equal = constraint.nulls_distinct is False
        return nulls_are_equal or _nulls_are_harmless(key, constraint.fields)
    return says_the_same(constraint, constraint_for(key, constraint.name))


def _nulls_are_harmless(key: MatchKey, fields: Any) -> bool:
    """Whether a rule in which NULLs repeat leaves the key no duplicates all the same."""
    if key.nulls is Nulls.DISTINCT:
        return True
    return not any(_is_nullable(key, name) for name in fields)


def _is_nullable(key: MatchKey, name: str) -> bool:
    try:
        return bool(getattr(key.model._meta.get_field(name), "null", True))
    except FieldDoesNotExist:
        return True


def _meaning(constraint: UniqueConstraint) -> tuple[Any, ...]:
    return (
        sorted(constraint.fields),
        sorted(map(repr, constraint.expressions)),
        constraint.condition,
        constraint.nulls_distinct is False,
    )
