"""What an app's ``dedupe.py`` declares of its models: keys, rules, references Django cannot see.

Declarations are kept as they were written; `dedupe_toolkit.checks` says what is wrong in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .graph.meta import concrete
from .keys import match_key
from .values import MatchKey, MergePolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from django.db.models import Model

    from .graph.custom import CustomReference


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """What is declared of one model."""

    model: type[Model]
    keys: tuple[Mapping[str, Any], ...]
    policy: MergePolicy
    columns: Mapping[str | CustomReference, str]

    def match_keys(self) -> tuple[MatchKey, ...]:
        """The declared keys. Raises `InvalidMatchKey` for one that cannot be."""
        return tuple(match_key(self.model, **options) for options in self.keys)


_declarations: dict[type[Model], Declaration] = {}


def register(
    model: type[Model],
    *,
    keys: Iterable[str | Sequence[str] | Mapping[str, Any]] = (),
    survivor: Any = "oldest",
    field_rules: Mapping[str, str | Callable[[list[Any]], Any]] | None = None,
    on_collision: str = "hold",
    collisions: Mapping[str, str] | None = None,
    on_conflict: str = "survivor",
    references: Iterable[str | CustomReference] | Mapping[str, str] = (),
) -> None:
    """Declare, in an app's ``dedupe.py``, how duplicates of a model are found and merged.

    Each of ``keys`` is a field, several fields, or the options of `match_key` as a mapping:
    ``"email__lower"``, ``("first_name", "last_name")``, ``{"fields": ["name"], "nulls": "equal"}``.
    ``survivor``, ``field_rules``, ``on_collision`` and ``on_conflict`` are the options of
    `MergePolicy`; ``collisions`` overrides ``on_collision`` for single references, by the names
    under which plans show them. ``references`` names columns that hold keys of this model without
    a relation (``"audit.Entry.person_id"``), with the field they hold where it is not the key, and
    may have instances of `CustomReference` among them.

    Options given to a command or function win over what is declared. Declaring a model again
    replaces what was declared before.
    """
    columns: dict[str | CustomReference, str] = dict.fromkeys(references, "pk")
    if isinstance(references, Mapping):
        columns.update(references)
    _declarations[concrete(model)] = Declaration(
        model=model,
        keys=tuple(_options(key) for key in keys),
        policy=MergePolicy(
            survivor=survivor,
            field_rules=field_rules or {},
            on_collision=on_collision,
            collisions=collisions or {},
            on_conflict=on_conflict,
        ),
        columns=columns,
    )


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
    declaration = declared(model)
    return replace(declaration.policy if declaration else MergePolicy(), **given)


def _options(key: str | Sequence[str] | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(key, str):
        return {"fields": (key,)}
    if isinstance(key, Mapping):
        return dict(key)
    return {"fields": tuple(key)}
