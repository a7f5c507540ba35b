"""Merge runs in the admin: what each did, and the way to undo it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from ..engine.journal_reading import step_kinds
from ..values import ReferenceCount
from .display import split_counts
from .journal import DatabaseFilter, JournalAdmin
from .permissions import may_undo
from .review import review_view
from .undoing import is_undoable, undo_view
from .urls import changes_url, may_see_changes, run_url

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from ..models import MergeRun


class RunList(ChangeList):
    """Its links name the database of the run."""

    def url_for_result(self, result: MergeRun) -> str:  # type: ignore[override]  # rows are runs
        return run_url(self.model_admin.admin_site, result)


class MergeRunAdmin(JournalAdmin):
    list_display = [
        "__str__",
        "status",
        "started",
        "groups",
        "merged",
        "rows_merged",
        "groups_held_back",
    ]
    list_filter = ["status", DatabaseFilter]
    search_fields = ["model"]
    fields = [
        "status",
        "model",
        "key_fields",
        "started",
        "finished",
        "groups",
        "merged",
        "rows_merged",
    ]
    readonly_fields = ["key_fields"]
    change_form_template = "dedupe_toolkit/run.html"

    @admin.display(description=_("matched by"))
    def key_fields(self, run: MergeRun) -> str:
        return ", ".join(run.fields) or str(_("rows named one by one"))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return RunList

    def get_urls(self) -> list[URLPattern]:
        """The review and the undo page, beside Django's own."""
        wrap = self.admin_site.admin_view
        return [
            path(
                "merge/<str:app_label>/<str:model_name>/",
                wrap(self.review_view),
                name="dedupe_toolkit_mergerun_merge",
            ),
            path("<int:number>/undo/", wrap(self.undo_view), name="dedupe_toolkit_mergerun_undo"),
            *super().get_urls(),
        ]

    def review_view(self, request: HttpRequest, app_label: str, model_name: str) -> HttpResponse:
        return review_view(self.admin_site, request, app_label, model_name)

    def undo_view(self, request: HttpRequest, number: int) -> HttpResponse:
        return undo_view(self, request, number)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        return super().render_change_form(
            request, context | self._about(request, context["original"]), *args, **kwargs
        )

    def _about(self, request: HttpRequest, run: MergeRun) -> dict[str, Any]:
        site = self.admin_site
        seen = may_see_changes(site, request)
        return {
            "run": run,
            "counts": split_counts(ReferenceCount(**count) for count in run.references),
            "steps": [
                (kind, changes_url(site, run, kind.first) if seen else "")
                for kind in step_kinds(run)
            ],
            "undo_url": run_url(site, run, "undo")
            if is_undoable(run) and may_undo(site, request, run)
            else "",
        }
