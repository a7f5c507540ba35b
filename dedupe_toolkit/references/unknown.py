"""Relations of kinds that no merge can follow: told before anything is merged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import DedupeError
from ..registry import declared
from .discover import kin_of
from .foreign import is_foreign
from .meta import concrete
from .registered import registered_reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model


def unknown_relations(model: type[Model]) -> tuple[str, ...]:
    """The relations to the objects of ``model`` that are of no kind the engine knows, by name.

    Those whose column is registered in ``dedupe.py`` are known by that. Reads the app registry,
    never the database.
    """
    family = kin_of(model)
    registered = set(_registered(family))
    return tuple(
        f"{referrer._meta.label}.{field.name}"
        for referrer in model._meta.apps.get_models(include_auto_created=True)
        for field in _relations(referrer)
        if _target(field) in family
        and not _is_known(referrer, field)
        and (referrer._meta.db_table, field.column) not in registered
    )


def _relations(referrer: type[Model]) -> Iterator[Any]:
    """The relations that a model itself declares; a proxy's are those of its model."""
    if not referrer._meta.proxy:
        for field in (*referrer._meta.local_fields, *referrer._meta.private_fields):
            if field.is_relation and field.model is referrer:
                yield field


def _target(field: Any) -> type[Model] | None:
    # a generic key points at no model in particular
    return None if isinstance(field.related_model, str | None) else concrete(field.related_model)


def _is_known(referrer: type[Model], field: Any) -> bool:
    is_generic_reverse = hasattr(field, "object_id_field_name")
    return is_generic_reverse or field.many_to_many or is_foreign(referrer, field)


def _registered(family: set[type[Model]]) -> Iterator[tuple[str, str]]:
    for model in family:
        declaration = declared(model)
        for named, target in declaration.columns.items() if declaration else ():
            try:
                reference = registered_reference(model, named, target)
            except DedupeError:
                continue  # a system check of its own says so
            yield reference.referrer._meta.db_table, reference.columns[0]
