"""Fixtures: a project of its own, migrated on the configured database."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.db import connections

from .forking import serving
from .project import Project, create, point_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_KEPT = ("ENGINE", "NAME", "USER", "PASSWORD", "HOST", "PORT", "OPTIONS")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project that has its first migrations; every test works on a copy."""
    folder = tmp_path_factory.mktemp("project")
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "db.sqlite3")}
    with serving():
        project = create(folder, database)
        if not connections["default"].settings_dict["HOST"]:
            # the file goes along with each copy
            project.must("migrate", "-v", "0")
        yield project.folder


@contextmanager
def scratch_database(folder: Path, unblocked: Callable[[], Any]) -> Iterator[dict[str, Any]]:
    """A new database of the configured kind, dropped afterwards."""
    connection: Any = connections["default"]
    settings = {name: connection.settings_dict[name] for name in _KEPT}
    if not connection.settings_dict["HOST"]:
        yield {**settings, "NAME": str(folder / "db.sqlite3"), "OPTIONS": {}}
        return
    name = f"dedupe_scratch_{uuid4().hex[:12]}"
    with unblocked(), connection._nodb_cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    yield {**settings, "NAME": name}
    with unblocked(), connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name}")


@contextmanager
def migrated(template: Path, folder: Path, unblocked: Callable[[], Any]) -> Iterator[Project]:
    shutil.copytree(template, folder)
    with scratch_database(folder, unblocked) as database:
        point_at(folder, database)
        project = Project(folder=folder)
        if database["HOST"]:
            project.must("migrate", "-v", "0")
        yield project


@pytest.fixture
def project(template: Path, tmp_path: Path, django_db_blocker: Any) -> Iterator[Project]:
    """A project of the test's own, migrated."""
    with migrated(template, tmp_path / "project", django_db_blocker.unblock) as project:
        yield project


@pytest.fixture(scope="session")
def untouched(
    template: Path, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any
) -> Iterator[Project]:
    """A migrated project for commands that must not change it."""
    folder = tmp_path_factory.mktemp("untouched") / "project"
    with migrated(template, folder, django_db_blocker.unblock) as project:
        yield project
