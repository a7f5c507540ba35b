"""Addresses of the journal's pages. A run is named by its number and its database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib.admin.utils import quote
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from ..models import DismissedGroup, MergeRun, QueuedGroup, Scan
from .aliases import DATABASE, usual_database
from .permissions import may_see_pages

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite
    from django.db.models import Model
    from django.http import HttpRequest

    from .permissions import AnyAdmin


def run_url(site: AdminSite, run: MergeRun, page: str = "change") -> str:
    """The page of a run, or its page ``undo``."""
    return _url(site, f"dedupe_toolkit_mergerun_{page}", run.pk, using=run.using)


def changes_url(site: AdminSite, run: MergeRun, step: int | None = None) -> str:
    """The row changes of a run; with ``step`` only those of steps of the same kind."""
    only = {} if step is None else {"step": str(step)}
    page = "dedupe_toolkit_rowchange_changelist"
    return _url(site, page, using=run.using, run=str(run.pk), **only)


def dismissed_url(site: AdminSite, group: DismissedGroup) -> str:
    """The list of dismissed groups in which this one stands."""
    return _url(site, "dedupe_toolkit_dismissedgroup_changelist", using=group._state.db)


def overview_url(site: AdminSite, using: str) -> str:
    return _url(site, "dedupe_toolkit_scan_changelist", using=using)


def scan_url(site: AdminSite, scan: Scan) -> str:
    """The page on which a scan is carried out."""
    return _url(site, "dedupe_toolkit_scan_slices", scan.pk, using=scan.using)


def key_url(site: AdminSite, scan: Scan) -> str:
    """The page that asks for the key of a selection."""
    return _url(site, "dedupe_toolkit_scan_key", scan.pk, using=scan.using)


def queue_url(site: AdminSite, scan: Scan) -> str:
    """The groups of a scan that wait for a decision."""
    page = "dedupe_toolkit_queuedgroup_changelist"
    return _url(site, page, using=scan.using, scan=str(scan.pk))


def group_url(site: AdminSite, group: QueuedGroup) -> str:
    """The page on which a group is decided."""
    return _url(site, "dedupe_toolkit_queuedgroup_review", group.pk, using=group._state.db)


def merge_safe_url(site: AdminSite, scan: Scan) -> str:
    """The page that asks before all safe groups of a scan are merged."""
    return _url(site, "dedupe_toolkit_queuedgroup_merge_safe", scan.pk, using=scan.using)


def merging_url(site: AdminSite, run: MergeRun) -> str:
    """The page on which safe groups are merged."""
    return _url(site, "dedupe_toolkit_queuedgroup_merging", run.pk, using=run.using)


def review_url(model_admin: AnyAdmin) -> str:
    """The page that compares rows of a model."""
    options = model_admin.opts
    page = "dedupe_toolkit_mergerun_merge"
    return _url(model_admin.admin_site, page, options.app_label, options.model_name)


def list_url(model_admin: AnyAdmin) -> str:
    """The change list of a model."""
    options = model_admin.opts
    return _url(model_admin.admin_site, f"{options.app_label}_{options.model_name}_changelist")


def row_url(site: AdminSite, row: Model) -> str:
    """The change page of a row."""
    options = row._meta
    return _url(site, f"{options.app_label}_{options.model_name}_change", quote(row.pk))


def run_link(site: AdminSite, request: HttpRequest, run: MergeRun) -> str:
    """A link to the run for whoever may see it; its name for the others."""
    text = _("Merge run %(number)s") % {"number": run.pk}
    if not may_see_pages(site, request, MergeRun):
        return text
    return format_html('<a href="{}">{}</a>', run_url(site, run), text)


def _url(
    site: AdminSite, page: str, *args: Any, using: str | None = None, **parameters: str
) -> str:
    """The address of a page of the site; ``using`` is named unless it is the usual database."""
    url = reverse(f"admin:{page}", args=args, current_app=site.name)
    if using not in (None, usual_database()):
        parameters[DATABASE] = str(using)
    return f"{url}?{urlencode(parameters)}" if parameters else url
