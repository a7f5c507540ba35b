"""Row changes in the admin: every row that a merge run changed, before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from ..journal.reading import changes_of, step_kinds, steps_like
from ..models import MergeRun, MergeStep, RowChange
from ..verbose import model_words, reference_words
from .aliases import chosen_database
from .change_links import column_of_row, column_of_survivor
from .change_rows import look_at
from .change_values import column_of_values
from .concerned import may_read_run, readable_runs, readable_steps
from .journal import DatabaseFilter, JournalAdmin, number_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.contrib.admin import AdminSite
    from django.core.paginator import Paginator
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from ..journal.reading import StepKind

LATEST = 20
"""How many runs the filter offers; any other is reached from its own page."""


class RunFilter(SimpleListFilter):
    title = _("merge run")
    parameter_name = "run"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        runs = readable_runs(
            model_admin.admin_site, request, MergeRun.objects.using(chosen_database(request))
        )
        offered = {str(run.pk): str(run) for run in runs[:LATEST]}
        chosen = number_in(self.used_parameters.get(self.parameter_name))
        if chosen and str(chosen) not in offered:
            offered |= {str(run.pk): str(run) for run in runs.filter(pk=chosen)}
        return list(offered.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset  # narrowed by RowChangeAdmin.get_queryset, by step as well


class StepFilter(SimpleListFilter):
    """Narrows to one kind of step of the run chosen; offers nothing without a run."""

    title = _("step")
    parameter_name = "step"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        number = number_in(request.GET.get(RunFilter.parameter_name))
        runs = MergeRun.objects.using(chosen_database(request))
        run = runs.filter(pk=number).first() if number else None
        if run is None or not may_read_run(model_admin.admin_site, request, run):
            return []
        return [
            (str(kind.first), f"{_about(kind)}: {kind.reason.label}") for kind in step_kinds(run)
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset  # as above


def chosen_steps(site: AdminSite, request: HttpRequest) -> QuerySet[MergeStep] | None:
    """The steps to which the address, and what this user may see, narrow the list, if they do.

    Asked once for a request, by its list and its paginator.
    """
    known: dict[AdminSite, Any] = request.__dict__.setdefault("_dedupe_steps", {})
    if site not in known:
        known[site] = _chosen_steps(site, request)
    return known[site]  # type: ignore[no-any-return]  # kept under its site


def _chosen_steps(site: AdminSite, request: HttpRequest) -> QuerySet[MergeStep] | None:
    run, first = (request.GET.get(one.parameter_name) for one in (RunFilter, StepFilter))
    every = MergeStep.objects.using(chosen_database(request))
    steps = readable_steps(site, request, every, None if run is None else number_in(run))
    if run is None and first is None and not steps.query.where:
        return None
    if first is not None:
        step = steps.filter(pk=number_in(first)).first()
        steps = steps & steps_like(step) if step else steps.none()
    if run is not None:
        steps = steps.filter(run=number_in(run))
    return steps


class Changes(ChangeList):
    """Knows of each row change that it shows what of it is not for its reader."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        shown: list[Any] = list(self.result_list)
        look_at(self.model_admin.admin_site, request, shown)
        self.result_list = shown


_SHOWN = ["run", "table", "what"]


class RowChangeAdmin(JournalAdmin):
    list_display = ["table", "what", "run"]
    list_display_links = None
    list_filter = [RunFilter, StepFilter, DatabaseFilter]
    search_fields = ["row__exact"]
    search_help_text = _("The number of a row, as it stands in the list.")
    sortable_by = ()
    show_facets = admin.ShowFacets.NEVER  # each would count the whole journal
    fields = [*_SHOWN]
    readonly_fields = [*_SHOWN]

    class Media:
        css = {"all": ["dedupe_toolkit/admin.css"]}

    @admin.display(description=_("merge run"))
    def run(self, change: RowChange) -> int:
        return change.step.run_id

    @admin.display(description=_("model"))
    def table(self, change: RowChange) -> str:
        return model_words(change.step.model)

    @admin.display(description=_("what happened"))
    def what(self, change: RowChange) -> str:
        step = change.step
        return f"{step.get_action_display()}: {step.get_reason_display()}"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return Changes

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        change = super().get_object(request, object_id, from_field)
        look_at(self.admin_site, request, filter(None, [change]))
        return change

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return _with_rows(super().get_list_display(request), self.admin_site, request)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return _with_rows(super().get_fields(request, obj), self.admin_site, request)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return _with_rows(super().get_readonly_fields(request, obj), self.admin_site, request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        # not joined: MariaDB would begin with the steps, and sort the whole journal
        changes = super().get_queryset(request).prefetch_related("step__run")
        steps = chosen_steps(self.admin_site, request)
        return changes if steps is None else changes_of(steps, changes)

    def get_paginator(self, request: HttpRequest, *args: Any, **options: Any) -> Paginator[Any]:
        """Knows from the steps how many row changes there are, and need not count them."""
        paginator = super().get_paginator(request, *args, **options)
        steps = chosen_steps(self.admin_site, request)
        if steps is not None and not request.GET.get(SEARCH_VAR):
            paginator.count = steps.aggregate(rows=Sum("rows"))["rows"] or 0
        return paginator


def _with_rows(names: Iterable[Any], site: AdminSite, request: HttpRequest) -> list[Any]:
    """The columns between those of the rows, which differ from user to user."""
    return [
        column_of_row(site, request),
        *names,
        column_of_survivor(site, request),
        column_of_values(site, request),
    ]


def _about(kind: StepKind) -> str:
    return reference_words(kind.reference) if kind.reference else model_words(kind.model)
