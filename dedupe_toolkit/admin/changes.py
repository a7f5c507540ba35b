"""Row changes in the admin: every row that a merge run changed, before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.contrib.admin.views.main import SEARCH_VAR
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from ..journal.reading import changes_of, step_kinds, steps_like
from ..models import MergeRun, MergeStep, RowChange
from ..verbose import model_words, reference_words
from .change_links import column_of_row, column_of_survivor
from .change_values import column_of_values
from .concerned import may_read_run, readable_runs, readable_steps
from .journal import DatabaseFilter, JournalAdmin, chosen_database

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.contrib.admin import AdminSite
    from django.core.paginator import Paginator
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from ..journal.reading import StepKind

LATEST = 20
"""How many runs the filter offers; any other is reached from its own page."""

MOST_DIGITS = 18
"""Of a number that fits into the columns in which runs and steps are numbered."""


class RunFilter(SimpleListFilter):
    title = _("merge run")
    parameter_name = "run"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        runs = readable_runs(
            model_admin.admin_site, request, MergeRun.objects.using(chosen_database(request))
        )
        offered = {str(run.pk): str(run) for run in runs[:LATEST]}
        chosen = _number(self.used_parameters.get(self.parameter_name))
        if str(chosen) not in offered:
            offered |= {str(run.pk): str(run) for run in runs.filter(pk=chosen)}
        return list(offered.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset  # narrowed by RowChangeAdmin.get_queryset, by step as well


class StepFilter(SimpleListFilter):
    """Narrows to one kind of step of the run chosen; offers nothing without a run."""

    title = _("step")
    parameter_name = "step"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        number = _number(request.GET.get(RunFilter.parameter_name))
        run = MergeRun.objects.using(chosen_database(request)).filter(pk=number).first()
        if run is None or not may_read_run(model_admin.admin_site, request, run):
            return []
        return [
            (str(kind.first), f"{_about(kind)}: {kind.reason.label}") for kind in step_kinds(run)
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset  # as above


def chosen_steps(site: AdminSite, request: HttpRequest) -> QuerySet[MergeStep] | None:
    """The steps to which the address, and what this user may see, narrow the list, if they do."""
    run, first = (request.GET.get(one.parameter_name) for one in (RunFilter, StepFilter))
    steps = MergeStep.objects.using(chosen_database(request))
    steps = readable_steps(site, request, steps, None if run is None else _number(run))
    if run is None and first is None and not steps.query.where:
        return None
    if first is not None:
        step = steps.filter(pk=_number(first)).first()
        steps = steps & steps_like(step) if step else steps.none()
    if run is not None:
        steps = steps.filter(run=_number(run))
    return steps


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


def _number(text: Any) -> int:
    """The number of a run or step; 0, which none has, for anything else."""
    typed = str(text)
    # longer ones fit no column, and databases refuse to compare with them
    return int(typed) if typed.isdecimal() and len(typed) <= MOST_DIGITS else 0
