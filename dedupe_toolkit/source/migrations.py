"""The migration that adds a constraint, by Django's own autodetector and writer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db.migrations import Migration
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.operations import AddConstraint
from django.db.migrations.questioner import MigrationQuestioner
from django.db.migrations.state import ProjectState
from django.db.migrations.writer import MigrationWriter

from .. import operations
from ..errors import ConstraintRefused
from ..values import Blanks, Nulls
from .covered import says_the_same
from .edits import FileEdit
from .project import migrations_folder

if TYPE_CHECKING:
    from django.db.migrations.loader import MigrationLoader
    from django.db.models import UniqueConstraint

    from ..values import MatchKey

_CLASS = "class Migration(migrations.Migration):\n"
_NOT_ATOMIC = "\n    # an index that is built concurrently cannot be part of a transaction\n"


def own_migration(
    key: MatchKey, constraint: UniqueConstraint | None, concurrently: bool, loader: MigrationLoader
) -> FileEdit:
    """The migration for the model's own app; ``unique_together`` when there is no constraint.

    Raises `ConstraintRefused` unless the app's migrations and models agree at the moment.
    """
    app = key.model._meta.app_label
    migrations_folder(app, loader)
    _require_one_leaf(app, loader)
    before = loader.project_state()
    if app in _changes(before, ProjectState.from_apps(apps), app, loader, None):
        raise ConstraintRefused(
            f"app {app!r} has model changes without a migration;"
            f" run manage.py makemigrations {app} first"
        )
    after = ProjectState.from_apps(apps)
    _change(after.models[app, key.model._meta.model_name], key, constraint)
    (migration,) = _changes(before, after, app, loader, _name(key))[app]
    changes = [_concurrent(one) if concurrently else one for one in migration.operations]
    migration.operations = [guard(key), *changes]
    return _file(migration, loader)


def foreign_migration(
    key: MatchKey,
    constraint: UniqueConstraint,
    concurrently: bool,
    into_app: str,
    loader: MigrationLoader,
) -> FileEdit:
    """The migration of another app that adds the constraint to a model it does not own."""
    meta: Any = key.model._meta
    owner = meta.app_label
    if owner not in loader.migrated_apps:
        raise ConstraintRefused(f"{key.label}: app {owner!r} has no migrations to build on")
    migrations_folder(into_app, loader)
    for app in (into_app, owner):
        _require_one_leaf(app, loader)
    addition = AddConstraint(meta.model_name, constraint)
    change = operations.ForOtherApp(owner, _concurrent(addition) if concurrently else addition)
    migration: Any = Migration("custom", into_app)
    migration.operations = [guard(key, owner), change]
    migration.dependencies = [(owner, loader.graph.leaf_nodes(owner)[0][1])]
    state = ProjectState()
    detector = MigrationAutodetector(state, state, _questioner(into_app))
    detector.arrange_for_graph({into_app: [migration]}, loader.graph, f"{owner}_{_name(key)}")
    return _file(migration, loader)


def foreign_rule(key: MatchKey, constraint: UniqueConstraint, loader: MigrationLoader) -> str:
    """The migration of another app that adds this constraint already; "" if none does."""
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
                return f"the constraint {there.name} of migration {app}.{name}"
    return ""


def guard(key: MatchKey, app_label: str | None = None) -> operations.CheckNoDuplicates:
    """The operation that stops the migration on a database with duplicates of the key."""
    meta: Any = key.model._meta
    return operations.CheckNoDuplicates(
        meta.model_name,
        key.fields,
        app_label=app_label,
        nulls=Nulls(key.nulls).value,
        blanks=Blanks(key.blanks).value,
        where=dict(key.where),
    )


def _change(state: Any, key: MatchKey, constraint: UniqueConstraint | None) -> None:
    """Change a model's state as the edited source will."""
    options = state.options
    if constraint is None:
        options["unique_together"] = {*options.get("unique_together", ()), key.fields}
    else:
        options["constraints"] = [*options.get("constraints", ()), constraint]


def _changes(
    before: ProjectState, after: ProjectState, app: str, loader: MigrationLoader, name: str | None
) -> dict[str, list[Any]]:
    detector = MigrationAutodetector(before, after, _questioner(app))
    found: dict[str, list[Any]] = detector.changes(
        graph=loader.graph, trim_to_apps={app}, convert_apps={app}, migration_name=name
    )
    return found


def _questioner(app: str) -> MigrationQuestioner:
    # not the non-interactive one: that ends the process at a question it cannot answer
    return MigrationQuestioner(specified_apps={app}, dry_run=True)


def _require_one_leaf(app: str, loader: MigrationLoader) -> None:
    leaves = sorted(name for _, name in loader.graph.leaf_nodes(app))
    if len(leaves) > 1:
        raise ConstraintRefused(
            f"app {app!r} has {len(leaves)} last migrations ({', '.join(leaves)});"
            " run manage.py makemigrations --merge first"
        )


def _name(key: MatchKey) -> str:
    fields = "_".join(lookup.replace("__", "_") for lookup in key.fields)
    return f"{key.model._meta.model_name}_unique_{fields}"[:48].rstrip("_")


def _concurrent(operation: Any) -> Any:
    return operations.AddUniqueConstraintConcurrently(operation.model_name, operation.constraint)


def _is_concurrent(operation: Any) -> bool:
    inner = getattr(operation, "operation", operation)
    return isinstance(inner, operations.AddUniqueConstraintConcurrently)


def _file(migration: Any, loader: MigrationLoader) -> FileEdit:
    text = MigrationWriter(migration).as_string()
    if any(map(_is_concurrent, migration.operations)):
        text = text.replace(_CLASS, f"{_CLASS}{_NOT_ATOMIC}    atomic = False\n", 1)
    path = migrations_folder(migration.app_label, loader) / f"{migration.name}.py"
    return FileEdit(path=Path(path), before=None, after=text)
