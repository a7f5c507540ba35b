"""Unique rules of models.py that the database does not keep: no merge holds by them.

Reads the catalogue, and no rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..references.meta import named_in
from ..references.unique import rule_standings
from ..references.unique_declared import can_have, declared_rules
from ..sentences import Sentence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model

    from ..databases import Database
    from ..references.unique_declared import DeclaredRule
    from .levels import Level


def unenforced(database: Database, level: Level) -> tuple[Sentence, ...]:
    """A sentence for each such rule that rows may break once they are merged or repointed."""
    found: dict[Sentence, None] = {}
    for below in level.levels():
        model = below.mapping.table.model
        found |= dict.fromkeys(_sentences(database, model, None))
        for work in below.works:
            moved = {
                column
                for reference in work.referrer.references
                if reference in below.pointing
                for column in reference.columns
            }
            if moved:
                found |= dict.fromkeys(_sentences(database, work.referrer.table.model, moved))
    return tuple(found)


def _sentences(
    database: Database, model: type[Model], moved: set[str] | None
) -> Iterator[Sentence]:
    label = model._meta.label
    server: Any = database.connection
    for rule in declared_rules(model):
        if not can_have(database, rule) and _speaks_of(model, rule, moved):
            where = f"and {server.display_name} has no such rules"
            yield Sentence("no rule", model=label, rule=rule.text, where=where)
    for standing in rule_standings(model, database):
        declared, live = standing.declared, standing.live
        is_kept = declared is None or declared.is_primary_key or (live and live.is_checked)
        if declared and not is_kept and _speaks_of(model, declared, moved):
            where = "not in the database"
            yield Sentence("no rule", model=label, rule=declared.text, where=where)


def _speaks_of(model: type[Model], rule: DeclaredRule, moved: set[str] | None) -> bool:
    """Whether a rule depends on any of these columns; on any at all where none are named."""
    if moved is None:
        return True
    names = {name.split("__")[0] for part in rule.expressions for name in named_in(part)}
    names |= rule.condition.referenced_base_fields if rule.condition is not None else set()
    columns = {field.column for field in model._meta.local_concrete_fields if field.name in names}
    return not moved.isdisjoint({*rule.columns, *columns})
