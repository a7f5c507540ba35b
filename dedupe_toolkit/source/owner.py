"""The table that a match key's fields lie in, of those of an inheritance family."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldError
from django.db.models import QuerySet

from ..errors import ConstraintRefused
from ..keys import key_field

if TYPE_CHECKING:
    from ..values import MatchKey


def on_owner(key: MatchKey) -> MatchKey:
    """The key on the model whose table holds its fields: a constraint cannot sit elsewhere.

    Raises `ConstraintRefused` when there is no such table.
    """
    meta: Any = key.model._meta
    if meta.swapped:
        raise ConstraintRefused(f"{key.label} is swapped out for {meta.swapped}; use that model")
    model = meta.concrete_model
    owners: set[Any] = {
        key_field(model, lookup).model._meta.concrete_model for lookup in key.fields
    }
    if len(owners) > 1:
        tables = " and ".join(sorted(owner._meta.label for owner in owners))
        raise ConstraintRefused(
            f"{key.label}: the key spans the tables of {tables}; no unique constraint can"
            " (models.E016)"
        )
    owned = replace(key, model=owners.pop())
    try:
        QuerySet(owned.model).filter(**dict(key.where))
    except FieldError:
        raise ConstraintRefused(
            f"{key.label}: the key belongs to the table of {owned.label}, whose constraint cannot"
            f" have a condition on {', '.join(lookup for lookup, _ in key.where)}"
        ) from None
    return owned
