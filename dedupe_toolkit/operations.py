"""Migration operations: the guard before a unique constraint, two ways to add one, and a merge.

`make_unique` writes them. They stay importable under these names, since migrations of users'
projects hold them for good.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError
from django.db import IntegrityError, NotSupportedError, OperationalError
from django.db.migrations.operations import AddConstraint
from django.db.migrations.operations.base import Operation, OperationCategory

from .databases import database
from .databases.constraints import (
    add_unique_concurrently,
    builds_concurrently,
    whole_or_not_at_all,
)
from .errors import ConstraintRefused, DedupeError
from .finding.find import find_duplicates
from .keys import match_key
from .merging.merge import merge
from .models import MergeRun
from .planning.plan import plan_merge
from .source.lines import merge_line, way_out
from .undoing.undo import undo
from .values import Blanks, MatchKey, MergePolicy, Nulls

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SHOWN = 3
_KEY_OPTIONS = {"nulls", "blanks", "where", "ignore_case", "ignore_space"}


class _OnRows(Operation):
    """On the rows of a model, perhaps one of another app. The models stay as they are."""

    reduces_to_sql = False
    reversible = True
    category = OperationCategory.PYTHON

    model_name: str
    app_label: str | None

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The models stay as they are."""

    def _model(self, app_label: str, schema_editor: Any, state: Any) -> Any:
        """The model in a state; None where SQL is only shown, or the table is not to be there."""
        model = state.apps.get_model(self.app_label or app_label, self.model_name)
        is_there = self.allow_migrate_model(schema_editor.connection.alias, model)
        return model if is_there and not schema_editor.collect_sql else None


class CheckNoDuplicates(_OnRows):
    """Stops a migration, before any change, on a database that has duplicates of a match key.

    Put it before the operation that adds the constraint. Counts every row that the constraint
    will count, in the database itself; dismissed groups count as well. Changes nothing in either
    direction, and squashing drops it. ``show_values=True`` puts the largest groups' key values into
    the error: not for personal data, as logs keep it.
    """

    elidable = True

    def __init__(
        self,
        model_name: str,
        fields: Iterable[str],
        *,
        app_label: str | None = None,
        nulls: str = Nulls.DISTINCT.value,
        blanks: str = Blanks.EQUAL.value,
        where: Mapping[str, Any] | None = None,
        show_values: bool = False,
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
            "show_values": False,
        }
        given = {name: getattr(self, name) for name in defaults}
        kwargs |= {name: value for name, value in given.items() if value != defaults[name]}
        return self.__class__.__qualname__, [], kwargs

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        model = self._model(app_label, schema_editor, from_state)
        if model is None:
            return
        using = schema_editor.connection.alias
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


class MergeDuplicates(_OnRows):
    """Merges the duplicates of a match key on the way, for products that others install.

    Takes the options of `match_key` and, with the same defaults, of `MergePolicy`, as plain values.
    References are those of the migration's own models: a migration depends on all apps whose
    models may point at the model, and on ``("dedupe_toolkit", "0001_initial")``. What only the
    project's models show (a generic key of an app that the migration does not depend on, a
    reference declared in ``dedupe.py``) stops the migration before any change.

    Groups held back stop it as well, unless ``leave_held_back`` is true: with ``atomic = True``,
    nothing was changed then. Migrating backwards undoes what the operation has merged. Squashing
    keeps it; ``sqlmigrate`` shows nothing of it.
    """

    def __init__(
        self,
        model_name: str,
        fields: Iterable[str],
        *,
        app_label: str | None = None,
        leave_held_back: bool = False,
        nulls: str | None = None,
        blanks: str | None = None,
        where: Mapping[str, Any] | None = None,
        ignore_case: bool | None = None,
        ignore_space: bool | None = None,
        survivor: str | None = None,
        field_rules: Mapping[str, str] | None = None,
        on_collision: str | None = None,
        collisions: Mapping[str, str] | None = None,
        on_conflict: str | None = None,
        batch_size: int | None = None,
    ) -> None:
        self.model_name = model_name
        self.fields = list(fields)
        self.app_label = app_label
        self.leave_held_back = leave_held_back
        given: dict[str, Any] = {
            "nulls": nulls,
            "blanks": blanks,
            "where": where,
            "ignore_case": ignore_case,
            "ignore_space": ignore_space,
            "survivor": survivor,
            "field_rules": field_rules,
            "on_collision": on_collision,
            "collisions": collisions,
            "on_conflict": on_conflict,
            "batch_size": batch_size,
        }
        self.options: dict[str, Any] = {
            name: value for name, value in given.items() if value is not None
        }

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        kwargs: dict[str, Any] = {"model_name": self.model_name, "fields": self.fields}
        if self.app_label is not None:
            kwargs["app_label"] = self.app_label
        if self.leave_held_back:
            kwargs["leave_held_back"] = True
        return self.__class__.__qualname__, [], kwargs | self.options

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        model = self._model(app_label, schema_editor, from_state)
        if model is None:
            return
        using = schema_editor.connection.alias
        try:
            plan = plan_merge(self._key(model), using=using, policy=self._policy())
            self._stop_if_held(model, [group.reason for group in plan.held_back])
            if plan.groups:
                run = merge(plan, progress=_told(f"{model._meta.label}: groups merged"))
                self._remember(app_label, run, using)
                self._stop_if_held(model, [group["reason"] for group in run.held_back])
        except DedupeError as error:
            raise CommandError(str(error)) from error

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        model = self._model(app_label, schema_editor, to_state)
        if model is None:
            return
        using = schema_editor.connection.alias
        runs = MergeRun.objects.using(using).filter(
            model=model._meta.label, policy__operation=self._name(app_label)
        )
        gone = (MergeRun.Status.UNDONE,)
        try:
            for run in runs.exclude(status__in=gone).order_by("-pk"):
                undo(run, using=using, progress=_told(f"{model._meta.label}: groups undone"))
        except DedupeError as error:
            raise CommandError(str(error)) from error

    def describe(self) -> str:
        return f"Merge duplicates of {self.model_name} on {', '.join(self.fields)}"

    def _key(self, model: Any) -> MatchKey:
        given = {name: self.options[name] for name in _KEY_OPTIONS & self.options.keys()}
        return match_key(model, self.fields, **given)

    def _policy(self) -> MergePolicy:
        given = {name: self.options[name] for name in self.options.keys() - _KEY_OPTIONS}
        return MergePolicy(**given)

    def _name(self, app_label: str) -> str:
        """What the runs of this operation are known by, when it is taken back."""
        return f"{app_label} {self.describe()}"

    def _remember(self, app_label: str, run: MergeRun, using: str) -> None:
        run.policy = {**run.policy, "operation": self._name(app_label)}
        run.save(using=using, update_fields=["policy"])

    def _stop_if_held(self, model: Any, reasons: list[str]) -> None:
        if not reasons or self.leave_held_back:
            return
        groups = "1 group" if len(reasons) == 1 else f"{len(reasons):,} groups"
        shown = "; ".join(reasons[:_SHOWN])
        raise CommandError(
            f"{model._meta.label}: {groups} of {', '.join(self.fields)} cannot be merged by this"
            f" migration: {shown}{'; …' if len(reasons) > _SHOWN else ''}"
        )


def _told(what: str) -> Any:
    """Progress for a person at a terminal, and nothing elsewhere."""

    def tell(done: int, total: int) -> None:
        if sys.stderr.isatty():
            end = "\n" if done >= total else ""
            sys.stderr.write(f"\r    {what}: {done:,} of {total:,}{end}")
            sys.stderr.flush()

    return tell


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
