"""What must hold of every table of the project after a merge, whoever wrote its models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import ForeignKey, Q

from tests.kit import merged, merged_rows, snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model

    from dedupe_toolkit import MergeRun
    from tests.kit import Snapshot

PAIRS = {
    # what these call an object in two columns, without a generic key over them
    "admin.LogEntry": [("content_type", "object_id")],
    "auditlog.LogEntry": [("content_type", "object_pk"), ("content_type", "object_id")],
    "watson.SearchEntry": [("content_type", "object_id_int")],
    "wagtailcore.ModelLogEntry": [("content_type", "object_id")],
    "wagtailcore.ReferenceIndex": [
        ("content_type", "object_id"),
        ("to_content_type", "to_object_id"),
    ],
}
VIRTUAL = {"wagtailsearch.SQLiteFTSIndexEntry", "modelsearch.SQLiteFTSIndexEntry"}


def soundly_merged(model: type[Model], *fields: str, **options: Any) -> tuple[MergeRun, Snapshot]:
    """Merge in a project where nothing dangles, before and after; the run, and the start."""
    return _sound(lambda: merged(model, *fields, **options))


def soundly_merged_rows(model: type[Model], *pks: Any, **options: Any) -> tuple[MergeRun, Snapshot]:
    return _sound(lambda: merged_rows(model, *pks, **options))


def _sound(merge: Any) -> tuple[MergeRun, Snapshot]:
    assert list(dangling()) == []
    before = snapshot()
    run = merge()
    assert list(dangling()) == []
    connection.check_constraints()
    return run, before


def dangling() -> Iterator[str]:
    """Every foreign key and every generic key of the project that points at no row."""
    for model in apps.get_models(include_auto_created=True):
        if model._meta.proxy or not model._meta.managed or model._meta.label in VIRTUAL:
            continue
        for field in model._meta.local_fields:
            if isinstance(field, ForeignKey):
                yield from _dangling_keys(model, field)
        for content_type, object_id in _pairs(model):
            yield from _dangling_pairs(model, content_type, object_id)


def _dangling_keys(model: type[Model], field: Any) -> Iterator[str]:
    targets = field.remote_field.model._base_manager.values_list(field.target_field.name)
    held = model._base_manager.exclude(**{field.name: None})
    known = {value for (value,) in targets.iterator()}
    for pk, value in held.values_list("pk", field.attname):
        if value not in known:
            yield f"{model._meta.label} {pk}: {field.name} {value}"


def _pairs(model: type[Model]) -> Iterator[tuple[str, str]]:
    for field in model._meta.private_fields:
        if isinstance(field, GenericForeignKey) and field.model is model:
            yield field.ct_field, field.fk_field
    yield from PAIRS.get(model._meta.label, [])


def _dangling_pairs(model: type[Model], content_type: str, object_id: str) -> Iterator[str]:
    rows = model._base_manager.exclude(Q(**{content_type: None}) | Q(**{object_id: None}))
    for pk, type_id, value in rows.values_list("pk", content_type, object_id):
        target = ContentType.objects.get_for_id(type_id).model_class()
        if target is not None and not target._base_manager.filter(pk=value).exists():
            yield f"{model._meta.label} {pk}: {object_id} {target._meta.label} {value}"
