"""Merging all safe groups of a key: the page that asks, and the page on which it happens."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet, Sum
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..errors import DedupeError, MergeRunning
from ..journal.reading import merged_pairs
from ..merging.throttle import throttles, waited
from ..models import MergeRun, QueuedGroup
from ..queue.lease import is_tended, take
from ..queue.queued import first_rows, rows_of
from ..queue.safe_merging import (
    begin_safe_merge,
    cancel,
    give_up,
    left_of,
    merge_some,
    safe_groups,
)
from ..verbose import find_model, user_name
from .aliases import chosen_database
from .choice import WAIT
from .deciding import decide
from .fields import moved_links
from .history import log_rows
from .known import key_of_scan, scan_in_words, scan_with_key
from .permissions import find_model_admin, may_merge, may_review_model
from .seen import named_rows, seen_groups
from .slices import MOST_AT_ONCE, Progress, progress_page, work
from .tasks import SLICES, own_lease
from .telling import told
from .unreviewed import mergeable_unreviewed
from .urls import merging_url, overview_url, queue_url, run_link
from .vanishing import undeletable
from .veiled import veiled
from .words import merged_in_words

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite
    from django.http import HttpRequest, HttpResponse

    from ..plan_values import MergePlan
    from ..queue.lease import Lease
    from ..values import MatchKey
    from .permissions import AnyAdmin

SAMPLE = 10
"""How many of the groups are shown before they are merged."""


def merge_safe_view(model_admin: AnyAdmin, request: HttpRequest, number: int) -> HttpResponse:
    """Shows how many groups are safe, and some of them; the POST of its button begins the merge."""
    site, using = model_admin.admin_site, chosen_database(request)
    scan, key = scan_with_key(number, using)
    _require_rights(site, request, key)
    among = seen_groups(site, request, scan.model, using)
    groups = safe_groups(scan, among)
    if request.method == "POST":
        if request.POST.get("groups") == str(groups.count()):
            by = request.user
            run = begin_safe_merge(scan, key, among, by=by, origin=MergeRun.Origin.ADMIN)
            return HttpResponseRedirect(f"{merging_url(site, run)}#start")
        text = _("Nothing was merged yet: the number of safe groups has changed. Look again.")
        model_admin.message_user(request, text, messages.WARNING)
    counted = groups.aggregate(groups=Count("pk"), rows=Sum("size"))
    context = {
        **site.each_context(request),
        "title": _("Merge the safe groups"),
        "key_words": scan_in_words(scan, key),
        "groups": counted["groups"],
        "surplus": (counted["rows"] or 0) - counted["groups"],
        "sample": veiled(site, request, groups.order_by("pk").select_related("scan")[:SAMPLE]),
        "rows_name": key.model._meta.verbose_name_plural,
        "queue": queue_url(site, scan),
    }
    request.current_app = site.name
    return TemplateResponse(request, "dedupe_toolkit/merge_safe.html", context)


def merging_view(model_admin: AnyAdmin, request: HttpRequest, number: int) -> HttpResponse:
    """Shows how far a merge has come; a POST carries on with it for a few seconds, or gives up."""
    site, using = model_admin.admin_site, chosen_database(request)
    run = get_object_or_404(MergeRun.objects.using(using), pk=number)
    group = QueuedGroup.objects.using(using).filter(run=run).select_related("scan").first()
    key = key_of_scan(group.scan) if group else None
    if key is None and left_of(run).exists():
        raise Http404
    if key is not None:
        _require_rights(site, request, key)
    elif not may_review_model(site, request, run.model):
        raise PermissionDenied
    if request.method == "POST" and key is not None:
        _carry_on(model_admin, request, run, key)
        run.refresh_from_db()
    progress = _progress(site, run)
    if request.method == "POST" and progress.is_finished:
        _report(model_admin, request, run)
    return progress_page(site, request, progress)


def _require_rights(site: AdminSite, request: HttpRequest, key: MatchKey) -> None:
    own = find_model_admin(site, key.model)
    if own is None or not may_merge(own, request):
        raise PermissionDenied


def _carry_on(model_admin: AnyAdmin, request: HttpRequest, run: MergeRun, key: MatchKey) -> None:
    site = model_admin.admin_site
    if "cancel" in request.POST:
        cancel(run)
        lease = take(run)
    else:
        lease = own_lease(site, request, run)
    if lease is None:  # whoever has it in hand carries on, or ends it after the batch under way
        return
    before = run.tended
    try:
        _slice(site, request, run, key, lease)
    except DedupeError as error:
        model_admin.message_user(request, told(error), messages.ERROR)
        if lease.renew():
            give_up(run)
    finally:
        lease.leave(before)


def slice_of_run(site: AdminSite, request: HttpRequest, run: MergeRun, lease: Lease) -> None:
    """Carry on with a run for a few seconds, for whoever began it, as long as they may.

    Raises `PermissionDenied` once they may not, or the key is gone.
    """
    group = left_of(run).first()
    key = key_of_scan(group.scan) if group else None
    if key is None:
        raise PermissionDenied
    _require_rights(site, request, key)
    _slice(site, request, run, key, lease)


def _slice(
    site: AdminSite, request: HttpRequest, run: MergeRun, key: MatchKey, lease: Lease
) -> None:
    """Merge for a few seconds, or until it is cancelled: then the groups left are given up.

    Groups that this user may not merge are looked for among ever fewer, and left to someone else.
    """
    most = MOST_AT_ONCE

    def batch(size: int) -> int:
        nonlocal most
        run.refresh_from_db(fields=["is_cancelled"])
        if run.is_cancelled or not lease.renew():
            return 0
        # a request is soon over: the next slice asks again
        if run.batches and waited(run, throttles(run.using)):
            return 0
        groups = list(left_of(run)[: min(size, most)])
        # each slice comes forward, however long a refusal takes
        while groups and not _is_settled(site, request, run, key, groups):
            groups = groups[: len(groups) // 2]
        most = 2 * len(groups)
        return len(groups)

    with suppress(MergeRunning):  # somebody else merges this model: the next slice tries again
        work(batch)
    run.refresh_from_db(fields=["is_cancelled"])
    if run.is_cancelled and lease.renew():
        give_up(run)


def _is_settled(
    site: AdminSite,
    request: HttpRequest,
    run: MergeRun,
    key: MatchKey,
    groups: list[QueuedGroup],
) -> bool:
    """Merge these groups, or leave the only one to someone else; False if it is one of several."""
    try:
        _merge(site, request, run, key, groups)
    except PermissionDenied:
        if len(groups) > 1:
            return False
        decide(request, groups, QueuedGroup.State.OTHERS)
    return True


def _merge(
    site: AdminSite,
    request: HttpRequest,
    run: MergeRun,
    key: MatchKey,
    groups: list[QueuedGroup],
) -> None:
    """Merge these groups, or raise `PermissionDenied`: of one of them rows or links would go that
    are not this user's to touch.
    """
    mergeable, hidden = mergeable_unreviewed(site, request, key, groups)
    if others := set(groups).difference(mergeable):
        decide(request, others, QueuedGroup.State.OTHERS)
    members = rows_of(key, first_rows(key.model, mergeable, run.using), run.using)

    def check(plan: MergePlan) -> None:
        links = moved_links(site.get_model_admin(key.model), hidden, plan.references)
        if links or undeletable(site, request, members, plan.references):
            raise PermissionDenied

    if mergeable:
        by, before = user_name(request.user), run.batches
        merge_some(run, key, mergeable, by=by, check=check, wait=WAIT)
        _log(site, request, run, range(before + 1, run.batches + 1))


def _log(site: AdminSite, request: HttpRequest, run: MergeRun, batches: range) -> None:
    """These batches in the history of each row that others were merged into."""
    model = find_model(run.model)
    if model is None:
        return
    pairs = chain.from_iterable(merged_pairs(run, run.using, batch) for batch in batches)
    merged = Counter(survivor for _duplicate, survivor in pairs)
    rows: QuerySet[Any] = QuerySet(model, using=run.using)
    told = [
        (row, f"{merged_in_words(row, merged[text])} {run}")
        for text, row in named_rows(rows, merged)
    ]
    log_rows(find_model_admin(site, model) or site.get_model_admin(QueuedGroup), request, told)


def _progress(site: AdminSite, run: MergeRun) -> Progress:
    left = left_of(run).count()
    done = run.groups - left
    words = ngettext(
        "%(done)s of %(total)s group done, %(rows)s rows merged",
        "%(done)s of %(total)s groups done, %(rows)s rows merged",
        run.groups,
    ) % {
        "done": number_format(done),
        "total": number_format(run.groups),
        "rows": number_format(run.rows_merged),
    }
    waiting = _("Waits: %(reason)s.") % {"reason": run.waits_for} if left and run.waits_for else ""
    return Progress(
        title=_("Merge the safe groups"),
        words=f"{words}. {waiting}" if waiting else words,
        done=done,
        total=run.groups,
        url=overview_url(site, run.using),
        is_finished=not left,
        is_tended=bool(left) and is_tended(run),
    )


def _report(model_admin: AnyAdmin, request: HttpRequest, run: MergeRun) -> None:
    text = ngettext(
        "%(groups)s group merged, %(held)s held back:",
        "%(groups)s groups merged, %(held)s held back:",
        run.merged,
    ) % {
        "groups": number_format(run.merged),
        "held": number_format(run.groups_held_back),
    }
    link = run_link(model_admin.admin_site, request, run)
    model_admin.message_user(request, format_html("{} {}", text, link), messages.SUCCESS)
    groups = QueuedGroup.objects.using(run.using).filter(run=run)
    others = groups.filter(state=QueuedGroup.State.OTHERS).count()
    if others:
        text = ngettext(
            "%(groups)s group needs someone else, and was not merged: your own account is in it,"
            " or something that you may not change or delete.",
            "%(groups)s groups need someone else, and were not merged: your own account is in"
            " them, or something that you may not change or delete.",
            others,
        )
        told = text % {"groups": number_format(others)}
        model_admin.message_user(request, told, messages.WARNING)


SLICES[MergeRun] = slice_of_run
