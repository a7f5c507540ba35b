"""Adds a unique constraint while others write, or to the table of another app."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError
from django.db import IntegrityError, NotSupportedError, OperationalError
from django.db.migrations.operations import AddConstraint
from django.db.migrations.operations.base import Operation

from ..databases import database
from ..databases.constraints import (
    add_unique_concurrently,
    builds_concurrently,
    whole_or_not_at_all,
)
from ..errors import ConstraintRefused


class AddUniqueConstraintConcurrently(AddConstraint):
    """Adds a unique constraint; PostgreSQL goes on writing to the table meanwhile.

    The migration needs ``atomic = False``. Databases that cannot build an index concurrently
    add the constraint as `AddConstraint` does, whole or not at all. When it is stopped, by
    whatever, migrating again goes on where it stopped.
    """

    atomic = False

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        connection = schema_editor.connection
        if not builds_concurrently(connection):
            with whole_or_not_at_all(connection):
                super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        if connection.in_atomic_block:
            raise NotSupportedError(
                f"{self.__class__.__name__} cannot run inside a transaction:"
                " set atomic = False on the migration"
            )
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(connection.alias, model):
            self._add(schema_editor, model)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        with whole_or_not_at_all(schema_editor.connection):
            super().database_backwards(app_label, schema_editor, from_state, to_state)

    def describe(self) -> str:
        return f"Concurrently create constraint {self.constraint.name} on {self.model_name}"

    def _add(self, schema_editor: Any, model: Any) -> None:
        try:
            constraint: Any = self.constraint
            found = database(schema_editor.connection.alias)
            add_unique_concurrently(schema_editor, model, constraint, found)
        except ConstraintRefused as error:
            raise CommandError(str(error)) from error
        except OperationalError as error:
            detail = " ".join(str(error).split())
            raise CommandError(
                f"{model._meta.label}: {self.constraint.name} is not there yet ({detail}); migrate"
                " again, it goes on where it stopped"
            ) from error
        except IntegrityError as error:
            detail = " ".join(str(error).split())
            raise CommandError(
                f"{model._meta.label}: a duplicate arrived while {self.constraint.name} was being"
                f" built ({detail}); the unfinished index is gone; merge, then migrate again"
            ) from error


class ForOtherApp(Operation):
    """Runs an operation on the tables of another app, and leaves that app's state as it is.

    For constraints on models of installed packages: their own migrations never hear of it, so
    ``makemigrations`` stays quiet. On SQLite a later migration of that package which rebuilds
    the table drops the constraint without a word; the other databases keep it.
    """

    reduces_to_sql = True
    reversible = True

    def __init__(self, app_label: str, operation: AddConstraint) -> None:
        self.app_label = app_label
        self.operation = operation
        self.atomic = operation.atomic  # type: ignore[misc]  # as Django's own RunPython does

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The other app's models stay as its own migrations describe them."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        changed = self._changed(to_state)
        self.operation.database_forwards(self.app_label, schema_editor, from_state, changed)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        changed = self._changed(from_state)
        self.operation.database_backwards(self.app_label, schema_editor, changed, to_state)

    def describe(self) -> str:
        return f"{self.operation.describe()} of {self.app_label}"

    def _changed(self, state: Any) -> Any:
        """The state as it would be if the operation were the other app's own."""
        changed = state.clone()
        self.operation.state_forwards(self.app_label, changed)
        return changed
