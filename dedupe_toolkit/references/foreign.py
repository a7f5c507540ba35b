"""Foreign keys as models declare them, and which models have any. Reads models only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Field, ForeignObject, Model

from ..databases.caching import cached
from .frozen import knows_content_types
from .generic import has_generic_keys
from .meta import column_of, concrete
from .unique import names_one_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.apps.registry import Apps


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


def models_pointing_at(model: type[Model]) -> Sequence[type[Model]]:
    """The models whose own tables may hold keys of ``model``, in the order of the project."""
    models, by_target, generic = _pointing(model._meta.apps)
    found = by_target.get(concrete(model), set())
    found = found | generic if knows_content_types(model) else found
    return sorted(found, key=models.__getitem__)


def foreign_targets(model: type[Model]) -> set[str]:
    """The columns of a model's own table that foreign keys point at."""
    own = concrete(model)
    _, by_target, _ = _pointing(model._meta.apps)
    return {
        column_of(remote)
        for referrer in by_target.get(own, ())
        for field, target in foreign_fields(referrer)
        if target is own
        for _, remote in field.related_fields
    }


@cached
def _pointing(
    apps: Apps,
) -> tuple[dict[type[Model], int], dict[type[Model], set[type[Model]]], set[type[Model]]]:
    """All models numbered, those with foreign keys to each, and those with generic keys."""
    models = {model: number for number, model in enumerate(apps.get_models(True))}
    by_target: dict[type[Model], set[type[Model]]] = {}
    own = [model for model in models if not model._meta.proxy]
    for referrer in own:
        for _, target in foreign_fields(referrer):
            by_target.setdefault(target, set()).add(referrer)
    return models, by_target, {referrer for referrer in own if has_generic_keys(referrer)}
