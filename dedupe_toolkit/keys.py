"""From what a person types to a checked match key. Reads the app registry, never the database."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.conf import settings
from django.core.exceptions import FieldDoesNotExist, FieldError, ValidationError
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import (
    CharField,
    CompositePrimaryKey,
    Field,
    IntegerField,
    Model,
    QuerySet,
    TextField,
    Value,
)
from django.db.models.constants import LOOKUP_SEP
from django.db.models.functions import Lower, Trim, Upper
from django.db.models.functions.datetime import TimezoneMixin
from django.utils.timezone import get_default_timezone, is_naive, make_aware

from .arguments import checking_arguments, require_kind, require_list, require_model
from .errors import InvalidMatchKey
from .sentences import Sentence
from .suggest import nearest
from .transforms import Collapse
from .values import Blanks, MatchKey, Nulls, RowSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


KEEPING_NULLS = (Lower, Upper, Trim, Collapse)
"""Transforms that make NULL of NULL, and of nothing else."""


def resolve_model(label: str) -> type[Model]:
    """The model named ``app_label.ModelName``, whatever its case.

    Raises `InvalidMatchKey` naming the nearest models when there is none of that name, and the
    model to use instead of one that is swapped out.
    """
    models = {model._meta.label: model for model in apps.get_models(include_swapped=True)}
    for name, model in models.items():
        if name.lower() == label.lower():
            require_model(model)
            return model
    raise InvalidMatchKey(f"there is no model {label!r}{nearest(label, models)}")


def check_alias(using: str) -> str:
    """The database alias, if the project has it."""
    if using not in connections.settings:
        raise InvalidMatchKey(
            f"there is no database {using!r} in DATABASES{nearest(using, connections.settings)}"
        )
    return using


@checking_arguments
def match_key(
    model: type[Model],
    fields: Iterable[str],
    *,
    nulls: Nulls | str = Nulls.DISTINCT,
    blanks: Blanks | str = Blanks.EQUAL,
    where: Mapping[str, Any] | None = None,
    ignore_case: bool = False,
    ignore_space: bool = False,
) -> MatchKey:
    """A match key on ``model``, every part of it checked.

    ``fields`` are names of concrete fields, each optionally followed by transforms
    (``"email__lower"``). ``where`` narrows the rows as ``filter()`` would. ``ignore_case`` adds
    ``lower``, ``ignore_space`` adds ``collapse`` to every text field.

    Raises `InvalidMatchKey` when a part does not exist, `InvalidOption` for a wrong ``nulls`` or
    ``blanks``. Whether there can be duplicates at all, a
    database says, and not the model.
    """
    require_model(model)
    require_list(model, "the fields", fields, f"match_key({model.__name__}, [{fields!r}])")
    added = ["collapse"] * ignore_space + ["lower"] * ignore_case
    for field in (named := list(fields)):
        require_kind(f"{model._meta.label}: a key", field, str, "the names of fields")
    lookups = tuple(_lookup(model, field, added) for field in named)
    if not lookups:
        raise InvalidMatchKey(f"{model._meta.label}: a match key needs at least one field")
    for lookup in lookups:
        if lookups.count(lookup) > 1:
            raise InvalidMatchKey(f"{model._meta.label}: the key names {lookup!r} twice")
    key = MatchKey(
        model=model,
        fields=lookups,
        nulls=nulls,
        blanks=blanks,
        where=tuple((where or {}).items()),
    )
    _check_where(key)
    return key


def row_set(model: type[Model], pks: Iterable[Any], *, into: Any = None) -> RowSet:
    """Rows named by their primary keys, to be merged into one; ``into`` names the survivor.

    Keys may be given as text; composite keys as lists or as JSON lists.

    Raises `InvalidMatchKey` for what cannot be a key of the model, or fewer than two rows.
    """
    require_model(model)
    require_list(model, "the primary keys", pks, f"row_set({model.__name__}, [{pks!r}, …])")
    keys = tuple(dict.fromkeys(primary_key(model, pk) for pk in pks))
    if len(keys) < 2:
        raise InvalidMatchKey(Sentence("too few", model=model._meta.label))
    survivor = None if into is None else primary_key(model, into)
    if survivor is not None and survivor not in keys:
        raise InvalidMatchKey(Sentence("into another", model=model._meta.label, row=into))
    return RowSet(model=model, pks=keys, into=survivor)


def primary_key(model: type[Model], typed: Any) -> Any:
    """A primary key as models hold it. Text is taken, too, and a JSON list for a composite key.

    Raises `InvalidMatchKey` for what cannot be a key of the model.
    """
    try:
        if isinstance(model._meta.pk, CompositePrimaryKey):
            parts = json.loads(typed) if isinstance(typed, str) else typed
            fields = model._meta.pk_fields
            return tuple(_key_value(f, part) for f, part in zip(fields, parts, strict=True))
        return _key_value(model._meta.pk, typed)
    except (ValidationError, ValueError, TypeError, OverflowError):
        several = "; separate keys by spaces" if "," in str(typed) else ""
        raise no_key(model, typed, several) from None


def no_key(model: type[Model], typed: Any, several: str = "") -> InvalidMatchKey:
    """The error for what cannot be a key of the model; ``several`` is what to do about many."""
    told = Sentence("no key", model=model._meta.label, typed=repr(typed), several=several)
    return InvalidMatchKey(told)


def _key_value(field: Any, typed: Any) -> Any:
    """A key as the field holds it. Raises `ValueError` for a number that fits no column."""
    value = field.to_python(typed)
    if isinstance(value, datetime) and settings.USE_TZ and is_naive(value):
        value = make_aware(value, get_default_timezone())  # as Django takes it, with a warning
    while field.is_relation:
        field = field.target_field
    if isinstance(value, int) and isinstance(field, IntegerField):
        operations = connections[DEFAULT_DB_ALIAS].ops
        least, most = operations.integer_field_range(field.get_internal_type())
        if not (_INT64[0] if least is None else least) <= value <= (most or _INT64[1]):
            raise ValueError(value)
    return value


_INT64 = (-(2**63), 2**63 - 1)


def key_field(model: type[Model], lookup: str) -> Field[Any, Any]:
    """The concrete field a key lookup starts from."""
    field: Field[Any, Any] = model._meta.get_field(lookup.split("__")[0])  # type: ignore[assignment]  # _concrete_field checked it
    return field


def is_text(field: object) -> bool:
    return isinstance(field, CharField | TextField)


def ends_in_text(model: type[Model], lookup: str) -> bool:
    """Whether the values of a checked key lookup are text, after its transforms."""
    return is_text(output_field(model, lookup))


def output_field(model: type[Model], lookup: str) -> Field[Any, Any]:
    """The field whose values a checked key lookup has, after its transforms."""
    *_, last = _steps(model, lookup)
    field: Field[Any, Any] = last.output_field
    return field


def is_local_time(model: type[Model], lookup: str) -> bool:
    """Whether the value of a checked key lookup depends on the current time zone."""
    return any(isinstance(step, TimezoneMixin) for step in _steps(model, lookup))


def source_of_nulls(model: type[Model], lookup: str) -> str:
    """The field that is NULL exactly where a checked key lookup is; empty if there may be none."""
    _, *transforms = _steps(model, lookup)
    keeps_nulls = all(type(step) in KEEPING_NULLS for step in transforms)
    return key_field(model, lookup).name if keeps_nulls else ""


def _steps(model: type[Model], lookup: str) -> Iterator[Any]:
    """A value of the field that a checked key lookup starts from, and it after each transform."""
    current: Any = Value(None, output_field=key_field(model, lookup))
    yield current
    for name in lookup.split("__")[1:]:
        current = current.get_transform(name)(current)
        yield current


def _lookup(model: type[Model], typed: str, added: list[str]) -> str:
    name, *transforms = typed.split("__")
    field = _concrete_field(model, name, typed)
    if is_text(field):
        transforms += [transform for transform in added if transform not in transforms]
    _check_transforms(model, field, typed, transforms)
    return "__".join([field.name, *transforms])


def _concrete_field(model: type[Model], name: str, typed: str) -> Field[Any, Any]:
    label = model._meta.label
    if name == "pk":
        name = model._meta.pk.name
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        known = [f.name for f in model._meta.concrete_fields]
        advice = "; separate fields by spaces" if "," in typed else nearest(name, known)
        raise InvalidMatchKey(f"{label} has no field {name!r}{advice}") from None
    reason = _unusable(field)
    if reason:
        raise InvalidMatchKey(f"{label}.{typed} cannot be in a key: {reason}")
    return field  # type: ignore[return-value]  # everything but a Field was refused above


def _unusable(field: Any) -> str:
    if hasattr(field, "ct_field") or hasattr(field, "object_id_field_name"):
        return "it is a generic key; name its content type and object id fields instead"
    if field.many_to_many:
        return "it is many-to-many, its values are rows of another table"
    if field.auto_created and not field.concrete:
        return "it is the reverse side of a relation, its values are rows of another table"
    if not field.concrete or field.column is None:
        return "it has no column"
    return ""


def _check_transforms(
    model: type[Model], field: Field[Any, Any], typed: str, transforms: list[str]
) -> None:
    current: Any = Value(None, output_field=field)
    for name in transforms:
        transform = current.get_transform(name)
        if transform is None:
            known = field.get_lookups()
            raise InvalidMatchKey(
                f"{model._meta.label}.{typed} cannot be in a key: {name!r}:"
                f" {_no_transform(current, name)}{'' if name in known else nearest(name, known)}"
            )
        current = transform(current)


def _no_transform(value: Any, name: str) -> str:
    """Why a name is no transform of a value, and what may have been meant."""
    field = value.output_field
    if field.get_lookup(name) is None:
        return "a relation cannot be followed" if field.is_relation else "no such transform"
    if name.startswith("i") and is_text(field) and field.get_lookup(name[1:]):
        return "a look-up is no transform; lower, or --ignore-case, makes case not matter"
    return "a look-up is no transform; --where narrows the rows"


def _check_where(key: MatchKey) -> None:
    for lookup, value in key.where:
        try:
            rows: QuerySet[Any] = QuerySet(key.model).filter(**{lookup: value})
            # one that no row can meet is no mistake: nothing is found
            rows.query.get_compiler(DEFAULT_DB_ALIAS, elide_empty=False).as_sql()
        except (FieldError, ValueError, TypeError, ValidationError) as error:
            reason = _reason(key.model, lookup, error)
            raise InvalidMatchKey(
                f"{key.label}: cannot filter by {lookup}={value!r}: {reason}"
            ) from None


def _reason(model: type[Model], lookup: str, error: Exception) -> str:
    """What Django says of a condition; of a name that is nowhere, the nearest that is."""
    current: Any = model
    known: Iterable[str] = ()
    for name in lookup.split(LOOKUP_SEP):
        if name == "pk":
            name = current._meta.pk.name
        try:
            field = current._meta.get_field(name)
        except (AttributeError, FieldDoesNotExist):
            known = known or [field.name for field in current._meta.get_fields()]
            if name in known or not isinstance(error, FieldError):
                break
            return f"there is no field or look-up {name!r}{nearest(name, known)}"
        related = field.related_model
        current, known = related, () if related else field.get_lookups()
    return " ".join(str(error).split())
