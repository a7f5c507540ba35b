"""The review page: rows side by side, the plan of merging them, and the button that merges."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from django.apps import apps
from django.contrib import messages
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..engine.merge import merge
from ..engine.plan import plan_merge
from ..engine.preview import preview_merge
from ..engine.side_by_side import SideBySide, side_by_side
from ..errors import DedupeError
from ..keys import row_set
from ..values import rule_name
from .choice import (
    Choice,
    alias_of,
    choice_from,
    collision_choices,
    require_number,
    require_visible,
)
from .dismissing import dismiss_rows
from .display import shown_lines, split_counts
from .permissions import find_model_admin, may_merge, may_merge_row
from .urls import run_link

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.admin import AdminSite

    from ..models import MergeRun
    from ..values import MergePlan
    from .permissions import AnyAdmin


@dataclass(frozen=True, kw_only=True)
class Review:
    """What the page shows: the rows compared, and the plan of merging them."""

    choice: Choice
    comparison: SideBySide
    plan: MergePlan

    @property
    def fingerprint(self) -> str:
        """Another one as soon as a row, the survivor or a choice is not what it was."""
        comparison, policy = self.comparison, self.plan.policy
        # by their names: a function is not the same object in every process of a server
        field_rules = {name: rule_name(rule) for name, rule in policy.field_rules.items()}
        rules = [policy.on_collision, policy.collisions, field_rules]
        shown = [comparison.fingerprint, comparison.survivor.pk, *rules]
        return sha256(repr(shown).encode()).hexdigest()


def review_view(
    site: AdminSite, request: HttpRequest, app_label: str, model_name: str
) -> HttpResponse:
    """Shows the plan of merging the rows named; merges, or dismisses, when its button posts so."""
    model_admin = _model_admin(site, app_label, model_name)
    if not may_merge(model_admin, request):
        raise PermissionDenied
    data = request.POST if request.method == "POST" else request.GET
    using = alias_of(model_admin.get_queryset(request))
    try:
        if request.method == "POST" and "merge" in data:
            return _merge(model_admin, request, choice_from(data), using)
        if request.method == "POST" and "dismiss" in data:
            dismiss_rows(model_admin, request, choice_from(data), using)
            return HttpResponseRedirect(_change_list(model_admin, request))
        return review_page(model_admin, request, choice_from(data), using)
    except DedupeError as error:
        model_admin.message_user(request, str(error), messages.ERROR)
        return HttpResponseRedirect(_change_list(model_admin, request))


def review_page(
    model_admin: AnyAdmin, request: HttpRequest, choice: Choice, using: str
) -> HttpResponse:
    """The page that shows the plan for a choice. Writes nothing.

    Raises `DedupeError` for rows that are not there or cannot be merged at all.
    """
    review = _review(model_admin, request, choice, using, preview_merge)
    return _page(model_admin, request, review)


def _model_admin(site: AdminSite, app_label: str, model_name: str) -> AnyAdmin:
    try:
        found = find_model_admin(site, apps.get_model(app_label, model_name))
    except LookupError:
        found = None
    if found is None:
        raise Http404
    return found


def _review(
    model_admin: AnyAdmin,
    request: HttpRequest,
    choice: Choice,
    using: str,
    planned: Callable[..., MergePlan],
) -> Review:
    model = model_admin.model
    require_number(model, choice.pks)
    source = row_set(model, choice.pks, into=choice.into)
    require_visible(model_admin, request, source.pks, using)
    policy = choice.policy(model)
    comparison = side_by_side(source, using=using, policy=policy)
    if not all(may_merge_row(model_admin, request, row) for row in comparison.rows):
        raise PermissionDenied
    plan = planned(comparison.source, using=using, policy=policy)
    return Review(choice=choice, comparison=comparison, plan=plan)


def _merge(model_admin: AnyAdmin, request: HttpRequest, choice: Choice, using: str) -> HttpResponse:
    review = _review(model_admin, request, choice, using, plan_merge)
    if request.POST.get("seen") != review.fingerprint:
        text = _("Nothing was merged yet: this is not what you were shown. Look again, then merge.")
        model_admin.message_user(request, text, messages.WARNING)
        return _page(model_admin, request, review)
    if not review.plan.mergeable:
        return _page(model_admin, request, review)
    _report(model_admin, request, review, merge(review.plan))
    return HttpResponseRedirect(_change_list(model_admin, request))


def _report(model_admin: AnyAdmin, request: HttpRequest, review: Review, run: MergeRun) -> None:
    survivor = review.comparison.survivor
    if not run.merged:
        reasons = "; ".join(group["reason"] for group in run.held_back)
        text = _("Nothing was merged: %(reason)s") % {"reason": reasons}
        model_admin.message_user(request, text, messages.ERROR)
        return
    merged = ngettext(
        "Merged %(rows)s row into “%(survivor)s”.",
        "Merged %(rows)s rows into “%(survivor)s”.",
        run.rows_merged,
    ) % {"rows": run.rows_merged, "survivor": survivor}
    model_admin.log_change(request, survivor, f"{merged} {run}")
    link = run_link(model_admin.admin_site, request, run)
    model_admin.message_user(request, format_html("{} {}", merged, link), messages.SUCCESS)


def _page(model_admin: AnyAdmin, request: HttpRequest, review: Review) -> HttpResponse:
    options, site = model_admin.opts, model_admin.admin_site
    context = {
        **site.each_context(request),
        "title": _("Merge %(rows)s") % {"rows": options.verbose_name_plural},
        "opts": options,
        "plan": review.plan,
        "comparison": review.comparison,
        "counts": split_counts(review.plan.references),
        "lines": shown_lines(model_admin, request, review.comparison),
        "fingerprint": review.fingerprint,
        "collision_choices": collision_choices(model_admin.model, review.choice.on_collision),
        "action_url": _action_url(model_admin, request),
        "change_list_url": _change_list(model_admin, request),
    }
    request.current_app = site.name
    return TemplateResponse(request, "dedupe_toolkit/review.html", context)


def _action_url(model_admin: AnyAdmin, request: HttpRequest) -> str:
    options = model_admin.opts
    url = reverse(
        "admin:dedupe_toolkit_mergerun_merge",
        args=(options.app_label, options.model_name),
        current_app=model_admin.admin_site.name,
    )
    return f"{url}?{filters}" if (filters := model_admin.get_preserved_filters(request)) else url


def _change_list(model_admin: AnyAdmin, request: HttpRequest) -> str:
    options = model_admin.opts
    url = reverse(
        f"admin:{options.app_label}_{options.model_name}_changelist",
        current_app=model_admin.admin_site.name,
    )
    filters = model_admin.get_preserved_filters(request)
    return add_preserved_filters({"preserved_filters": filters, "opts": options}, url)
