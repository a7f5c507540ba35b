"""Where in models references stand: a finder for each kind that models show by themselves.

A new kind has its class in `kinds` or beside it, and its line here. Reads models only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..databases.caching import cached
from .foreign import foreign_columns, foreign_fields, foreign_references
from .generic import generic_references, has_generic_keys
from .meta import concrete

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from django.apps.registry import Apps
    from django.db.models import Model

    from .kinds import Reference


@dataclass(frozen=True, kw_only=True)
class Finder:
    """How the references of a kind are found. All three speak of a model's own table.

    ``targets`` are the models that it may point at by such references, None for any;
    ``references`` are those to one model in a database; ``columns`` are the columns of one model
    whose values they hold, apart from its primary key: asked of those that name their targets,
    since what may point at any model holds primary keys.
    """

    targets: Callable[[type[Model]], Iterable[type[Model]] | None]
    references: Callable[[type[Model], type[Model], str], Iterable[Reference]]
    columns: Callable[[type[Model], type[Model]], Iterable[str]]


FINDERS: dict[str, Finder] = {
    "foreign keys": Finder(
        targets=lambda referrer: [target for _, target in foreign_fields(referrer)],
        references=lambda referrer, model, using: foreign_references(referrer, model),
        columns=foreign_columns,
    ),
    "generic keys": Finder(
        targets=lambda referrer: None if has_generic_keys(referrer) else (),
        references=generic_references,
        columns=lambda referrer, model: (),
    ),
}


def references_held(referrer: type[Model], model: type[Model], using: str) -> Iterator[Reference]:
    """The references of a model's own table to another, as models show them."""
    for finder in FINDERS.values():
        yield from finder.references(referrer, model, using)


def models_pointing_at(model: type[Model]) -> Sequence[type[Model]]:
    """The models whose own tables may hold keys of ``model``, in the order of the project."""
    models, by_target, at_any = _pointing(model._meta.apps)
    return sorted(at_any | by_target.get(concrete(model), set()), key=models.__getitem__)


def targeted_columns(model: type[Model]) -> set[str]:
    """The columns of a model's own table, beside its key, that references hold the values of."""
    own = concrete(model)
    _, by_target, _ = _pointing(model._meta.apps)
    return {
        column
        for referrer in by_target.get(own, ())
        for finder in FINDERS.values()
        for column in finder.columns(referrer, own)
    }


@cached
def _pointing(
    apps: Apps,
) -> tuple[dict[type[Model], int], dict[type[Model], set[type[Model]]], set[type[Model]]]:
    """All models numbered, those that point at each, and those that may point at any."""
    models = {model: number for number, model in enumerate(apps.get_models(True))}
    by_target: dict[type[Model], set[type[Model]]] = {}
    at_any: set[type[Model]] = set()
    for referrer in (model for model in models if not model._meta.proxy):
        for finder in FINDERS.values():
            targets = finder.targets(referrer)
            if targets is None:
                at_any.add(referrer)
            for target in targets or ():
                by_target.setdefault(target, set()).add(referrer)
    return models, by_target, at_any
