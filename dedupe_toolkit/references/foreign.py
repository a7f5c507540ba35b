"""Foreign keys as models declare them, and which models have any. Reads models only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Field, ForeignObject, Model

from ..databases.caching import cached
from .kinds import ForeignKeyReference, InheritedReference, LinkReference, OneToOneReference
from .meta import column_of, concrete
from .unique import names_one_row

if TYPE_CHECKING:
    from collections.abc import Iterator


def is_foreign(referrer: type[Model], field: Field[Any, Any]) -> bool:
    """Whether a field's columns in its model's own table hold values that name one row of another.

    The joins that ``ForeignObject`` can express beside that are relations of no known kind.
    """
    if not isinstance(field, ForeignObject):
        return False
    targets = field.foreign_related_fields
    return (
        all(local.model is referrer for local in field.local_related_fields)
        and len({target.model for target in targets}) == 1
        and names_one_row(target_of(field), {target.name for target in targets})
    )


def target_of(field: Any) -> type[Model]:
    """The model whose table has the columns pointed at: with ``to_field`` maybe a parent's."""
    return concrete(field.foreign_related_fields[0].model)


@cached
def foreign_fields(referrer: type[Model]) -> tuple[tuple[Any, type[Model]], ...]:
    """The foreign keys in a model's own table, each with the model that it points at."""
    fields = referrer._meta.local_fields
    return tuple((field, target_of(field)) for field in fields if is_foreign(referrer, field))


def foreign_references(referrer: type[Model], model: type[Model]) -> Iterator[ForeignKeyReference]:
    """The foreign keys in a model's own table to another, as references."""
    for field, target in foreign_fields(referrer):
        if target is model:
            yield foreign_reference(referrer, field, model)


def foreign_columns(referrer: type[Model], model: type[Model]) -> Iterator[str]:
    """The columns of a model's own table that foreign keys of another point at."""
    for field, target in foreign_fields(referrer):
        if target is model:
            yield from (column_of(remote) for _, remote in field.related_fields)


def foreign_reference(referrer: type[Model], field: Any, model: type[Model]) -> ForeignKeyReference:
    """The reference that a foreign key to a model is, of the kind that fits."""
    label = f"{referrer._meta.label}.{field.name}"
    kind: type[ForeignKeyReference] = ForeignKeyReference
    if getattr(field.remote_field, "parent_link", False):
        kind = InheritedReference
    elif referrer._meta.auto_created:
        kind, label = LinkReference, _link_label(referrer)
    elif field.one_to_one:
        kind = OneToOneReference
    pairs = field.related_fields
    return kind(
        referrer=referrer,
        label=label,
        columns=tuple(column_of(local) for local, _ in pairs),
        target=model,
        targets=tuple(column_of(remote) for _, remote in pairs),
        is_enforced=_is_made(referrer, field) and not _is_acting(field),
    )


def _is_made(referrer: type[Model], field: Any) -> bool:
    """Whether Django made a foreign key in the database."""
    return bool(referrer._meta.managed and getattr(field, "db_constraint", False))


def _is_acting(field: Any) -> bool:
    """Whether it is to act in the database, as Django 6.1's ``DB_CASCADE`` and its like do."""
    return hasattr(field.remote_field.on_delete, "on_delete_sql")


def _link_label(through: type[Model]) -> str:
    owner: Any = through._meta.auto_created
    for field in owner._meta.local_many_to_many:
        if field.remote_field.through is through:
            return f"{owner._meta.label}.{field.name}"
    return through._meta.label
