"""Which files belong to the project: those it is safe to edit. Reads, never writes."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.conf import settings
from django.db.migrations.loader import MigrationLoader

from ..errors import ConstraintRefused, InvalidOption
from ..suggest import nearest

if TYPE_CHECKING:
    from django.apps import AppConfig
    from django.db.models import Model

_INSTALLED = {"site-packages", "dist-packages"}


def source_file(model: type[Model]) -> Path:
    """The file that holds the model's class."""
    file = getattr(sys.modules.get(model.__module__), "__file__", None)
    if not file or not file.endswith(".py"):
        raise ConstraintRefused(
            f"{model._meta.label}: the source of module {model.__module__} is not there to edit"
        )
    return Path(file).resolve()


def outside_reason(path: Path) -> str:
    """Why a file is not the project's own; "" when it is.

    A project's files are writable and lie below ``BASE_DIR`` of its settings, or below the
    directory the command runs in, in no folder of installed packages.
    """
    if _INSTALLED & set(path.parts):
        return f"{path} belongs to an installed package"
    roots = {Path.cwd().resolve(), *_base_dir()}
    if not any(path.is_relative_to(root) for root in roots):
        return f"{path} is outside the project ({', '.join(sorted(map(str, roots)))})"
    if not os.access(path, os.W_OK):
        return f"{path} is not writable"
    return ""


def app_named(label: str) -> AppConfig:
    """The app with that label, or `InvalidOption` with the nearest ones."""
    try:
        return apps.get_app_config(label)
    except LookupError:
        known = [config.label for config in apps.get_app_configs()]
        raise InvalidOption(f"there is no app {label!r}{nearest(label, known)}") from None


def migrations_folder(app_label: str, loader: MigrationLoader) -> Path:
    """Where the app's migrations lie; `ConstraintRefused` if it has none or they are not ours."""
    module, _ = MigrationLoader.migrations_module(app_label)
    if module is None:
        raise ConstraintRefused(f"MIGRATION_MODULES switches off the migrations of {app_label!r}")
    if app_label not in loader.migrated_apps:
        raise ConstraintRefused(
            f"app {app_label!r} has no migrations yet; run manage.py makemigrations {app_label}"
        )
    folder = Path(next(iter(import_module(module).__path__))).resolve()
    reason = outside_reason(folder)
    if reason:
        raise ConstraintRefused(f"the migrations of app {app_label!r} are not yours: {reason}")
    return folder


def _base_dir() -> set[Path]:
    base: Any = getattr(settings, "BASE_DIR", None)
    return {Path(base).resolve()} if base else set()
