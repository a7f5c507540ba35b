"""What an app's ``dedupe.py`` declares of its models: keys, rules, references Django cannot see.

Declarations are kept as they were written; `dedupe_toolkit.checks` says what is wrong in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .arguments import checking_arguments, require_model
from .keys import match_key
from .references.meta import concrete, lineage_of
from .values import MatchKey, MergePolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from django.db.models import Model

    from .references.custom import ColumnReference, CustomReference


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """What is declared of one model.

    ``options`` are the options of `MergePolicy` that were given a value, and no others.
    """

    model: type[Model]
    keys: tuple[Mapping[str, Any], ...]
    options: Mapping[str, Any]
    columns: Mapping[str | ColumnReference | CustomReference, str]
    together: tuple[tuple[str, ...], ...] | None = None

    @cached_property
    def policy(self) -> MergePolicy:
        return MergePolicy(**self.options)

    def match_keys(self) -> tuple[MatchKey, ...]:
        """The declared keys. Raises `InvalidMatchKey` for one that cannot be."""
        return tuple(match_key(self.model, **options) for options in self.keys)


_declarations: dict[type[Model], Declaration] = {}


@checking_arguments
def register(
    model: type[Model],
    *,
    keys: Iterable[str | Sequence[str] | Mapping[str, Any]] = (),
    survivor: Any = None,
    field_rules: Mapping[str, str | Callable[[list[Any]], Any]] | None = None,
    on_collision: str | None = None,
    collisions: Mapping[str, str] | None = None,
    on_conflict: str | None = None,
    references: Iterable[str | ColumnReference | CustomReference] | Mapping[str, str] = (),
    together: Sequence[str] | Iterable[Sequence[str]] | None = None,
) -> None:
    """Declare, in an app's ``dedupe.py``, how duplicates of a model are found and merged.

    Each of ``keys`` is a field, several fields, or the options of `match_key` as a mapping:
    ``"email__lower"``, ``("first_name", "last_name")``, ``{"fields": ["name"], "nulls": "equal"}``.
    ``survivor``, ``field_rules``, ``on_collision`` and ``on_conflict`` are the options of
    `MergePolicy`; ``collisions`` overrides ``on_collision`` for single references, by the names
    under which plans show them, and says ``keep`` where a row may relate the survivor to itself.
    ``references`` names columns that hold keys of this model without a relation
    (``"audit.Entry.person_id"``), with the field they hold where it is not the key, and may have
    instances of `ColumnReference` and `CustomReference` among them.
    ``together`` names fields whose values belong together, ``("weight", "unit")`` or several such:
    a survivor takes all of them from one row, or none. Generic keys, composite foreign keys and
    numbers beside their currency or unit are known; what is said here, be it nothing (``()``),
    stands in place of what would be guessed from the names of numbers.

    Options given to a command or function win over what is declared of the model that is merged.
    Where rows of this model merge because they collide in the merge of another, what is declared
    here wins, and what is not declared is as in that merge. Models that inherit from this one
    inherit what is declared. Declaring a model again replaces what was declared before.
    """
    require_model(model)
    columns: dict[str | ColumnReference | CustomReference, str] = dict.fromkeys(references, "pk")
    if isinstance(references, Mapping):
        columns.update(references)
    _declarations[concrete(model)] = Declaration(
        model=model,
        keys=tuple(_options(key) for key in keys),
        options=_given(
            survivor=survivor,
            field_rules=field_rules,
            on_collision=on_collision,
            collisions=collisions,
            on_conflict=on_conflict,
        ),
        columns=columns,
        together=None if together is None else _several(together),
    )


def _several(together: Sequence[str] | Iterable[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    """As Django takes ``unique_together``: one tuple of names, or several."""
    listed: list[Any] = list(together)
    if listed and all(isinstance(name, str) for name in listed):
        return (tuple(listed),)
    return tuple(map(tuple, listed))


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def declared(model: type[Model]) -> Declaration | None:
    """What is declared of a model, if anything is."""
    return _declarations.get(concrete(model))


def declarations() -> Iterator[Declaration]:
    """All declarations, by the models' names."""
    yield from sorted(_declarations.values(), key=lambda one: one.model._meta.label)


def unregister(model: type[Model]) -> None:
    """Forget what was declared of a model."""
    _declarations.pop(concrete(model), None)


def declared_policy(model: type[Model], **given: Any) -> MergePolicy:
    """The declared policy of a model, or the default one, with the options given put over it."""
    return MergePolicy(**{**declared_options(model), **given})


def declared_options(
    model: type[Model], *, apart_from: Collection[type[Model]] = ()
) -> dict[str, Any]:
    """The options of `MergePolicy` declared of a model, or else of the parents it inherits from.

    The nearest declaration of an option counts, and of ``field_rules`` and ``collisions`` that of
    each name. Models in ``apart_from`` are not asked.
    """
    options: dict[str, Any] = {}
    for one in reversed(lineage_of(model)):
        declaration = None if one in apart_from else declared(one)
        for name, value in declaration.options.items() if declaration else ():
            is_named = isinstance(value, Mapping)
            options[name] = {**options.get(name, {}), **value} if is_named else value
    return options


def _options(key: str | Sequence[str] | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(key, str):
        return {"fields": (key,)}
    if isinstance(key, Mapping):
        return dict(key)
    return {"fields": tuple(key)}
