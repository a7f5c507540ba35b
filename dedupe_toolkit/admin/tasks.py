"""Long work as a task, where a project has workers: the same slices, and nobody has to wait.

A task is told which scan or run it is about, never a plan: the row has model, key and policy. How
far it has come, and whether it was cancelled, stands there as well. Needs ``django.tasks``, or
django-tasks before Django 6.0; without it, or without workers, pages do their work themselves.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
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
from django.utils import timezone, translation

from ..errors import DedupeError
from ..models import MergeRun, Scan
from ..queue.lease import PATIENCE, take
from ..queue.safe_merging import left_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.admin import AdminSite

    from ..queue.lease import Lease

logger = logging.getLogger(__name__)

SLICES: dict[type[Any], Callable[[AdminSite, HttpRequest, Any, Lease], None]] = {}
"""What carries on with a row of a model for a few seconds, for the user of the request.

It renews the lease before each batch, and ends where it has lost it.
"""

_PAUSE = 0.2
"""Seconds between two slices, so that what has to wait does not ask all the time."""

_COMES = timedelta(seconds=5)
"""For so long a page waits for a worker where one has let it down already."""

_INLINE = {"immediate": "ImmediateBackend", "dummy": "DummyBackend"}
"""The backends that have no workers, by their modules: they work at once, or never."""

_MODELS: dict[str, Any] = {model.__name__: model for model in (Scan, MergeRun)}


def _library() -> Any:
    """The library of tasks; None without one, or with one from before it had today's names."""
    try:
        library = import_module("django.tasks" if django.VERSION >= (6, 0) else "django_tasks")
    except ImportError:
        return None
    return library if hasattr(library, "task_backends") else None


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
    backends = f"{library.__name__}.backends"
    inline = tuple(getattr(import_module(f"{backends}.{m}"), name) for m, name in _INLINE.items())
    return not isinstance(library.task_backends["default"], inline)


def own_lease(site: AdminSite, request: HttpRequest, row: Scan | MergeRun) -> Lease | None:
    """The lease under which a page does a slice by itself; None while others have the work.

    The first time a worker is asked for it, if there are any. Where none came, or it ended in the
    middle, the page does the work by itself, and asks again every minute.
    """
    let_down = row.tended
    lease = take(row)
    if lease is None or not _is_open(row) or not has_workers():
        return lease
    if let_down and (timezone.now() < let_down + PATIENCE or not lease.renew(_COMES)):
        return lease
    who = (str(request.user.pk), site.name, translation.get_language() or "")
    told = (type(row).__name__, row.pk, row.using, lease.until.isoformat(), *who)
    transaction.on_commit(partial(_enqueue, lease, told), using=row.using)
    return None


@_as_task
def carry_on(
    kind: str, number: int, using: str, asked: str, user: str, site: str, language: str
) -> None:
    """Carry on with a scan or a run until it is done, cancelled, in other hands, or cannot go on.

    ``asked`` is the lease under which the worker was asked. When it cannot go on, the page does the
    next slice by itself, and says why.
    """
    row = _row(kind, number, using)
    lease = take(row, datetime.fromisoformat(asked)) if row else None
    if lease is None:
        return
    try:
        with translation.override(language or None):
            _work(lease, user, next((one for one in all_sites if one.name == site), None))
    except (DedupeError, PermissionDenied) as error:
        logger.warning("%s %s is left to its page: %s", kind, number, error)
        lease.leave(timezone.now())
    except Exception:
        lease.leave(timezone.now())
        raise
    else:
        lease.leave(None)


def _work(lease: Lease, user: str, site: AdminSite | None) -> None:
    """Slice after slice, as long as the lease is held and the user may."""
    row: Scan | MergeRun | None = lease.row
    while row is not None and _is_open(row) and lease.renew():
        if site is None:
            raise PermissionDenied
        SLICES[type(row)](site, _request(user, site), row, lease)
        sleep(_PAUSE)
        row = _row(type(row).__name__, row.pk, row.using)


def _enqueue(lease: Lease, told: tuple[Any, ...]) -> None:
    try:
        carry_on.enqueue(*told)
    except Exception:  # whatever is wrong with the queue of tasks, the page can do the work
        logger.exception("a task could not be enqueued")
        lease.leave(timezone.now())


def _is_open(row: Scan | MergeRun) -> bool:
    """Whether there is anything left to do."""
    if isinstance(row, MergeRun):
        return left_of(row).exists()
    return row.status in (Scan.Status.NEW, Scan.Status.RUNNING)


def _row(kind: str, number: int, using: str) -> Scan | MergeRun | None:
    found: Scan | MergeRun | None = _MODELS[kind].objects.using(using).filter(pk=number).first()
    return found


def _request(user: str, site: AdminSite) -> HttpRequest:
    """What rights are asked with. Raises `PermissionDenied` for who may not come in any more."""
    request = HttpRequest()
    found = get_user_model()._default_manager.filter(pk=user).first()
    if found is not None:
        request.method, request.user = "POST", found
        if site.has_permission(request):
            return request
    raise PermissionDenied
