"""Backends for tasks as a project with workers has them, under `tests.test_tasks`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import django
import pytest

NAME = "django.tasks" if django.VERSION >= (6, 0) else "django_tasks"
pytest.importorskip(NAME, reason="needs django-tasks before Django 6.0")
library: Any = import_module(NAME)
dummy: Any = import_module(f"{NAME}.backends.dummy")


class Kept(dummy.DummyBackend):  # type: ignore[misc]  # of either library
    """Keeps what is enqueued until a worker comes (`work`)."""


class Broken(dummy.DummyBackend):  # type: ignore[misc]
    def enqueue(self, *arguments: Any) -> Any:
        raise OSError("the queue does not answer")


def enqueued() -> list[tuple[Any, ...]]:
    """What each task was told."""
    return [tuple(result.args) for result in library.task_backends["default"].results]


def work() -> None:
    """Do, as a worker would, all that is enqueued."""
    backend = library.task_backends["default"]
    for result in list(backend.results):
        result.task.func(*result.args)
    backend.clear()
