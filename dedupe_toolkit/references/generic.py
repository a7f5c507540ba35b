"""Generic keys: a content type, and beside it one id of the row or several."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.db import connections
from django.db.models import Field, ForeignKey

from ..databases.caching import cached, recalled
from ..databases.places import has_table
from ..databases.tables import pk_fields, where_it_belongs
from ..errors import InvalidMatchKey
from .frozen import knows_content_types
from .kinds import GenericReference, SpelledGenericReference, TextGenericReference
from .meta import column_of, concrete
from .spellings import Spelling, Written, written

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from django.apps.registry import Apps
    from django.contrib.contenttypes.models import ContentType
    from django.db.models import Model

    from .kinds import Reference

_CONTENT_TYPE = re.compile("(content_?type|ctype|ct)$")
_OF_OBJECT = r"(?:object|obj)_?(?:id|pk|key|uuid)"
_OF_PREFIX = r"(?:id|pk|uuid)"
_NONE = 0
"""What stands for the content types of a table that is not there: no row has this one."""
_FOLLOWED = (Written.SAME, Written.TEXT, Written.SPELLED)
_IN_WHICH_TYPE = r"(?:_?(?:int|integer|bigint|num|text|txt|str|string|char|uuid|hex))?"


def generic_references(
    referrer: type[Model], model: type[Model], using: str
) -> Iterator[Reference]:
    """The references to a model by generic keys, whether or not a field says that they are some."""
    return _written_in(_FOLLOWED, referrer, model, using)


def unknown_references(
    referrer: type[Model], model: type[Model], using: str
) -> Iterator[Reference]:
    """The generic keys that may name rows of a model in a way that cannot be read."""
    return _written_in((Written.UNKNOWN,), referrer, model, using)


def _written_in(
    ways: Collection[Written], referrer: type[Model], model: type[Model], using: str
) -> Iterator[Reference]:
    pairs = _pairs(referrer)
    types = _types_held(referrer, model, using) if pairs else ()
    for name, content_type, object_id in pairs if types else ():
        how = written(model, object_id)
        if how in ways:
            yield _reference(referrer, model, name, content_type, object_id, how, types)


def _types_held(referrer: type[Model], model: type[Model], using: str) -> tuple[int, ...]:
    """The content types by which rows of a referrer name those of a model.

    Raises `InvalidMatchKey` where nobody can say: there are such rows, and no table of types.
    """
    if not knows_content_types(model) or _has_content_types(using):
        return content_types(model, using)
    if has_table(referrer, using):
        raise InvalidMatchKey(
            f"{referrer._meta.label} names rows of {model._meta.label} by their content types, and"
            f" the database {using!r} shows no table {_content_type()._meta.db_table!r}:"
            f" {where_it_belongs(_content_type(), using)}; if it is there, grant SELECT on it"
        )
    return (_NONE,)


def _reference(
    referrer: type[Model],
    model: type[Model],
    name: str,
    content_type: Field[Any, Any],
    object_id: Field[Any, Any],
    how: Written,
    types: tuple[int, ...],
) -> GenericReference:
    keys = tuple(pk_fields(model))
    facts: dict[str, Any] = {
        "referrer": referrer,
        "label": f"{referrer._meta.label}.{name}",
        "columns": (column_of(object_id),),
        "target": model,
        "targets": tuple(map(column_of, keys)),
        "content_type_column": column_of(content_type),
        "content_types": types,
    }
    if how is Written.SPELLED:
        return SpelledGenericReference(**facts, spelling=Spelling(key=keys[0], held=object_id))
    return (TextGenericReference if how is Written.TEXT else GenericReference)(**facts)


def has_generic_keys(referrer: type[Model]) -> bool:
    """Whether a model's own table may name rows of several models."""
    return bool(_pairs(referrer))


@cached
def generic_keys(referrer: type[Model]) -> tuple[tuple[Field[Any, Any], ...], ...]:
    """The fields of a model's own table that are one value: a content type with its ids."""
    found: dict[Field[Any, Any], list[Field[Any, Any]]] = {}
    for _, content_type, object_id in _pairs(referrer):
        found.setdefault(content_type, []).append(object_id)
    return tuple((content_type, *ids) for content_type, ids in found.items())


@cached
def _pairs(referrer: type[Model]) -> tuple[tuple[str, Field[Any, Any], Field[Any, Any]], ...]:
    return tuple(_find_pairs(referrer))


def _find_pairs(referrer: type[Model]) -> Iterator[tuple[str, Field[Any, Any], Field[Any, Any]]]:
    """Each content type field with every object id field, under the name users know it by."""
    seen = set()
    declared = []
    for generic in referrer._meta.private_fields:
        # not isinstance: that class cannot be imported where contenttypes is not installed
        if hasattr(generic, "ct_field") and generic.model is referrer:
            content_type, object_id = map(
                referrer._meta.get_field, (generic.ct_field, generic.fk_field)
            )
            seen.add(object_id)
            declared.append((content_type, object_id))
            yield generic.name, content_type, object_id
    names = {field.name: field for field in referrer._meta.local_fields}
    for content_type in filter(_is_content_type, names.values()):
        # admin.LogEntry and many like it have the same columns without a generic key over them,
        # django-auditlog and django-watson one id for numbers and another for text
        known = [object_id.name for field, object_id in declared if field is content_type]
        for object_id in _ids_of(content_type, names, known):
            if object_id not in seen:
                seen.add(object_id)
                yield object_id.name, content_type, object_id


def _ids_of(
    content_type: Field[Any, Any], names: dict[str, Field[Any, Any]], known: list[str]
) -> Iterator[Field[Any, Any]]:
    """The object ids that go with a content type by their names: ``to_object_id`` with
    ``to_content_type``; a plain ``object_id`` with what it is called, if nobody else claims it;
    ``item_int`` where a generic key says ``item``."""
    prefix = _CONTENT_TYPE.sub("", content_type.name)
    own = [f"{re.escape(name)}{_IN_WHICH_TYPE}" for name in known]
    own += [f"{re.escape(prefix)}{_OF_OBJECT}{_IN_WHICH_TYPE}"]
    own += [f"{re.escape(prefix)}{_OF_PREFIX}{_IN_WHICH_TYPE}"] if prefix else []
    found = list(_called(own, names))
    if not found and "content_type" not in names:
        found = list(_called([f"{_OF_OBJECT}{_IN_WHICH_TYPE}"], names))
    yield from found


def _called(patterns: list[str], names: dict[str, Field[Any, Any]]) -> Iterator[Field[Any, Any]]:
    """The fields that may hold a key by their names, no keys of their own rows or of others'."""
    pattern = re.compile("|".join(patterns))
    for name, field in names.items():
        if pattern.fullmatch(name) and not field.primary_key and not field.is_relation:
            yield field


def _is_content_type(field: Field[Any, Any]) -> bool:
    return (
        isinstance(field, ForeignKey)
        and field.remote_field.model._meta.label == "contenttypes.ContentType"
    )


def content_types(model: type[Model], using: str) -> tuple[int, ...]:
    """The content types that stand for a model or one of its proxies, where there are any."""
    if not knows_content_types(model):
        return ()
    return _types_by_model(model._meta.apps, using).get(model, ())


@cached
def _types_by_model(apps: Apps, using: str) -> dict[type[Model], tuple[int, ...]]:
    """The content types that stand for each model or one of its proxies."""
    known: dict[tuple[str, str], list[int]] = {}
    for pk, label, name in _all_content_types(using):
        known.setdefault((label, name), []).append(pk)
    found: dict[type[Model], list[int]] = {}
    for model in apps.get_models():
        pair = (model._meta.app_label, str(model._meta.model_name))
        found.setdefault(concrete(model), []).extend(known.get(pair, ()))
    return {model: tuple(sorted(types)) for model, types in found.items()}


@cached
def _all_content_types(using: str) -> list[tuple[int, str, str]]:
    if not _has_content_types(using):
        return []
    rows = _content_type().objects.db_manager(using).values_list("pk", "app_label", "model")
    return recalled(connections[using], "content types", lambda: list(rows.all()))


def _has_content_types(using: str) -> bool:
    return has_table(_content_type(), using)


def _content_type() -> type[ContentType]:
    from django.contrib.contenttypes.models import ContentType

    return ContentType
