"""The databases that the desk is about: each has a journal of its own, beside its rows.

Routers say which they are. A replica is none of them: what is read from it may be old, and
nothing can be written there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from django.apps import apps
from django.db import connections, router

from ..models import MergeRun

if TYPE_CHECKING:
    from django.http import HttpRequest

DATABASE = "database"
"""The parameter that names a database other than the usual one."""


def usual_database() -> str:
    """The database that a page is about where its address names none."""
    return router.db_for_write(MergeRun)


def journaled() -> list[str]:
    """The databases that may have a journal."""
    return [
        alias
        for alias in connections
        if router.allow_migrate_model(alias, MergeRun) and _is_written(alias)
    ]


def chosen_database(request: HttpRequest) -> str:
    """The database that the address names, if there is a journal in it."""
    # single pages reached from a filtered list carry its parameters in one of their own
    kept = parse_qs(request.GET.get("_changelist_filters", "")).get(DATABASE, [])
    alias = request.GET.get(DATABASE) or next(iter(kept), "")
    return alias if alias and alias in journaled() else usual_database()


def _is_written(alias: str) -> bool:
    """Whether routers let anything be written there: what comes from there, or some model."""
    run = MergeRun()
    run._state.db = alias
    return router.db_for_write(MergeRun, instance=run) == alias or any(
        router.db_for_write(model) == alias for model in apps.get_models()
    )
