"""Merge runs in the admin: what each did, and the way to undo it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from ..journal.progress import progress_of, status_now
from ..models import MergeRun, RowChange
from ..plan_values import ReferenceCount
from ..verbose import model_words
from .concerned import may_read_run, may_undo, readable_runs
from .display import split_counts
from .journal import DatabaseFilter, JournalAdmin
from .known import fields_in_words
from .logged_out import keeping_choices
from .permissions import may_see_pages
from .review import review_view
from .run_words import held_groups, kinds_in_words, merged_groups, pace_in_words, rules_in_words
from .undoing import is_undoable, undo_view
from .urls import changes_url, run_url

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse


class RunList(ChangeList):
    """Its links name the database of the run."""

    def url_for_result(self, result: MergeRun) -> str:  # type: ignore[override]  # rows are runs
        return run_url(self.model_admin.admin_site, result)


class MergeRunAdmin(JournalAdmin):
    list_display = [
        "__str__",
        "state",
        "started",
        "by",
        "groups",
        "merged",
        "rows_merged",
        "groups_held_back",
    ]
    list_filter = ["status", "origin", DatabaseFilter]
    search_fields = ["model", "by"]
    fields = [
        "state",
        "pace",
        "by",
        "origin",
        "rows",
        "key_fields",
        "started",
        "finished",
        "groups",
        "merged",
        "rows_merged",
        "rules",
    ]
    readonly_fields = ["state", "pace", "rows", "key_fields", "rules"]
    change_form_template = "dedupe_toolkit/run.html"

    @admin.display(description=_("status"), ordering="status")
    def state(self, run: MergeRun) -> str:
        return str(MergeRun.Status(status_now(run)).label)

    @admin.display(description=_("progress"))
    def pace(self, run: MergeRun) -> str:
        return pace_in_words(progress_of(run))

    @admin.display(description=_("model"))
    def rows(self, run: MergeRun) -> str:
        return model_words(run.model)

    @admin.display(description=_("matched by"))
    def key_fields(self, run: MergeRun) -> str:
        return fields_in_words(run.model, run.fields) or str(_("rows named one by one"))

    @admin.display(description=_("rules"))
    def rules(self, run: MergeRun) -> str:
        return rules_in_words(run)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return readable_runs(self.admin_site, request, super().get_queryset(request))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether this user may view runs, and sees the rows that this one is about."""
        if not super().has_view_permission(request, obj):
            return False
        return obj is None or may_read_run(self.admin_site, request, obj)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return RunList

    def get_urls(self) -> list[URLPattern]:
        """The review and the undo page, beside Django's own."""
        wrap = self.admin_site.admin_view
        return [
            path(
                "merge/<str:app_label>/<str:model_name>/",
                keeping_choices(self.admin_site, wrap(self.review_view)),
                name="dedupe_toolkit_mergerun_merge",
            ),
            path("<int:number>/undo/", wrap(self.undo_view), name="dedupe_toolkit_mergerun_undo"),
            *super().get_urls(),
        ]

    def review_view(self, request: HttpRequest, app_label: str, model_name: str) -> HttpResponse:
        return review_view(self.admin_site, request, app_label, model_name)

    def undo_view(self, request: HttpRequest, number: int) -> HttpResponse:
        return self.sent_away(request) or undo_view(self, request, number)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        return super().render_change_form(
            request, context | self._about(request, context["original"]), *args, **kwargs
        )

    def _about(self, request: HttpRequest, run: MergeRun) -> dict[str, Any]:
        site = self.admin_site
        seen = may_see_pages(site, request, RowChange)
        return {
            "run": run,
            "merged_groups": merged_groups(site, request, run),
            "held_groups": held_groups(run),
            "counts": split_counts(ReferenceCount(**count) for count in run.references),
            "steps": [
                (*told, changes_url(site, run, told[0].first) if seen else "")
                for told in kinds_in_words(run)
            ],
            "undo_url": run_url(site, run, "undo")
            if is_undoable(run) and may_undo(site, request, run)
            else "",
        }
