"""System checks of what apps declare in ``dedupe.py``: misuse is found before the first merge."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.core.checks import Error
from django.core.checks import Warning as CheckWarning

from .databases import database
from .databases.tables import tables_with_rows
from .engine.field_rules import resolve_rules
from .engine.strangers import find_strangers
from .engine.survivors import RULES, by_fields
from .errors import DedupeError
from .graph.discover import family_of
from .graph.registered import registered_reference
from .graph.unknown import unknown_relations
from .registry import Declaration, declarations
from .suggest import nearest
from .values import OnCollision, OnConflict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


def check_declarations(**_: Any) -> list[Error]:
    """Everything that is wrong in the declarations of all apps, each with an id and a hint."""
    return [error for one in declarations() for error in _check(one)]


def check_relations(**_: Any) -> list[CheckWarning]:
    """The relations to declared models that no merge can follow, each with an id and a hint."""
    return [warning for one in declarations() for warning in _unknown(one)]


def check_databases(databases: Sequence[str] | None = None, **_: Any) -> list[CheckWarning]:
    """The foreign keys to declared models that only the databases know, each with an id."""
    return [
        warning
        for using in databases or ()
        for one in declarations()
        for warning in _strangers(one, using)
    ]


def _strangers(one: Declaration, using: str) -> Iterator[CheckWarning]:
    tables = tables_with_rows(using)
    # before the first migration there is nothing to look at
    models = [m for m in family_of(one.model) if m._meta.db_table in tables]
    if apps.is_installed("django.contrib.contenttypes") and "django_content_type" not in tables:
        return
    for model in sorted(models, key=lambda model: model._meta.label):
        for key in find_strangers(database(using), model):
            yield CheckWarning(
                f"{model._meta.label}: {key.table}.{key.column} points at it in database {using!r},"
                " and no model of the project has this table: its groups are held back",
                hint="Give the table a model (managed = False will do), or drop the foreign key.",
                obj=one.model,
                id="dedupe_toolkit.W002",
            )


def _unknown(one: Declaration) -> Iterator[CheckWarning]:
    label = one.model._meta.label
    for name in unknown_relations(one.model):
        yield CheckWarning(
            f"{label}: no merge knows how to follow {name}, so merges of this model are refused",
            hint=f'If its column holds primary keys: references=["{name}"] in dedupe.py.',
            obj=one.model,
            id="dedupe_toolkit.W001",
        )


def _check(one: Declaration) -> Iterator[Error]:
    yield from _tried(one, "E001", one.match_keys, "Correct the keys of this model in dedupe.py.")
    yield from _tried(
        one,
        "E002",
        lambda: resolve_rules(one.model, one.policy.field_rules),
        "Correct field_rules in dedupe.py.",
    )
    yield from _tried(
        one,
        "E003",
        lambda: _check_survivor(one),
        "Correct survivor in dedupe.py.",
    )
    yield from _check_choices(one)
    for named, target in one.columns.items():
        yield from _tried(
            one,
            "E005",
            partial(registered_reference, one.model, named, target),
            'Write references as "app.Model.field", or as instances of a class, in dedupe.py.',
        )


def _check_survivor(one: Declaration) -> None:
    rule = one.policy.survivor
    if isinstance(rule, str) and rule not in RULES:
        by_fields(one.model, rule)


def _tried(one: Declaration, number: str, attempt: Callable[[], Any], hint: str) -> Iterator[Error]:
    try:
        attempt()
    except (DedupeError, TypeError, ValueError) as error:
        yield _error(one, number, str(error), hint)


def _check_choices(one: Declaration) -> Iterator[Error]:
    chosen = [
        ("on_collision", one.policy.on_collision, OnCollision),
        ("on_conflict", one.policy.on_conflict, OnConflict),
        *(
            (f"collisions[{name!r}]", rule, OnCollision)
            for name, rule in one.policy.collisions.items()
        ),
    ]
    for name, value, kind in chosen:
        known = [choice.value for choice in kind]
        if value not in known:
            text = f"{name} is {value!r}, not one of {', '.join(known)}{nearest(str(value), known)}"
            yield _error(one, "E004", text, "Correct it in dedupe.py.")


def _error(one: Declaration, number: str, text: str, hint: str) -> Error:
    label = one.model._meta.label
    message = text if text.startswith(label) else f"{label}: {text}"
    return Error(message, hint=hint, obj=one.model, id=f"dedupe_toolkit.{number}")
