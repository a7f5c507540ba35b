"""Constraints that an app's migrations add to the tables of another app. Only reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import operations
from .covered import says_the_same

if TYPE_CHECKING:
    from django.db.migrations.loader import MigrationLoader
    from django.db.models import UniqueConstraint

    from ..values import MatchKey


@dataclass(frozen=True, kw_only=True)
class ForeignRule:
    """A constraint, and the migration of another app that adds it."""

    app_label: str
    migration: str
    constraint: UniqueConstraint

    @property
    def text(self) -> str:
        return (
            f"the constraint {self.constraint.name} of migration {self.app_label}.{self.migration}"
        )


def foreign_rule(
    key: MatchKey, constraint: UniqueConstraint, loader: MigrationLoader
) -> ForeignRule | None:
    """The migration of another app that adds this constraint already, if one does."""
    for (app, name), migration in loader.disk_migrations.items():
        for one in migration.operations:
            if not isinstance(one, operations.ForOtherApp):
                continue
            is_same_model = (one.app_label, one.operation.model_name_lower) == (
                key.model._meta.app_label,
                key.model._meta.model_name,
            )
            there: Any = one.operation.constraint
            if is_same_model and says_the_same(there, constraint):
                return ForeignRule(app_label=app, migration=name, constraint=there)
    return None
