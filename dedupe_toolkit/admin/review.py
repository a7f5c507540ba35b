"""The review page: rows side by side, the plan of merging them, and the buttons that decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib import messages
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.translation import gettext as _

from ..databases.caching import forget, recalling
from ..errors import DedupeError, MergeRunning
from ..merging.merge import merge
from ..models import MergeRun
from ..planning.plan import plan_merge
from ..reviewing.preview import preview_merge
from .choice import WAIT, alias_of, choice_from
from .dismissing import dismiss_rows
from .history import log_rows
from .logged_out import say_if_back
from .page import shown_page
from .permissions import find_model_admin, may_dismiss, may_merge
from .place import Place
from .reviewing import reviewed
from .session import remember, undo_button, undo_url_of
from .staleness import changes
from .telling import told
from .urls import list_url, review_url, run_link
from .words import merged_in_words

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite

    from .choice import Choice
    from .permissions import AnyAdmin
    from .reviewing import Review


def review_view(
    site: AdminSite, request: HttpRequest, app_label: str, model_name: str
) -> HttpResponse:
    """Shows the plan of merging the rows named; merges, or dismisses, when its button posts so."""
    model_admin = _model_admin(site, app_label, model_name)
    place = selection(model_admin, request)
    using = alias_of(model_admin.get_queryset(request))
    try:
        data = request.POST if request.method == "POST" else request.GET
        return decide(model_admin, request, choice_from(data), using, place)
    except DedupeError as error:
        model_admin.message_user(request, told(error), messages.ERROR)
        return HttpResponseRedirect(place.back_url)


def decide(
    model_admin: AnyAdmin, request: HttpRequest, choice: Choice, using: str, place: Place
) -> HttpResponse:
    """What the button that was pressed says of the rows; shows them where none was.

    Raises `DedupeError` for rows that are not there or cannot be merged at all.
    """
    if not may_merge(model_admin, request) and not may_dismiss(model_admin, request):
        raise PermissionDenied
    pressed = request.POST if request.method == "POST" else ()
    if "merge" in pressed or "merge_next" in pressed:
        return _merge(model_admin, request, choice, using, place)
    if "dismiss" in pressed:
        told = dismiss_rows(model_admin, request, choice, using, place.most)
        remember(request, told)
        place.tell("dismissed")
        return HttpResponseRedirect(place.after(goes_on=True))
    if "skip" in pressed:
        place.tell("skipped")
        return HttpResponseRedirect(place.after(goes_on=True))
    say_if_back(request)
    return review_page(model_admin, request, choice, using, place)


def review_page(
    model_admin: AnyAdmin, request: HttpRequest, choice: Choice, using: str, place: Place
) -> HttpResponse:
    """The page that shows the plan for a choice. Writes nothing.

    Raises `DedupeError` for rows that are not there or cannot be merged at all.
    """
    with recalling():  # to merge, the catalogue is asked anew
        review = reviewed(model_admin, request, choice, using, preview_merge, place.most)
    return shown_page(model_admin, request, review, place)


def selection(model_admin: AnyAdmin, request: HttpRequest) -> Place:
    """The page of rows selected on a change list."""
    options, url = model_admin.opts, review_url(model_admin)
    filters = model_admin.get_preserved_filters(request)
    back: Any = {"preserved_filters": filters, "opts": options}
    back_url = add_preserved_filters(back, list_url(model_admin))
    return Place(
        action_url=f"{url}?{filters}" if filters else url,
        undone_url=back_url,
        back_url=back_url,
        back_name=str(options.verbose_name_plural),
    )


def _model_admin(site: AdminSite, app_label: str, model_name: str) -> AnyAdmin:
    try:
        found = find_model_admin(site, apps.get_model(app_label, model_name))
    except LookupError:
        found = None
    if found is None:
        raise Http404
    return found


def _merge(
    model_admin: AnyAdmin, request: HttpRequest, choice: Choice, using: str, place: Place
) -> HttpResponse:
    if not may_merge(model_admin, request):
        raise PermissionDenied
    review = reviewed(model_admin, request, choice, using, plan_merge, place.most)
    if request.POST.get("seen") != review.fingerprint:
        text = _("Nothing was merged yet: this is not what you were shown. Look again, then merge.")
        messages.warning(request, text)
        forget()  # what the page went by may be no longer so
        changed = changes(review, request.POST.get("memory", ""))
        return shown_page(model_admin, request, review, place, changed)
    if not review.is_mergeable:
        if review.needs_others:
            place.tell("others")
        return shown_page(model_admin, request, review, place)
    try:
        run = merge(review.plan, by=request.user, origin=MergeRun.Origin.ADMIN, wait=WAIT)
    except MergeRunning:
        text = _("Others are merging %(rows)s just now, and nothing was merged. Press again.")
        messages.warning(request, text % {"rows": model_admin.opts.verbose_name_plural})
        return shown_page(model_admin, request, review, place)
    if run.merged:
        place.tell("merged", run)
    _report(model_admin, request, review, run, place)
    return HttpResponseRedirect(place.after(goes_on="merge_next" in request.POST))


def _report(
    model_admin: AnyAdmin, request: HttpRequest, review: Review, run: MergeRun, place: Place
) -> None:
    survivor, site = review.comparison.survivor, model_admin.admin_site
    if not run.merged:
        reasons = "; ".join(group["reason"].for_people for group in run.held_back)
        text = _("Nothing was merged: %(reason)s") % {"reason": reasons}
        model_admin.message_user(request, text, messages.ERROR)
        return
    merged = merged_in_words(survivor, run.rows_merged)
    log_rows(model_admin, request, [(survivor, f"{merged} {run}")])
    undo_url = undo_url_of(site, request, run)
    remember(request, merged, undo_url)
    link, button = run_link(site, request, run), undo_button(request, undo_url, place.undone_url)
    text = format_html("{} {} {}", merged, link, button)
    model_admin.message_user(request, text, messages.SUCCESS)
