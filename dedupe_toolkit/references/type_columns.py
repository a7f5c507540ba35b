"""Columns beside a declared one that name the type of what it holds: ``owner_type``, ``res_model``.

A column with such a neighbour holds keys of several models. Taken for keys of one, it would be
repointed in rows that mean another.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.db.models import BooleanField

from ..errors import InvalidOption

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import Field, Model

    from .kinds import Reference

_TYPES = ("type", "kind", "model", "class", "table", "ct", "ctype", "content_type", "model_name")
_ANYTHING = {"object", "obj", "item", "target", "record", "row", "entity", "subject", "instance"}
_ANYTHING |= {"res", "resource", "ref", "reference", "rel", "related", "content", "thing", "model"}
"""Names of columns that say nothing of what they hold, so that a plain ``type`` may say it."""


def type_column_beside(referrer: type[Model], column: Field[Any, Any]) -> str:
    """The name of the field that seems to name the type of what a column holds, or nothing."""
    fields = [field for field in referrer._meta.local_concrete_fields if field is not column]
    names = {field.name.lower() for field in fields if not isinstance(field, BooleanField)}
    claimed = {
        generic.ct_field
        for generic in referrer._meta.private_fields
        if getattr(generic, "fk_field", column.name) != column.name
    }
    return next((name for name in _candidates(column) if name in names - claimed), "")


def _candidates(column: Field[Any, Any]) -> Iterable[str]:
    about = re.sub("_?(id|pk|key|uuid)$", "", column.name.lower())
    yield from (f"{about}{mark}{word}" for word in _TYPES for mark in ("_", ""))
    yield "content_type"
    if about in _ANYTHING:
        yield from _TYPES


def refuse_ambiguous(references: Iterable[Reference]) -> None:
    """Raises `InvalidOption` for a declared column that may hold keys of other models as well."""
    for reference in references:
        if reference.type_column:
            raise InvalidOption(ambiguity(reference))


def ambiguity(reference: Reference) -> str:
    """What is unclear about a declared column, and how to make it clear."""
    return (
        f"reference {reference.label!r} to {reference.target._meta.label}: beside it,"
        f" {reference.type_column} seems to name the type of what it holds, and rows of other types"
        " would be repointed too; say which rows are meant:"
        f' ColumnReference("{reference.label}", where={{"{reference.type_column}": …}}), or'
        " where={} for all"
    )
