"""Rows that content names: Wagtail's rich text and stream fields hold keys inside their text.

No key is repointed there. Wagtail's own reference index says which rows are named where.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist

from ...references.discover import references_to

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model

    from ...mapping.mapping import MergeMap
    from ...references.kinds import Reference
    from ..session import Session

INDEX = "wagtailcore.ReferenceIndex"


def hold_named_in_content(session: Session, mapping: MergeMap) -> None:
    """Hold back the groups with duplicates that rich text or stream fields name."""
    if not apps.is_installed("wagtail"):
        return
    index = next(
        (
            reference
            for reference in references_to(mapping.table.model, session.database.using)
            if reference.label == f"{INDEX}.to_object_id"
        ),
        None,
    )
    if index is not None and mapping.texts:
        for content_type, path in _content_paths(session, index):
            _hold(session, mapping, index, content_type, path)


def _content_paths(session: Session, index: Reference) -> Iterator[tuple[Any, str]]:
    """The fields, by content type and path, that name such rows and are no foreign keys."""
    rows = index.referrer._base_manager.using(session.database.using).filter(
        to_content_type__in=getattr(index, "content_types", ())
    )
    for entry in rows.order_by().values_list("content_type", "model_path").distinct():
        model = _content_model(session, entry[0])
        if model is None or not _is_relation(model, entry[1]):
            yield entry


def _content_model(session: Session, content_type: int) -> type[Model] | None:
    types = apps.get_model("contenttypes.ContentType")._base_manager.using(session.database.using)
    found: Any = types.get(pk=content_type)
    model: type[Model] | None = found.model_class()
    return model


def _is_relation(model: type[Model], path: str) -> bool:
    """Whether a path as the index writes it (``image``, ``gallery.item.image``) ends in a key."""
    name, item, rest = path.partition(".item.")
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return False
    if item:
        return bool(field.related_model) and _is_relation(field.related_model, rest)  # type: ignore[arg-type]  # never "self" on a field that is ready
    return bool(field.many_to_one)


def _hold(
    session: Session, mapping: MergeMap, index: Reference, content_type: int, path: str
) -> None:
    database = session.database
    (target,) = index.columns
    model = _content_model(session, content_type)
    owner = model._meta.label if model else "a model that is gone"
    session.held.add(
        "named in content",
        f"FROM (SELECT m.* FROM {database.q(mapping.name)} m"
        f" {database.join} {database.q(index.referrer._meta.db_table)} i"
        f" ON i.{database.q(target)} = m.{mapping.old(index)[0]}"
        f" WHERE m.place > 0 AND {index.condition('i', database)}"
        f" AND i.{database.q('content_type_id')} = %s AND i.{database.q('model_path')} = %s) x",
        [content_type, path],
        first=session.held.key("x", mapping.table.pk, mapping.members),
        told={"label": owner, "path": path},
    )
