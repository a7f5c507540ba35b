"""The page that undoes a merge run: what would come back, what is in the way, and the button."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.formats import number_format
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from ..errors import DedupeError
from ..journal.key_texts import keys_of
from ..journal.progress import status_now
from ..journal.reading import merged_pairs, step_kinds
from ..models import MergeRun, QueuedGroup
from ..reviewing.unreadable import read_rows
from ..undoing.undo import Undone, undo
from ..verbose import find_model, model_words
from .aliases import chosen_database
from .concerned import may_undo
from .history import ADDITION, log_rows
from .run_words import kinds_in_words
from .session import forget
from .telling import told_lines
from .urls import run_url

if TYPE_CHECKING:
    from .journal import JournalAdmin

TRIED_AT_MOST = 10_000
"""Of how many row changes an undo is tried before it is offered; more would take too long."""

LOGGED_AT_MOST = 500
"""Of how many rows that an undo brings back the history says so."""

# not while somebody is at work on it, or going to be
_UNDOABLE = {MergeRun.Status.DONE, MergeRun.Status.INTERRUPTED}


def is_undoable(run: MergeRun) -> bool:
    """Whether there is anything left to undo, and nobody at work on it."""
    return run.merged > 0 and status_now(run) in _UNDOABLE


def undo_view(model_admin: JournalAdmin, request: HttpRequest, number: int) -> HttpResponse:
    """Shows what undoing would restore; undoes only when posted."""
    run = MergeRun.objects.using(chosen_database(request)).filter(pk=number).first()
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
        done = undo(run, using=run.using, survivors=_asked_for(request, run))
    except DedupeError as error:
        return _page(model_admin, request, run, obstacles=list(told_lines(error)))
    model_admin.log_change(request, run, _("Undone."))
    forget(request, run_url(model_admin.admin_site, run, "undo"))
    _wait_again(run)
    _log_rows(model_admin, request, run)
    model_admin.message_user(request, f"{_('Undone.')} {_told(done)}", messages.SUCCESS)
    back = request.POST.get("back", "")
    is_here = url_has_allowed_host_and_scheme(
        back, {request.get_host()}, require_https=request.is_secure()
    )
    return HttpResponseRedirect(back if is_here else run_url(model_admin.admin_site, run))


def _wait_again(run: MergeRun) -> None:
    """Groups of the queue that the run merged wait for a decision again, once it is undone."""
    run.refresh_from_db()
    merged = QueuedGroup.objects.using(run.using).filter(run=run, state=QueuedGroup.State.MERGED)
    if run.status != MergeRun.Status.UNDONE:
        merged = merged.filter(row__in=run.undone)
    merged.update(state=QueuedGroup.State.PENDING, run=None)


def _log_rows(model_admin: JournalAdmin, request: HttpRequest, run: MergeRun) -> None:
    """The undo in the history of the rows that came back, and of those they had been merged into.

    Of a larger run only the first rows have it.
    """
    model, using = find_model(run.model), run.using
    if model is None:
        return
    pairs = list(islice(merged_pairs(run, using), LOGGED_AT_MOST))
    rows: QuerySet[Any] = QuerySet(model, using=using)
    survivors = keys_of(model, list({survivor for __, survivor in pairs}), using)
    told = _("%(run)s was undone.") % {"run": run}
    found = read_rows(rows.filter(pk__in=survivors))
    log_rows(model_admin, request, [(row, told) for row in found])
    back = keys_of(model, [duplicate for duplicate, __ in pairs], using)
    told = _("Brought back: %(run)s was undone.") % {"run": run}
    found = read_rows(rows.filter(pk__in=back))
    log_rows(model_admin, request, [(row, told) for row in found], ADDITION)


def _asked_for(request: HttpRequest, run: MergeRun) -> list[Any] | None:
    """The survivors of the groups that are to be undone; None for all."""
    asked, model = request.POST.getlist("survivor"), find_model(run.model)
    if not asked or model is None:
        return None
    return keys_of(model, [text.replace("\x00", "") for text in asked], run.using)


def _tried(run: MergeRun) -> dict[str, Any]:
    """What an undo would do, found out by trying it and keeping nothing."""
    if sum(kind.rows for kind in step_kinds(run)) > TRIED_AT_MOST:
        return {}
    try:
        return {"told": _told(undo(run, using=run.using, dry_run=True))}
    except DedupeError as error:
        return {"obstacles": list(told_lines(error))}


def _told(done: Undone) -> str:
    return _("Rows restored: %(restored)s. Rows set back to their old values: %(changed)s.") % {
        "restored": number_format(done.restored),
        "changed": number_format(done.changed),
    }


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
        "rows_name": model_words(run.model),
        "steps": [(*told, "") for told in kinds_in_words(run)],
        **about,
    }
    request.current_app = site.name
    return TemplateResponse(request, "dedupe_toolkit/undo.html", context)
