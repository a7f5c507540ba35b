"""Backends for tasks as a project with workers has them, under `tests.admin.test_tasks`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import django
import pytest

NAME = "django.tasks" if django.VERSION >= (6, 0) else "django_tasks"
pytest.importorskip(NAME, reason="needs django-tasks before Django 6.0")
library: Any = import_module(NAME)
base: Any = import_module(f"{NAME}.backends.base")
immediate: Any = import_module(f"{NAME}.backends.immediate")


class Kept(base.BaseTaskBackend):  # type: ignore[misc]  # of either library
    """Keeps what is enqueued until a worker comes (`work`)."""

    def __init__(self, alias: str, params: Any) -> None:
        super().__init__(alias, params)
        self.kept: list[tuple[Any, Any]] = []

    def enqueue(self, task: Any, args: Any, kwargs: Any) -> Any:
        self.kept.append((task, args))


class Broken(base.BaseTaskBackend):  # type: ignore[misc]
    def enqueue(self, *arguments: Any) -> Any:
        raise OSError("the queue does not answer")


class AtOnce(immediate.ImmediateBackend):  # type: ignore[misc]
    """A project's own, which has no workers either."""


def enqueued() -> list[tuple[Any, ...]]:
    """What each task was told."""
    return [tuple(args) for _, args in library.task_backends["default"].kept]


def work() -> None:
    """Do, as a worker would, all that is enqueued."""
    kept = library.task_backends["default"].kept
    for task, args in list(kept):
        task.func(*args)
    kept.clear()


def forget_tasks() -> None:
    library.task_backends["default"].kept.clear()
