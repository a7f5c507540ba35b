"""Facts of models that Django's type hints leave open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.db.models import Model


def concrete(model: type[Model]) -> type[Model]:
    """The model whose table a proxy shares; the model itself if it is none."""
    found = model._meta.concrete_model
    if found is None:
        raise TypeError(f"{model._meta.label} is abstract")
    return found


def column_of(field: Any) -> str:
    """The column of a concrete field."""
    return str(field.column)
