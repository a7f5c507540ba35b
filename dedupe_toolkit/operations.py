"""Migration operations: the guard before a unique constraint, and two ways to add one.

`make_unique` writes them. They stay importable under these names, since migrations of users'
projects hold them for good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError
from django.db import IntegrityError, NotSupportedError
from django.db.migrations.operations import AddConstraint
from django.db.migrations.operations.base import Operation, OperationCategory

from .databases.constraints import (
    add_unique_concurrently,
    builds_concurrently,
    whole_or_not_at_all,
)
from .engine.find import find_duplicates
from .source.lines import merge_line, way_out
from .values import Blanks, MatchKey, Nulls

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SHOWN = 3


class CheckNoDuplicates(Operation):
    """Stops a migration, before any change, on a database that has duplicates of a match key.

    Put it before the operation that adds the constraint. Counts every row that the constraint
    will count, in the database itself; dismissed groups count as well. Changes nothing in either
    direction, and squashing drops it. ``show_values=False`` keeps key values out of the error,
    for logs that must not hold them.
    """

    reduces_to_sql = False
    reversible = True
    elidable = True
    category = OperationCategory.PYTHON

    def __init__(
        self,
        model_name: str,
        fields: Iterable[str],
        *,
        app_label: str | None = None,
        nulls: str = Nulls.DISTINCT.value,
        blanks: str = Blanks.EQUAL.value,
        where: Mapping[str, Any] | None = None,
        show_values: bool = True,
    ) -> None:
        self.model_name = model_name
        self.fields = list(fields)
        self.app_label = app_label
        self.nulls = nulls
        self.blanks = blanks
        self.where = dict(where or {})
        self.show_values = show_values

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        kwargs: dict[str, Any] = {"model_name": self.model_name, "fields": self.fields}
        defaults: dict[str, Any] = {
            "app_label": None,
            "nulls": Nulls.DISTINCT.value,
            "blanks": Blanks.EQUAL.value,
            "where": {},
            "show_values": True,
        }
        given = {name: getattr(self, name) for name in defaults}
        kwargs |= {name: value for name, value in given.items() if value != defaults[name]}
        return self.__class__.__qualname__, [], kwargs

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The models stay as they are."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        model = from_state.apps.get_model(self.app_label or app_label, self.model_name)
        using = schema_editor.connection.alias
        if schema_editor.collect_sql or not self.allow_migrate_model(using, model):
            return
        found = find_duplicates(self._key(model), using=using, limit=_SHOWN, include_dismissed=True)
        if found.groups:
            raise CommandError(self._message(found, using))

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """There is nothing to take back."""

    def describe(self) -> str:
        return f"Check that {self.model_name} has no duplicates on {', '.join(self.fields)}"

    def _key(self, model: Any) -> MatchKey:
        return MatchKey(
            model=model,
            fields=tuple(self.fields),
            nulls=Nulls(self.nulls),
            blanks=Blanks(self.blanks),
            where=tuple(self.where.items()),
        )

    def _message(self, found: Any, using: str) -> str:
        first = "; ".join(
            f"{', '.join(map(repr, group.values.values()))} ({group.rows} rows)"
            for group in found.duplicate_groups
        )
        groups = "1 duplicate group" if found.groups == 1 else f"{found.groups} duplicate groups"
        shown = f", first {first}" if self.show_values else ""
        merging = f"run {merge_line(found.key, using)}, then migrate again"
        return (
            f"{found.key.label} has {groups} ({found.rows} rows) on {', '.join(self.fields)}"
            f"{shown}; nothing was changed by this migration; {way_out(found, merging)}"
        )


class AddUniqueConstraintConcurrently(AddConstraint):
    """Adds a unique constraint; PostgreSQL goes on writing to the table meanwhile.

    The migration needs ``atomic = False``. Databases that cannot build an index concurrently
    add the constraint as `AddConstraint` does, whole or not at all.
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
            add_unique_concurrently(schema_editor, model, constraint)
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

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        kwargs = {"app_label": self.app_label, "operation": self.operation}
        return self.__class__.__qualname__, [], kwargs

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
