"""Undeclared keys: foreign keys of the database that belong to no model of the project.

Nothing can be repointed there, and deleting a row would break them or, worse, cascade; so would
moving its key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.apps import apps

from ...databases.places import place_of
from ...references.discover import references_to
from ...repointing.followers import followers
from ...repointing.rows import repointed_rows
from .limits import hold_unnamed
from .unfollowed import hold_computed, hold_torn, hold_unfollowed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import Model

    from ...collisions.rivals import Rivals
    from ...databases import Database
    from ...databases.tables import DatabaseKey, Table
    from ...field_rules.family import FieldRules
    from ...mapping.mapping import MergeMap
    from ...references.kinds import Reference
    from ...references.referrers import Referrer
    from ..session import Session


def find_undeclared_keys(
    database: Database, models: Sequence[type[Model]]
) -> dict[type[Model], list[DatabaseKey]]:
    """The foreign keys to each model's table that no model declares; asks once for all."""
    keys = find_keys(database, models)
    return {model: undeclared(database, model, keys[model]) for model in models}


def find_keys(
    database: Database, models: Sequence[type[Model]]
) -> dict[type[Model], list[DatabaseKey]]:
    """The foreign keys to each model's table, declared or not; asks once for all."""
    keys = database.foreign_keys_to([model._meta.db_table for model in models])
    return {model: keys[model._meta.db_table] for model in models}


def undeclared(
    database: Database, model: type[Model], keys: Sequence[DatabaseKey]
) -> list[DatabaseKey]:
    """Those of the foreign keys to a model's table that no model declares."""
    if not keys:
        return []
    known = {
        (place.identity, database.as_compared(column))
        for reference in references_to(model, database.using)
        if (place := place_of(reference.referrer, database.using))
        for column in reference.columns
    }
    return [
        key
        for key in keys
        if not any(
            {(referrer, database.as_compared(column)) for column in key.columns} <= known
            for referrer in key.referrers
        )
    ]


def hold_undeclared_keys(session: Session, mapping: MergeMap, rules: FieldRules) -> None:
    """Hold back the groups with duplicates that a table without a model points at.

    And those with survivors at which it points by a value that a field rule may replace.
    """
    database = session.database
    rows = f"FROM {mapping.with_rows('t', database)} WHERE"
    ruled = {
        database.as_compared(column.name)
        for column in mapping.table.non_key_columns
        if rules.replaces(mapping, column)
    }
    for key in session.undeclared_keys(mapping.table.model):
        stays = ruled.isdisjoint(map(database.as_compared, key.targets))
        going = "m.place > 0" if stays else "m.place >= 0"
        _hold(session, mapping.table, f"{rows} {going}", key)


def hold_undeclared_keys_of_losers(session: Session, rivals: Rivals, where: str) -> None:
    """Hold back the groups with losers (``m``), to be deleted, that such a table points at."""
    database, table = session.database, rivals.referrer.table
    rows = database.selecting(table, rivals.losing.only(where))
    for key in session.undeclared_keys(table.model):
        _hold(session, table, rows, key)


def hold_undeclared_keys_of_movers(session: Session, mapping: MergeMap, referrer: Referrer) -> None:
    """Hold back the groups because of which a row moves that such a table points at.

    Rows move whose key holds a reference that is repointed, and so does what follows them.
    """
    for reference in referrer.references:
        _hold_movers(session, mapping, referrer, reference)


def _hold_movers(
    session: Session, mapping: MergeMap, referrer: Referrer, reference: Reference
) -> None:
    rows = repointed_rows(session.database, mapping, reference)
    for key in undeclared_keys_of_movers(session, referrer, reference):
        _hold(session, referrer.table, rows, key)
    hold_torn(session, mapping, referrer, reference)
    hold_computed(session, mapping, referrer, reference)
    hold_unnamed(session, referrer.table, rows)
    for follower in followers(session, mapping, referrer, reference):
        hold_unfollowed(session, referrer, follower)
        _hold_movers(session, follower.mapping, follower.referrer, follower.reference)


def undeclared_keys_of_movers(
    session: Session, referrer: Referrer, reference: Reference
) -> list[DatabaseKey]:
    """The undeclared keys that point at columns which repointing a reference changes."""
    # only what is unique can be pointed at, and nothing points at links of two rows
    is_unique = any(reference in referrer.touching(rule) for rule in referrer.rules)
    if referrer.is_link or not is_unique:
        return []
    undeclared_keys = session.undeclared_keys(referrer.table.model)
    as_compared = session.database.as_compared
    moving = set(map(as_compared, reference.columns))
    return [one for one in undeclared_keys if not moving.isdisjoint(map(as_compared, one.targets))]


def _hold(session: Session, table: Table, rows: str, key: DatabaseKey) -> None:
    """Hold back the groups (``m``) of rows (``t``) that an undeclared key points at."""
    database = session.database
    points = database.join_on("s", key.columns, "t", key.targets)
    owner = _model_of(session, key)
    session.held.add_rows(
        "unknown relation" if owner else "unknown table",
        f"{rows} AND EXISTS (SELECT 1 FROM {database.q(key.table)} s WHERE {points})",
        table.pk,
        {
            "key": key.label,
            "about": _named(session, table),
            "model": owner or table.model._meta.label,
        },
    )


def _model_of(session: Session, key: DatabaseKey) -> str:
    """The model that has the key's table, and does not show the key; "" where none has it."""
    for model in apps.get_models(include_auto_created=True):
        place = place_of(model, session.database.using)
        if place and place.identity in key.referrers:
            return model._meta.label
    return ""


def _named(session: Session, table: Table) -> str:
    """The model, where the row is none of those that a person speaks of."""
    is_top = table.model is session.source.model
    return "" if is_top else f"{table.model._meta.label} "
