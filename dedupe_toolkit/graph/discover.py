"""Which references point at a model: read from every model of the project, hidden ones too."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from django.apps import apps
from django.db.models import Field, ForeignKey, ForeignObject, IntegerField, Model, UUIDField

from ..databases.asking import once
from ..databases.tables import pk_fields, table_kinds, tables_with_rows
from ..keys import is_text
from ..registry import declared
from .meta import column_of, concrete
from .references import (
    EmbeddedReference,
    ForeignKeyReference,
    GenericReference,
    InheritedReference,
    LinkReference,
    OneToOneReference,
    Reference,
    TextGenericReference,
)
from .registered import registered_reference
from .unique import names_one_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@once
def references_to(model: type[Model], using: str) -> tuple[Reference, ...]:
    """Every reference to the rows of ``model``'s own table, each column once.

    Includes hidden relations, those of unmanaged models, those declared to a proxy, and the
    columns that ``dedupe.py`` registers; a model without a table in the database ``using`` holds
    none. Rows are never read, but for the content types that stand for the model.
    """
    found: dict[Any, Reference] = {}
    tables = tables_with_rows(using)
    for holder in apps.get_models(include_auto_created=True):
        if holder._meta.proxy or holder._meta.db_table not in tables:
            continue
        for reference in _held_by(holder, concrete(model), using):
            found.setdefault((holder._meta.db_table, reference.columns), reference)
    for registered in _registered(concrete(model)):
        if registered.holder._meta.db_table in tables:
            # several paths may lead into one JSON value
            place: Any = registered
            if not isinstance(registered, EmbeddedReference):
                place = (registered.holder._meta.db_table, registered.columns)
            found.setdefault(place, registered)
    return tuple(found.values())


def views_of(model: type[Model], using: str) -> tuple[str, ...]:
    """The relations to a model from views: they show what the tables hold, and are left alone."""
    views = {name for name, kind in table_kinds(using).items() if kind == "v"}
    return tuple(
        f"{holder._meta.label}.{field.name}"
        for holder in apps.get_models()
        if holder._meta.db_table in views and not holder._meta.proxy
        for field in holder._meta.local_fields
        if is_foreign(holder, field) and _target(field) is concrete(model)
    )


def column_references(references: Iterable[Reference]) -> tuple[Reference, ...]:
    """Those references that are whole columns."""
    return tuple(ref for ref in references if not isinstance(ref, EmbeddedReference))


def embedded_references(references: Iterable[Reference]) -> tuple[EmbeddedReference, ...]:
    """Those references that stand inside larger values."""
    return tuple(ref for ref in references if isinstance(ref, EmbeddedReference))


def inheritance_root(model: type[Model]) -> type[Model]:
    """The model whose table every row of ``model`` has its key from, through all its parents."""
    root = concrete(model)
    while getattr((link := root._meta.pk.remote_field), "parent_link", False):
        root = concrete(cast("Any", link).model)
    return root


def family_of(model: type[Model]) -> set[type[Model]]:
    """The models whose rows are parts of the same objects: parents, children, and itself."""
    root = inheritance_root(model)
    # a migration asks for models of its own
    models = model._meta.apps.get_models()
    return {concrete(other) for other in models if inheritance_root(other) is root}


def is_foreign(holder: type[Model], field: Field[Any, Any]) -> bool:
    """Whether a field's columns in its model's own table hold values that name one row of another.

    The joins that ``ForeignObject`` can express beside that are relations of no known kind.
    """
    if not isinstance(field, ForeignObject):
        return False
    targets = field.foreign_related_fields
    return (
        all(local.model is holder for local in field.local_related_fields)
        and len({target.model for target in targets}) == 1
        and names_one_row(_target(field), {target.name for target in targets})
    )


def _held_by(holder: type[Model], model: type[Model], using: str) -> Iterator[Reference]:
    for field, target in _foreign_fields(holder):
        if target is model:
            yield _foreign(holder, field, model)
    if apps.is_installed("django.contrib.contenttypes"):
        yield from _generic(holder, model, using)


@once
def _foreign_fields(holder: type[Model]) -> tuple[tuple[Field[Any, Any], type[Model]], ...]:
    fields = holder._meta.local_fields
    return tuple((field, _target(field)) for field in fields if is_foreign(holder, field))


def _registered(model: type[Model]) -> Iterator[Reference]:
    declaration = declared(model)
    for named, target in declaration.columns.items() if declaration else ():
        yield registered_reference(model, named, target)


def _target(field: Any) -> type[Model]:
    """The model whose table has the columns pointed at: with ``to_field`` maybe a parent's."""
    return concrete(field.foreign_related_fields[0].model)


def _foreign(holder: type[Model], field: Any, model: type[Model]) -> ForeignKeyReference:
    label = f"{holder._meta.label}.{field.name}"
    kind: type[ForeignKeyReference] = ForeignKeyReference
    if getattr(field.remote_field, "parent_link", False):
        kind = InheritedReference
    elif holder._meta.auto_created:
        kind, label = LinkReference, _link_label(holder)
    elif field.one_to_one:
        kind = OneToOneReference
    pairs = field.related_fields
    return kind(
        holder=holder,
        label=label,
        columns=tuple(column_of(local) for local, _ in pairs),
        target=model,
        targets=tuple(column_of(remote) for _, remote in pairs),
        is_enforced=_is_enforced(holder, field),
    )


def _is_enforced(holder: type[Model], field: Any) -> bool:
    """Whether Django made a foreign key that refuses, and neither cascades nor sets anything."""
    # Django 6.1's DB_CASCADE and its like act in the database
    acts = hasattr(field.remote_field.on_delete, "on_delete_sql")
    return holder._meta.managed and getattr(field, "db_constraint", False) and not acts


def _link_label(through: type[Model]) -> str:
    owner: Any = through._meta.auto_created
    for field in owner._meta.local_many_to_many:
        if field.remote_field.through is through:
            return f"{owner._meta.label}.{field.name}"
    return through._meta.label


def _generic(holder: type[Model], model: type[Model], using: str) -> Iterator[Reference]:
    for name, content_type, object_id in _pairs(holder):
        kind = _generic_kind(object_id, model)
        types = _content_types(model, using) if kind else ()
        if kind and types:
            yield kind(
                holder=holder,
                label=f"{holder._meta.label}.{name}",
                columns=(column_of(object_id),),
                target=model,
                targets=tuple(field.column for field in pk_fields(model)),
                content_type_column=column_of(content_type),
                content_types=types,
            )


@once
def _pairs(holder: type[Model]) -> tuple[tuple[str, Field[Any, Any], Field[Any, Any]], ...]:
    return tuple(_find_pairs(holder))


def _find_pairs(holder: type[Model]) -> Iterator[tuple[str, Field[Any, Any], Field[Any, Any]]]:
    """Each content type field with its object id field, under the name users know it by."""
    seen = set()
    for generic in holder._meta.private_fields:
        # not isinstance: that class cannot be imported where contenttypes is not installed
        if hasattr(generic, "ct_field") and generic.model is holder:
            object_id = holder._meta.get_field(generic.fk_field)
            seen.add(object_id)
            yield generic.name, holder._meta.get_field(generic.ct_field), object_id
    names = {field.name: field for field in holder._meta.local_fields}
    for field in names.values():
        # admin.LogEntry and many like it: the same two columns without a generic key over them
        object_id = _object_id_of(field, names) if _is_content_type(field) else None
        if object_id is not None and object_id not in seen:
            yield object_id.name, field, object_id


def _object_id_of(
    content_type: Field[Any, Any], names: dict[str, Field[Any, Any]]
) -> Field[Any, Any] | None:
    """The object id that goes with a content type by its name: ``to_object_id`` with
    ``to_content_type``; a plain ``object_id`` with what it is called, if nobody else claims it."""
    prefix = re.sub("(content_?type|ctype|ct)$", "", content_type.name)
    for claimed in (prefix, "") if "content_type" not in names else (prefix,):
        for name in (f"{claimed}object_id", f"{claimed}object_pk"):
            if name in names:
                return names[name]
    return None


def _is_content_type(field: Field[Any, Any]) -> bool:
    return (
        isinstance(field, ForeignKey)
        and field.remote_field.model._meta.label == "contenttypes.ContentType"
    )


def _generic_kind(object_id: Field[Any, Any], model: type[Model]) -> type[GenericReference] | None:
    """How this object id can hold the model's key; None when it cannot hold it at all."""
    keys = pk_fields(model)
    if len(keys) > 1:
        return None
    key = keys[0]
    while key.remote_field:
        key = key.target_field
    if is_text(object_id):
        return TextGenericReference
    for kind in (IntegerField, UUIDField):
        if isinstance(object_id, kind) and isinstance(key, kind):
            return GenericReference
    return None


def _content_types(model: type[Model], using: str) -> tuple[int, ...]:
    names = {
        (other._meta.app_label, other._meta.model_name)
        for other in apps.get_models()
        if other._meta.concrete_model is model
    }
    return tuple(sorted(pk for pk, *name in _all_content_types(using) if tuple(name) in names))


@once
def _all_content_types(using: str) -> list[tuple[int, str, str]]:
    from django.contrib.contenttypes.models import ContentType

    rows = ContentType.objects.db_manager(using)
    return list(rows.values_list("pk", "app_label", "model"))
