"""System checks of what apps declare in ``dedupe.py``: misuse is found before the first merge."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.core.checks import CheckMessage, Error, Info
from django.core.checks import Warning as CheckWarning
from django.db import router

from .collisions.resolutions import RESOLUTIONS, names_for_all
from .databases import database
from .databases.caching import caching
from .databases.places import has_table, stores_rows
from .errors import DedupeError
from .field_rules.rules import resolve_rules
from .finding.survivor_rules import RULES, by_fields
from .planning.reasons.undeclared_keys import find_undeclared_keys
from .references.discover import kin_of
from .references.registered import registered_reference
from .references.together import declared_together
from .references.type_columns import ambiguity
from .references.unique import RuleStanding, rule_standings
from .references.unknown import unknown_relations
from .registry import Declaration, declarations
from .source.pending import Pending, why_pending
from .suggest import nearest
from .values import OnConflict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


def check_declarations(**_: Any) -> list[Error]:
    """Everything that is wrong in the declarations of all apps, each with an id and a hint."""
    return [error for one in declarations() for error in _check(one)]


@caching()
def check_relations(**_: Any) -> list[CheckWarning]:
    """The relations to declared models that no merge can follow, each with an id and a hint."""
    return [warning for one in declarations() for warning in (*_unknown(one), *_ambiguous(one))]


@caching()
def check_databases(databases: Sequence[str] | None = None, **_: Any) -> list[CheckWarning]:
    """The foreign keys to declared models that only the databases know, each with an id."""
    return [
        warning
        for using in databases or ()
        for one in declarations()
        for warning in _undeclared_keys(one, using)
    ]


@caching()
def check_unique_rules(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """The unique rules that models declare and the databases do not keep, each with an id."""
    return [message for using in databases or () for message in _not_kept(using)]


def _not_kept(using: str) -> Iterator[CheckMessage]:
    models = [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed
        and not model._meta.proxy
        and stores_rows(model, using)
        and router.allow_migrate_model(using, model)
    ]
    found = database(using)
    found.read_rules(models)
    for model in models:
        for standing in rule_standings(model, found):
            if standing.declared and not standing.is_valid:
                pending = why_pending(standing, using)
                # migrate runs the checks first, and need not be told what it is about to do
                if pending.is_applied or sys.argv[1:2] != ["migrate"]:
                    yield _promise(standing, pending)


def _promise(standing: RuleStanding, pending: Pending) -> CheckMessage:
    what = f"{standing.model._meta.label}: {pending.where}"
    if pending.is_applied:
        steps = ", then ".join(pending.steps)
        return CheckWarning(
            what,
            hint=f"Merge the duplicates that there may be, then: {steps}",
            obj=standing.model,
            id="dedupe_toolkit.W004",
        )
    return Info(
        what,
        hint="find_duplicates shows the rows that would stop it, merge_duplicates merges them.",
        obj=standing.model,
        id="dedupe_toolkit.I001",
    )


def _undeclared_keys(one: Declaration, using: str) -> Iterator[CheckWarning]:
    # before the first migration there is nothing to look at
    models = [m for m in kin_of(one.model) if stores_rows(m, using)]
    types = [m for m in apps.get_models() if m._meta.label == "contenttypes.ContentType"]
    if not all(has_table(model, using) for model in types):
        return
    models.sort(key=lambda model: model._meta.label)
    for model, keys in find_undeclared_keys(database(using), models).items():
        for key in keys:
            yield CheckWarning(
                f"{model._meta.label}: {key.label} points at it in database {using!r},"
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


def _ambiguous(one: Declaration) -> Iterator[CheckWarning]:
    for named, target in one.columns.items():
        try:
            reference = registered_reference(one.model, named, target)
        except DedupeError:
            continue  # an error of its own says so
        if reference.type_column:
            yield CheckWarning(
                ambiguity(reference),
                hint="Until then merges of this model are refused.",
                obj=one.model,
                id="dedupe_toolkit.W003",
            )


def _check(one: Declaration) -> Iterator[Error]:
    rules, model = one.policy.field_rules, one.model
    yield from _tried(one, "E001", one.match_keys, "Correct the keys of this model in dedupe.py.")
    hint = "Correct field_rules in dedupe.py."
    yield from _tried(one, "E002", partial(resolve_rules, model, rules), hint)
    hint = "Correct survivor in dedupe.py."
    yield from _tried(one, "E003", partial(_check_survivor, one), hint)
    yield from _check_choices(one)
    hint = "Correct together in dedupe.py."
    for names in one.together or ():
        yield from _tried(one, "E006", partial(declared_together, model, names), hint)
    hint = 'Write references as "app.Model.field", or as instances of a class, in dedupe.py.'
    for column in one.columns.items():
        yield from _tried(one, "E005", partial(registered_reference, model, *column), hint)


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
    chosen: list[tuple[str, Any, Iterable[Any]]] = [
        ("on_collision", one.policy.on_collision, names_for_all()),
        ("on_conflict", one.policy.on_conflict, OnConflict),
        *(
            (f"collisions[{name!r}]", rule, RESOLUTIONS)
            for name, rule in one.policy.collisions.items()
        ),
    ]
    for name, value, choices in chosen:
        known = list(map(str, choices))
        if value not in known:
            text = f"{name} is {value!r}, not one of {', '.join(known)}{nearest(str(value), known)}"
            yield _error(one, "E004", text, "Correct it in dedupe.py.")


def _error(one: Declaration, number: str, text: str, hint: str) -> Error:
    label = one.model._meta.label
    message = text if text.startswith(label) else f"{label}: {text}"
    return Error(message, hint=hint, obj=one.model, id=f"dedupe_toolkit.{number}")
