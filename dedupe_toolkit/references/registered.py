"""The references that apps declare in ``dedupe.py``: columns that hold keys without a relation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from django.core.exceptions import FieldDoesNotExist, FieldError
from django.db.models import ForeignKey, JSONField, Q
from django.db.models.sql import Query

from ..databases.tables import pk_fields
from ..errors import InvalidOption
from ..keys import is_text, resolve_model
from ..suggest import nearest
from .custom import ColumnReference, CustomReference
from .embedded import ArrayReference, ComputedReference, JSONReference
from .kinds import (
    Reference,
    RegisteredReference,
    SpelledRegisteredReference,
    TextRegisteredReference,
)
from .meta import column_of
from .spellings import Spelling, converts
from .type_columns import type_column_beside

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from django.db.models import Field, Model


def registered_reference(
    model: type[Model], named: str | ColumnReference | CustomReference, target: str
) -> Reference:
    """The reference to ``model`` that a column (``app.Model.field``) or a custom reference is.

    ``target`` is the field of ``model`` whose values the column holds: ``pk`` or a unique field.

    Raises `InvalidOption` for a model or field that does not exist or cannot be pointed at, and
    for conditions that cannot be.
    """
    given = named if isinstance(named, ColumnReference) else ColumnReference(named, target=target)
    reference, where = _reference(model, given.column, given.target), given.where
    field = _field(reference.referrer, _name_of(reference), f"reference {reference.label!r}")
    if where is None:
        return replace(reference, type_column=type_column_beside(reference.referrer, field))
    return replace(reference, where=_condition(reference, where)) if where else reference


def _name_of(reference: Reference) -> str:
    return reference.label.rpartition(".")[2].partition("__")[0]


def _condition(reference: Reference, where: Mapping[str, Any]) -> Q:
    condition = Q(**where)
    try:
        Query(reference.referrer, alias_cols=False).build_where(condition)
    except (FieldError, TypeError, ValueError) as error:
        raise InvalidOption(
            f"reference {reference.label!r}: where={dict(where)}: {error}"
        ) from None
    return condition


def _reference(model: type[Model], named: str | CustomReference, target: str) -> Reference:
    if isinstance(named, CustomReference):
        return _computed(model, named, target)
    if not isinstance(named, str):
        raise InvalidOption(
            f"reference {named!r} is neither a column nor an instance of ColumnReference or"
            " CustomReference"
        )
    return _column(model, named, target)


def _column(model: type[Model], label: str, target: str) -> Reference:
    holder_label, _, name = label.rpartition(".")
    name, *path = name.split("__")
    referrer = resolve_model(holder_label)
    column = _field(referrer, name, f"reference {label!r}")
    held = _field(model, model._meta.pk.name if target == "pk" else target, f"reference {label!r}")
    if not held.unique:
        raise InvalidOption(
            f"reference {label!r}: {model._meta.label}.{target} is not unique, so a value of it"
            " does not name one row"
        )
    valued = held
    while isinstance(valued, ForeignKey):
        valued = valued.target_field
    kind, more = _kind(label, column, path, held, valued)
    return kind(
        referrer=referrer,
        label="__".join([f"{referrer._meta.label}.{column.name}", *path]),
        columns=(column_of(column),),
        target=model,
        targets=(column_of(held),),
        **more,
    )


def _kind(
    label: str,
    column: Field[Any, Any],
    path: list[str],
    held: Field[Any, Any],
    valued: Field[Any, Any],
) -> tuple[type[Reference], dict[str, Any]]:
    """The kind of reference that a column is by its type, and what it needs beside.

    ``valued`` has the type of the values that ``held`` holds, which may be a key itself.
    """
    if isinstance(column, JSONField):
        if not path:
            raise InvalidOption(
                f"reference {label!r}: name the path in the JSON value: {label}__key"
            )
        _only_primary_keys(label, held, "JSON value")
        _only_plain_keys(label, valued)
        return JSONReference, {"path": tuple(path)}
    if path:
        raise InvalidOption(
            f"reference {label!r}: {column.name} is a {type(column).__name__}, it has no paths"
        )
    if hasattr(column, "base_field"):
        _only_primary_keys(label, held, "array")
        _only_plain_keys(label, valued)
        return ArrayReference, {}
    spelling = Spelling(key=held, held=column)
    if held.primary_key and is_text(column) and (spelling.is_converted or spelling.is_uuid):
        return SpelledRegisteredReference, {"spelling": spelling}
    if is_text(column) and not is_text(valued):
        return TextRegisteredReference, {}
    return RegisteredReference, {}


def _computed(model: type[Model], custom: CustomReference, target: str) -> Reference:
    what = f"reference {type(custom).__name__}({custom.column!r})"
    holder_label, _, name = custom.column.rpartition(".")
    referrer = resolve_model(holder_label)
    field = _field(referrer, name, what)
    if field.primary_key or field.is_relation:
        raise InvalidOption(f"{what}: {name} holds a key as it is: name it as a column, as text")
    keys = pk_fields(model)
    if target not in ("pk", keys[0].name) or len(keys) > 1:
        raise InvalidOption(
            f"{what}: custom references hold primary keys of one column, not"
            f" {model._meta.label}.{target}"
        )
    return ComputedReference(
        referrer=referrer,
        label=f"{referrer._meta.label}.{field.name}",
        columns=(column_of(field),),
        target=model,
        targets=(column_of(keys[0]),),
        custom=custom,
    )


def _only_primary_keys(label: str, held: Field[Any, Any], what: str) -> None:
    if not held.primary_key:
        raise InvalidOption(
            f"reference {label!r}: inside a {what} only primary keys can be repointed,"
            f" not {held.name!r}"
        )


def _only_plain_keys(label: str, valued: Field[Any, Any]) -> None:
    if converts(valued):
        raise InvalidOption(
            f"reference {label!r}: inside a value, SQL cannot write keys as a"
            f" {type(valued).__name__} does; register a CustomReference"
        )


def _field(model: type[Model], name: str, what: str) -> Field[Any, Any]:
    known = {field.name: field for field in model._meta.local_concrete_fields}
    try:
        return known[model._meta.get_field(name).name]
    except (FieldDoesNotExist, KeyError):
        raise InvalidOption(
            f"{what}: {model._meta.label} has no field {name!r}{nearest(name, known)}"
        ) from None
