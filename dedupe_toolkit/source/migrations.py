"""The migration that adds a constraint, by Django's own autodetector and writer."""

from __future__ import annotations

from dataclasses import dataclass
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
from .edits import FileEdit, read_source
from .generated import with_columns
from .project import migrations_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.migrations.loader import MigrationLoader
    from django.db.models import UniqueConstraint

    from ..values import MatchKey

_LATEST = "max_migration.txt"
_CLASS = "class Migration(migrations.Migration):\n"
_NOT_ATOMIC = "\n    # an index that is built concurrently cannot be part of a transaction\n"


@dataclass(frozen=True, kw_only=True)
class Choices:
    """How the migration adds the constraint, and whether its errors may hold key values."""

    concurrently: bool = False
    show_values: bool = False


def own_migration(
    key: MatchKey,
    constraint: UniqueConstraint | None,
    choices: Choices,
    loader: MigrationLoader,
    fields: Mapping[str, Any] | None = None,
) -> tuple[FileEdit, ...]:
    """The migration for the model's own app; ``unique_together`` when there is no constraint.

    New generated ``fields`` are added first, and ``unique_together`` is about their columns.

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
    _change(after.models[app, key.model._meta.model_name], key, constraint, fields or {})
    (migration,) = _changes(before, after, app, loader, _name(key))[app]
    changes = [_concurrent(one) if choices.concurrently else one for one in migration.operations]
    migration.operations = [guard(key, choices), *changes]
    return _files(migration, loader)


def foreign_migration(
    key: MatchKey,
    constraint: UniqueConstraint,
    choices: Choices,
    into_app: str,
    loader: MigrationLoader,
) -> tuple[FileEdit, ...]:
    """The migration of another app that adds the constraint to a model it does not own."""
    meta: Any = key.model._meta
    owner = meta.app_label
    if owner not in loader.migrated_apps:
        raise ConstraintRefused(f"{key.label}: app {owner!r} has no migrations to build on")
    migrations_folder(into_app, loader)
    for app in (into_app, owner):
        _require_one_leaf(app, loader)
    addition = AddConstraint(meta.model_name, constraint)
    change = operations.ForOtherApp(
        owner, _concurrent(addition) if choices.concurrently else addition
    )
    migration: Any = Migration("custom", into_app)
    migration.operations = [guard(key, choices, owner), change]
    migration.dependencies = [(owner, loader.graph.leaf_nodes(owner)[0][1])]
    state = ProjectState()
    detector = MigrationAutodetector(state, state, _questioner(into_app))
    detector.arrange_for_graph({into_app: [migration]}, loader.graph, f"{owner}_{_name(key)}")
    return _files(migration, loader)


def guard(
    key: MatchKey, choices: Choices, app_label: str | None = None
) -> operations.CheckNoDuplicates:
    """The operation that stops the migration on a database with duplicates of the key."""
    given: dict[str, Any] = {
        "app_label": app_label,
        "nulls": "" if key.nulls is Nulls.DISTINCT else key.nulls.value,
        "blanks": "" if key.blanks is Blanks.EQUAL else key.blanks.value,
        "where": dict(key.where),
        "show_values": choices.show_values,
    }
    options = {name: value for name, value in given.items() if value}
    model_name: Any = key.model._meta.model_name
    return operations.CheckNoDuplicates(model_name, list(key.fields), **options)


def _change(
    state: Any, key: MatchKey, constraint: UniqueConstraint | None, fields: Mapping[str, Any]
) -> None:
    """Change a model's state as the edited source will."""
    options = state.options
    state.fields.update(fields)
    if constraint is None:
        options["unique_together"] = {*options.get("unique_together", ()), with_columns(key)}
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


def _files(migration: Any, loader: MigrationLoader) -> tuple[FileEdit, ...]:
    """The migration, last, and the file in which django-linear-migrations keeps its name."""
    text = MigrationWriter(migration).as_string()
    if any(map(_is_concurrent, migration.operations)):
        text = text.replace(_CLASS, f"{_CLASS}{_NOT_ATOMIC}    atomic = False\n", 1)
    folder = Path(migrations_folder(migration.app_label, loader))
    new = FileEdit(path=folder / f"{migration.name}.py", before=None, after=text)
    latest = folder / _LATEST
    if not latest.exists():
        return (new,)
    before, encoding = read_source(latest)
    after = f"{migration.name}\n"
    return FileEdit(path=latest, before=before, after=after, encoding=encoding), new
