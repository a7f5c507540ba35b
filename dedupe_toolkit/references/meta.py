"""Facts of models that Django's type hints leave open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import F, Q

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


def field_of(model: type[Model], column: str) -> Any:
    """The field of a column of the model's own table; None where no field has it."""
    fields = model._meta.local_concrete_fields
    return next((field for field in fields if field.column == column), None)


def lineage_of(model: type[Model]) -> list[type[Model]]:
    """The model itself and all it inherits from, the nearest first."""
    own = concrete(model)
    return [own, *own._meta.get_parent_list()]


def named_in(expression: Any) -> set[str]:
    """The names of fields in an expression, each with its transforms."""
    if isinstance(expression, F):
        return {str(expression.name)}  # type: ignore[attr-defined]  # F.name is missing in the stubs
    if isinstance(expression, Q):
        pairs = [one if isinstance(one, tuple) else ("", one) for one in expression.children]
        asked = {lookup for lookup, _ in pairs if lookup}
        return asked.union(*(named_in(value) for _, value in pairs))
    parts: list[Any] = getattr(expression, "get_source_expressions", list)()
    return {name for part in parts for name in named_in(part)}
