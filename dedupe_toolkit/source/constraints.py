"""From a match key to the unique rule that keeps it, and whether the database can keep it."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from hashlib import sha1
from typing import Any

from django.core.checks import ERROR
from django.db import DatabaseError, connections
from django.db.models import (
    BinaryField,
    CharField,
    JSONField,
    Model,
    Q,
    TextField,
    UniqueConstraint,
)
from django.db.models.expressions import F
from django.db.models.functions import Lower, Trim, Upper

from ..databases import database
from ..databases.places import has_table
from ..errors import ConstraintRefused
from ..keys import ends_in_text, key_field, source_of_nulls
from ..references.meta import column_of
from ..transforms import Collapse
from ..values import Blanks, MatchKey, Nulls

_LONG = 500
_FUNCTIONS: dict[str, Any] = {"lower": Lower, "upper": Upper, "trim": Trim, "collapse": Collapse}


class Style(StrEnum):
    """How a unique rule is written in the model's Meta."""

    UNIQUE_TOGETHER = "unique_together"
    CONSTRAINT = "constraint"
    GENERATED = "generated"
    """Computed values in generated fields, and ``unique_together`` over these."""


def simplified(key: MatchKey) -> MatchKey:
    """The key without policies that make no difference: no field of it can be NULL or blank."""
    plain = all("__" not in lookup for lookup in key.fields)
    if plain and not any(key_field(key.model, lookup).null for lookup in key.fields):
        key = replace(key, nulls=Nulls.DISTINCT)
    if not _text_lookups(key):
        key = replace(key, blanks=Blanks.EQUAL)
    return key


def needs_constraint(key: MatchKey) -> str:
    """Why ``unique_together`` cannot say what the key says; "" when it can."""
    transformed = [lookup for lookup in key.fields if "__" in lookup]
    if transformed:
        return f"it cannot hold the transforms of {', '.join(transformed)}"
    if key.where:
        return "it cannot hold the condition of --where"
    if key.nulls is Nulls.EQUAL:
        return "it lets NULLs repeat, and --nulls equal does not"
    if key.blanks is Blanks.DISTINCT:
        return "it does not let empty strings repeat, and --blanks distinct does"
    return ""


def constraint_for(key: MatchKey, name: str | None = None) -> UniqueConstraint:
    """The constraint whose violations are exactly the duplicates of the key."""
    options: dict[str, Any] = {"name": name or generated_name(key), "condition": condition_of(key)}
    if key.nulls is Nulls.EQUAL:
        options["nulls_distinct"] = False
    if all("__" not in lookup for lookup in key.fields):
        return UniqueConstraint(fields=list(key.fields), **options)
    return UniqueConstraint(*(expression_of(key, lookup) for lookup in key.fields), **options)


def generated_name(key: MatchKey) -> str:
    """A name of at most 30 characters, the same for the same key every time."""
    meta: Any = key.model._meta
    parts = [meta.db_table, *sorted(key.fields), *map(repr, sorted(key.where)), key.nulls]
    parts.append(key.blanks)
    digest = sha1("\n".join(parts).encode(), usedforsecurity=False).hexdigest()[:6]
    app = meta.app_label.lstrip("_0123456789")[:8].strip("_") or "app"
    return f"{app}_{meta.model_name[:8].strip('_')}_{digest}_uniq"


def refuse_unsupported(key: MatchKey, constraint: UniqueConstraint, using: str) -> None:
    """Raises `ConstraintRefused` when the database would silently not create the constraint.

    Django only warns of it, and the race would go on.
    """
    connection: Any = connections[using]
    features = connection.features
    lacks = None
    if constraint.condition is not None and not features.supports_partial_indexes:
        lacks = "a unique constraint with a condition (--where, --blanks distinct)"
    elif constraint.expressions and not features.supports_expression_indexes:
        lacks = f"a unique constraint on an expression ({', '.join(key.fields)})"
    elif constraint.nulls_distinct is False and not (
        features.supports_nulls_distinct_unique_constraints
    ):
        lacks = "a unique constraint in which NULLs are equal (--nulls equal)"
    if lacks:
        version = ".".join(map(str, connection.get_database_version()))
        raise ConstraintRefused(
            f"{key.label}: {connection.display_name} {version} (database {using!r}) has no such"
            f" thing as {lacks}; Django would create nothing there, and the race would go on;"
            # a person chooses it: it gives the model a field
            " instead, a GeneratedField can be unique (make_unique --style generated)"
        )


def refuse_untenable(key: MatchKey, constraint: UniqueConstraint, using: str) -> None:
    """Raises `ConstraintRefused`, with what works instead, for what the database itself refuses.

    Tries the constraint on a copy of the table.
    """
    found = database(using)
    if not has_table(key.model, using):
        return
    fields = [key_field(key.model, lookup) for lookup in key.fields]
    longest = [column_of(field) for field in fields if is_long(field)]
    try:
        found.try_rule(key.model, constraint, longest=longest)
    except DatabaseError as error:
        reason = str(error).strip().splitlines()[0]
        instead = found.instead_of_rule(error)
        raise ConstraintRefused(
            f"{key.label}: database {using!r} refuses such a constraint on"
            f" {', '.join(key.fields)}: {reason}{instead and f'; {instead}'}"
        ) from error


def is_long(field: Any) -> bool:
    """Whether values of the field may be longer than an index takes."""
    is_bounded = isinstance(field, CharField) and (field.max_length or _LONG) < _LONG
    return isinstance(field, TextField | CharField | BinaryField | JSONField) and not is_bounded


def refuse_wrong(model: type[Model], constraint: UniqueConstraint, using: str) -> None:
    """Raises `ConstraintRefused` for what Django's own checks call an error."""
    check = getattr(constraint, "check", None) or constraint._check  # type: ignore[attr-defined]
    for message in check(model, connections[using]):
        if message.level >= ERROR:
            raise ConstraintRefused(f"{model._meta.label}: {message.msg} ({message.id})")


def condition_of(key: MatchKey) -> Q | None:
    """What a row has to meet for the key to be about it, as far as NULLs do not say so."""
    condition = Q(**dict(key.where)) if key.where else None
    if key.blanks is Blanks.DISTINCT:
        for lookup in _text_lookups(key):
            filled = ~_is_blank(key, lookup)
            condition = filled if condition is None else condition & filled
    return condition


def _is_blank(key: MatchKey, lookup: str) -> Q:
    """Whether the look-up is an empty text, said so that its negation is true of NULL."""
    if key.nulls is Nulls.DISTINCT or source_of_nulls(key.model, lookup):
        return Q(**{lookup: ""})  # of NULL in the field itself Django says it
    return Q(**{lookup: "", f"{lookup}__isnull": False})


def _text_lookups(key: MatchKey) -> list[str]:
    return [lookup for lookup in key.fields if ends_in_text(key.model, lookup)]


def expression_of(key: MatchKey, lookup: str) -> Any:
    """``Lower(Trim("name"))`` where Django has the functions, else the lookup as it stands."""
    name, *transforms = lookup.split("__")
    if not is_deterministic(key, lookup):
        return F(lookup)
    expression: Any = name  # not F(name): to the autodetector that would be another expression
    for transform in transforms:
        expression = _FUNCTIONS[transform](expression)
    return expression


def is_deterministic(key: MatchKey, lookup: str) -> bool:
    """Whether all transforms are those that come out alike everywhere and at any time."""
    field = key_field(key.model, lookup)
    transforms = lookup.split("__")[1:]
    return all(field.get_transform(one) is _FUNCTIONS.get(one, ()) for one in transforms)
