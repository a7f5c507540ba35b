"""The review queue: the duplicate groups of all scans, as a change list like any other."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ..databases.caching import caching
from ..errors import DedupeError
from ..models import QueuedGroup, Scan
from ..queue.group_counts import GroupCount, count_of_groups
from ..queue.queued import first_rows, scanned_key, texts_of_groups
from ..queue.safe_merging import safe_groups
from ..reviewing.dismissals import dismiss_groups
from ..verbose import user_name
from .aliases import chosen_database
from .deciding import UNDECIDED, allowed, decide, queue_of
from .dismissing import log_verdicts, note_in
from .journal import DatabaseFilter, DeskAdmin, number_in
from .known import key_of_scan, plain_keys, scan_in_words
from .logged_out import keeping_choices
from .permissions import DISMISS, MERGE, find_model_admin, has_right, may_review_model
from .queue_filters import ScanFilter, StateFilter
from .queued_review import queued_view
from .safe_merging import merge_safe_view, merging_view
from .seen import seen_groups
from .urls import group_url, merge_safe_url
from .veiled import veiled, veiled_scans

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest, HttpResponse

    from ..values import MatchKey

State = QueuedGroup.State


class NoteForm(ActionForm):
    """The actions, and a note for those that keep one."""

    note = forms.CharField(
        required=False,
        label=gettext_lazy("Note:"),
        max_length=1000,
        widget=forms.TextInput(attrs={"placeholder": gettext_lazy("Reason, if you like")}),
    )


class Queue(ChangeList):
    """Its links lead to the page that decides a group; what points at the rows is counted."""

    def url_for_result(self, result: QueuedGroup) -> str:  # type: ignore[override]  # rows are groups
        return group_url(self.model_admin.admin_site, result)

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        shown: list[Any] = list(self.result_list)
        scans = {group.scan_id: group.scan for group in shown}
        keys = plain_keys(scans.values())
        for number, scan in scans.items():
            groups = [group for group in shown if group.scan_id == number]
            _describe(scan, keys.get(number), groups)
        self.result_list = veiled(self.model_admin.admin_site, request, shown)


def _describe(scan: Scan, key: MatchKey | None, groups: list[Any]) -> None:
    """Let the groups shown know their key in words, and what points at their rows."""
    counts: dict[str, GroupCount] = {}
    if key is not None:
        with suppress(DedupeError):  # a model that cannot be merged is still listed
            narrowed = scanned_key(scan, key, scan.using)
            firsts = first_rows(key.model, groups, scan.using)
            counts = count_of_groups(narrowed, firsts, scan.using)
    for group in groups:
        group.key_words, group.counts = scan_in_words(scan, key), counts.get(group.row)


class QueuedGroupAdmin(DeskAdmin):
    list_display = ["__str__", "key", "size", "differing", "points_here", "state_", "found"]
    list_filter = [StateFilter, ScanFilter, "is_safe", DatabaseFilter]
    list_per_page = 25
    list_select_related = ["scan"]
    search_fields = ["text"]
    search_help_text = gettext_lazy("Search for values of the key")
    action_form = NoteForm
    actions = ["dismiss_selected", "skip_selected", "leave_to_others", "ask_again"]
    change_list_template = "dedupe_toolkit/queue.html"
    sortable_by = ["__str__", "size", "differing", "found"]

    @admin.display(description=gettext_lazy("key"))
    def key(self, group: Any) -> str:
        return str(group.key_words)

    @admin.display(description=gettext_lazy("points here"))
    def points_here(self, group: Any) -> str:
        """How many rows point at the duplicates, and how many of those collide."""
        if group.counts is None:
            return self.get_empty_value_display()
        references, collisions = group.counts.references, group.counts.collisions
        told = ngettext("%(rows)s row", "%(rows)s rows", references) % {
            "rows": number_format(references)
        }
        if not collisions:
            return told
        named = {"rows": number_format(collisions)}
        if group.is_safe:
            already = ngettext(
                "%(rows)s is there already", "%(rows)s are there already", collisions
            )
            return f"{told}, {already % named}"
        collide = ngettext("%(rows)s collides", "%(rows)s collide", collisions)
        return format_html("{}, <b>{}</b>", told, collide % named)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def state_(self, group: QueuedGroup) -> str:
        if group.state == State.HELD and group.reason:
            return format_html("{}: {}", group.get_state_display(), group.reason.for_people)
        if group.is_safe and group.state == State.PENDING:
            return format_html('<span class="dedupe-safe">{}</span>', _("safe"))
        return group.get_state_display()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return queue_of(self.admin_site, request, chosen_database(request))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """None by values of the key that this user does not get to see."""
        if search_term:
            queryset = queryset.exclude(
                scan__in=veiled_scans(self.admin_site, request, queryset.db)
            )
        return super().get_search_results(request, queryset, search_term)

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Without the key, where all groups are of one."""
        is_of_one = ScanFilter.parameter_name in request.GET
        return [name for name in self.list_display if not (is_of_one and name == "key")]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return Queue

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        named = "dedupe_toolkit_queuedgroup"
        return [
            path("", wrap(self.changelist_view), name=f"{named}_changelist"),
            path(
                "<int:number>/",
                keeping_choices(self.admin_site, wrap(self.review_view)),
                name=f"{named}_review",
            ),
            path(
                "merge-safe/<int:number>/", wrap(self.merge_safe_view), name=f"{named}_merge_safe"
            ),
            path("merging/<int:number>/", wrap(self.merging_view), name=f"{named}_merging"),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """With a way to merge what is safe, where the list is that of one key."""
        number = number_in(request.GET.get(ScanFilter.parameter_name))
        context = {"title": capfirst(self.opts.verbose_name_plural), **(extra_context or {})}
        if number and has_right(request, MERGE):
            scan = Scan.objects.using(chosen_database(request)).filter(pk=number).first()
            safe = scan and safe_groups(scan, self._seen(request, scan)).count()
            if scan and safe and may_review_model(self.admin_site, request, scan.model):
                context |= {"safe": safe, "merge_safe_url": merge_safe_url(self.admin_site, scan)}
        with caching():
            return super().changelist_view(request, context)

    # -- pages -------------------------------------------------------------------------------

    def review_view(self, request: HttpRequest, number: int) -> HttpResponse:
        """The page that compares the rows of a group and decides it."""
        sent = self.sent_away(request)
        if sent is not None:
            return sent
        groups = QueuedGroup.objects.using(chosen_database(request)).select_related("scan")
        group = groups.filter(pk=number).first()
        if group is None or not may_review_model(self.admin_site, request, group.scan.model):
            raise Http404
        seen = self._seen(request, group.scan)
        if seen and not groups.filter(seen, pk=number).exists():
            raise Http404
        veiled(self.admin_site, request, [group])
        return queued_view(self, request, group, groups.filter(seen, scan=group.scan_id))

    def _seen(self, request: HttpRequest, scan: Scan) -> Q:
        return seen_groups(self.admin_site, request, scan.model, scan.using)

    def merge_safe_view(self, request: HttpRequest, number: int) -> HttpResponse:
        return self.sent_away(request) or merge_safe_view(self, request, number)

    def merging_view(self, request: HttpRequest, number: int) -> HttpResponse:
        return self.sent_away(request) or merging_view(self, request, number)

    # -- actions -----------------------------------------------------------------------------

    @admin.action(description=gettext_lazy("Not duplicates: dismiss the groups selected"))
    def dismiss_selected(self, request: HttpRequest, queryset: QuerySet[QueuedGroup]) -> None:
        """Keep the verdict that the rows of each group are not duplicates of each other."""
        note = note_in(request)
        done = 0
        for key, groups in self._by_key(request, queryset, DISMISS):
            using = groups[0].scan.using
            texts = texts_of_groups(key, first_rows(key.model, groups, using), using)
            found = [group for group in groups if len(texts.get(group.row, ())) > 1]
            by = user_name(request.user)
            listed = [texts[group.row] for group in found]
            dismiss_groups(key.model, key.fields, listed, using=using, by=by, note=note)
            own = find_model_admin(self.admin_site, key.model) or self
            log_verdicts(own, request, QuerySet(key.model, using=using), listed, note)
            done += decide(request, found, State.DISMISSED)
        text = ngettext("%(groups)s group dismissed.", "%(groups)s groups dismissed.", done)
        self.message_user(request, text % {"groups": number_format(done)}, messages.SUCCESS)

    @admin.action(description=gettext_lazy("Skip the groups selected"))
    def skip_selected(self, request: HttpRequest, queryset: QuerySet[QueuedGroup]) -> None:
        self._mark(request, queryset, State.SKIPPED)

    @admin.action(description=gettext_lazy("Leave the groups selected to someone else"))
    def leave_to_others(self, request: HttpRequest, queryset: QuerySet[QueuedGroup]) -> None:
        self._mark(request, queryset, State.OTHERS)

    @admin.action(description=gettext_lazy("Let the groups selected wait for a decision again"))
    def ask_again(self, request: HttpRequest, queryset: QuerySet[QueuedGroup]) -> None:
        self._mark(request, queryset.filter(state__in=[State.SKIPPED, State.OTHERS]), State.PENDING)

    def _mark(self, request: HttpRequest, queryset: QuerySet[QueuedGroup], state: str) -> None:
        """Keep a state of the groups that wait, however many they are, by one statement."""
        if not (has_right(request, MERGE) or has_right(request, DISMISS)):
            raise PermissionDenied
        groups = queryset.filter(state__in=UNDECIDED).order_by()
        # a group that waits again waits for no merge that it was left out of
        done = groups.update(
            state=state, run=None, decided=timezone.now(), by=user_name(request.user)
        )
        text = ngettext("%(groups)s group: %(state)s.", "%(groups)s groups: %(state)s.", done)
        told = {"groups": number_format(done), "state": State(state).label}
        self.message_user(request, text % told, messages.SUCCESS)

    def _by_key(
        self, request: HttpRequest, queryset: QuerySet[QueuedGroup], right: str
    ) -> Iterator[tuple[MatchKey, list[QueuedGroup]]]:
        """The groups that wait, by scan and chunk; none that this user may not touch."""
        if not has_right(request, right):
            raise PermissionDenied
        waiting = queryset.filter(state__in=UNDECIDED)
        for number in list(waiting.order_by().values_list("scan", flat=True).distinct()):
            of_scan, last = waiting.filter(scan=number).order_by("pk"), 0
            while chunk := list(of_scan.filter(pk__gt=last)[:_CHUNK]):
                last, key = chunk[-1].pk, key_of_scan(chunk[0].scan)
                if key and (touched := allowed(self.admin_site, request, key, chunk)):
                    yield key, touched


_CHUNK = 500
"""Groups at a time: SQLite takes few parameters."""
