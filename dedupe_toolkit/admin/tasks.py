"""Long work as a task, where a project has workers: the same slices, and nobody has to wait.

A task is told which scan or run it is about, never a plan: the row has model, key and policy. How
far it has come, and whether it was cancelled, stands there as well. Needs ``django.tasks``, or
django-tasks before Django 6.0; without it, or without workers, pages do their work themselves.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import partial
from importlib import import_module
from time import sleep
from typing import TYPE_CHECKING, Any

import django
from django.contrib.admin.sites import all_sites
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from ..errors import DedupeError
from ..models import MergeRun, Scan
from ..queue.safe_merging import left_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from django.contrib.admin import AdminSite

logger = logging.getLogger(__name__)

PATIENCE = timedelta(seconds=60)
"""For so long a page believes that a worker has its work in hand; then it does it by itself."""

SLICES: dict[type[Any], Callable[[AdminSite, HttpRequest, Any], None]] = {}
"""What carries on with a row of a model for a few seconds, for the user of the request."""

_PAUSE = 0.2
"""Seconds between two slices, so that what has to wait does not ask all the time."""

_INLINE = {"immediate", "dummy"}
"""The modules of backends that have no workers: they work at once, or never."""

_MODELS: dict[str, Any] = {model.__name__: model for model in (Scan, MergeRun)}


def _library() -> Any:
    try:
        return import_module("django.tasks" if django.VERSION >= (6, 0) else "django_tasks")
    except ImportError:
        return None


def _as_task(function: Callable[..., None]) -> Any:
    """The task of a function, in a queue that the project's default backend has."""
    library = _library()
    if library is None or "default" not in library.task_backends:
        return function
    queues = sorted(library.task_backends["default"].queues)
    queue = "default" if not queues or "default" in queues else queues[0]
    return library.task(queue_name=queue)(function)


def has_workers() -> bool:
    """Whether the project's default backend hands its tasks to others."""
    library = _library()
    if library is None or not hasattr(carry_on, "enqueue"):
        return False
    backend = type(library.task_backends["default"])
    return backend.__module__.rpartition(".")[2] not in _INLINE


def hand_over(site: AdminSite, request: HttpRequest, row: Scan | MergeRun) -> bool:
    """Whether a worker has the work in hand; the first time one is asked, if there are any."""
    if row.tended is not None or not _is_open(row):
        return is_tended(row)
    if not has_workers():
        return False
    _keep(row, timezone.now())
    told = (type(row).__name__, row.pk, row.using, str(request.user.pk), site.name)
    transaction.on_commit(partial(_enqueue, row, told), using=row.using)
    return True


def is_tended(row: Scan | MergeRun) -> bool:
    """Whether a worker has been asked for the work, or was at it, a short while ago."""
    return row.tended is not None and timezone.now() - row.tended < PATIENCE


def nobody_tends(row: Scan | MergeRun) -> None:
    """The work is over or cancelled: if it is gone on with, the next worker is asked."""
    _keep(row, None)


@_as_task
def carry_on(kind: str, number: int, using: str, user: str, site: str) -> None:
    """Carry on with a scan or a run until it is done, cancelled, or cannot go on.

    Then the page does the next slice by itself, and says why.
    """
    row = _row(kind, number, using)
    admin_site = next((one for one in all_sites if one.name == site), None)
    request = _request(user)
    while row is not None and _is_open(row):
        _keep(row, timezone.now())
        try:
            if admin_site is None or request is None:
                raise PermissionDenied
            SLICES[type(row)](admin_site, request, row)
        except (DedupeError, PermissionDenied) as error:
            logger.warning("%s %s is left to its page: %s", kind, number, error)
            _give_back(row)
            return
        sleep(_PAUSE)
        row = _row(kind, number, using)
    if row is not None:
        nobody_tends(row)


def _enqueue(row: Scan | MergeRun, told: tuple[Any, ...]) -> None:
    try:
        carry_on.enqueue(*told)
    except Exception:  # whatever is wrong with the queue of tasks, the page can do the work
        logger.exception("a task could not be enqueued")
        _give_back(row)


def _is_open(row: Scan | MergeRun) -> bool:
    """Whether there is anything left to do, and nobody has cancelled it."""
    if isinstance(row, MergeRun):
        return left_of(row).exists()
    return row.status in (Scan.Status.NEW, Scan.Status.RUNNING)


def _give_back(row: Scan | MergeRun) -> None:
    """No worker will do it: the page does."""
    _keep(row, timezone.now() - PATIENCE)


def _keep(row: Scan | MergeRun, tended: datetime | None) -> None:
    row.tended = tended
    type(row)._base_manager.using(row.using).filter(pk=row.pk).update(tended=tended)


def _row(kind: str, number: int, using: str) -> Scan | MergeRun | None:
    found: Scan | MergeRun | None = _MODELS[kind].objects.using(using).filter(pk=number).first()
    return found


def _request(user: str) -> HttpRequest | None:
    """What rights are asked with; None for a user who may not come in any more."""
    found = get_user_model()._default_manager.filter(pk=user).first()
    if found is None or not found.is_active:
        return None
    request = HttpRequest()
    request.method, request.user = "POST", found
    return request
