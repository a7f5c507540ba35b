"""The page that undoes a merge run: what would come back, what is in the way, and the button."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from ..engine.journal_reading import step_kinds
from ..engine.undo import Undone, undo
from ..errors import DedupeError
from ..models import MergeRun
from .permissions import may_undo
from .urls import run_url

if TYPE_CHECKING:
    from .journal import JournalAdmin

TRIED_AT_MOST = 10_000
"""Of how many row changes an undo is tried before it is offered; more would take too long."""


def is_undoable(run: MergeRun) -> bool:
    """Whether there is anything left to undo, and nobody at work on it."""
    return run.status not in {MergeRun.Status.UNDONE, MergeRun.Status.RUNNING} and run.merged > 0


def undo_view(model_admin: JournalAdmin, request: HttpRequest, number: int) -> HttpResponse:
    """Shows what undoing would restore; undoes only when posted."""
    run = model_admin.get_queryset(request).filter(pk=number).first()
    if run is None:
        raise Http404
    site = model_admin.admin_site
    if not model_admin.has_view_permission(request, run) or not may_undo(site, request, run):
        raise PermissionDenied
    if not is_undoable(run):
        text = _("There is nothing to undo: this run is %(status)s.")
        status = run.get_status_display()
        model_admin.message_user(request, text % {"status": status}, messages.WARNING)
        return HttpResponseRedirect(run_url(site, run))
    if request.method == "POST":
        return _undo(model_admin, request, run)
    return _page(model_admin, request, run, **_tried(run))


def _undo(model_admin: JournalAdmin, request: HttpRequest, run: MergeRun) -> HttpResponse:
    try:
        done = undo(run, using=_alias(run))
    except DedupeError as error:
        return _page(model_admin, request, run, obstacles=_listed(error))
    model_admin.log_change(request, run, _("Undone."))
    model_admin.message_user(request, f"{_('Undone.')} {_told(done)}", messages.SUCCESS)
    return HttpResponseRedirect(run_url(model_admin.admin_site, run))


def _tried(run: MergeRun) -> dict[str, Any]:
    """What an undo would do, found out by trying it and keeping nothing."""
    if sum(kind.rows for kind in step_kinds(run)) > TRIED_AT_MOST:
        return {}
    try:
        return {"told": _told(undo(run, using=_alias(run), dry_run=True))}
    except DedupeError as error:
        return {"obstacles": _listed(error)}


def _listed(error: DedupeError) -> list[str]:
    """What is in the way, line by line, without the sentence that says so before them."""
    first, *others = str(error).splitlines()
    return others or [first]


def _told(done: Undone) -> str:
    return _("Rows restored: %(restored)s. Rows set back to their old values: %(changed)s.") % {
        "restored": done.restored,
        "changed": done.changed,
    }


def _alias(run: MergeRun) -> str:
    return str(run._state.db)


def _page(
    model_admin: JournalAdmin, request: HttpRequest, run: MergeRun, **about: Any
) -> HttpResponse:
    site = model_admin.admin_site
    context = {
        **site.each_context(request),
        "title": _("Undo merge run %(number)s") % {"number": run.pk},
        "opts": model_admin.opts,
        "run": run,
        "run_url": run_url(site, run),
        "undo_url": run_url(site, run, "undo"),
        "steps": [(kind, "") for kind in step_kinds(run)],
        **about,
    }
    request.current_app = site.name
    return TemplateResponse(request, "dedupe_toolkit/undo.html", context)
