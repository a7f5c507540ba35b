"""Addresses of the journal's pages. A run is named by its number and its database."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.db import DEFAULT_DB_ALIAS
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from ..models import DismissedGroup, MergeRun, RowChange

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite
    from django.http import HttpRequest

DATABASE = "database"
"""The parameter that names a database other than the default one."""


def run_url(site: AdminSite, run: MergeRun, page: str = "change") -> str:
    """The page of a run, or its page ``undo``."""
    name = f"admin:dedupe_toolkit_mergerun_{page}"
    url = reverse(name, args=(run.pk,), current_app=site.name)
    return _with(url, **_database(run))


def changes_url(site: AdminSite, run: MergeRun, step: int | None = None) -> str:
    """The row changes of a run; with ``step`` only those of steps of the same kind."""
    url = reverse("admin:dedupe_toolkit_rowchange_changelist", current_app=site.name)
    only = {} if step is None else {"step": str(step)}
    return _with(url, run=str(run.pk), **only, **_database(run))


def dismissed_url(site: AdminSite, group: DismissedGroup) -> str:
    """The list of dismissed groups in which this one stands."""
    url = reverse("admin:dedupe_toolkit_dismissedgroup_changelist", current_app=site.name)
    return _with(url, **_database(group))


def run_link(site: AdminSite, request: HttpRequest, run: MergeRun) -> str:
    """A link to the run for whoever may see it; its name for the others."""
    text = _("Merge run %(number)s") % {"number": run.pk}
    model_admin = site.get_model_admin(MergeRun)
    if not model_admin.has_view_permission(request):
        return text
    return format_html('<a href="{}">{}</a>', run_url(site, run), text)


def may_see_changes(site: AdminSite, request: HttpRequest) -> bool:
    return site.get_model_admin(RowChange).has_view_permission(request)


def _database(kept: MergeRun | DismissedGroup) -> dict[str, str]:
    alias = kept._state.db or DEFAULT_DB_ALIAS
    return {} if alias == DEFAULT_DB_ALIAS else {DATABASE: alias}


def _with(url: str, **parameters: str) -> str:
    return f"{url}?{urlencode(parameters)}" if parameters else url
