"""Scans in the admin: the overview, and the page on which a scan is carried out in slices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..audit.memory import known_keys
from ..errors import DedupeError
from ..models import Scan
from ..queue.examining import cancel, examine, finish, unexamined
from ..queue.lease import is_tended, searching, take
from ..queue.scanning import find_groups
from ..verbose import user_name
from .aliases import chosen_database
from .journal import DeskAdmin
from .known import key_of_scan, new_scan, plain_keys, scan_in_words, scan_of, scan_with_key
from .overview import named_key, overview_lines, rights
from .permissions import SCAN, has_right, may_change_and_delete, may_review_model, model_admin_of
from .selecting import key_page
from .slices import Progress, progress_page, work
from .tasks import SLICES, own_lease
from .telling import told
from .urls import merge_safe_url, merging_url, overview_url, queue_url, scan_url

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite
    from django.http import HttpRequest, HttpResponse

    from ..queue.lease import Lease
    from ..values import MatchKey
    from .overview import Line


class ScanAdmin(DeskAdmin):
    """The overview stands in place of a list; a scan is begun there, by a POST."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("", wrap(self.changelist_view), name="dedupe_toolkit_scan_changelist"),
            path("<int:number>/", wrap(self.scan_view), name="dedupe_toolkit_scan_slices"),
            path("<int:number>/key/", wrap(self.key_view), name="dedupe_toolkit_scan_key"),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The overview; a POST begins the scan of the key that it names."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        away = self.sent_away(request)
        if away or request.method != "POST":
            return away or self._overview(request)
        return self._begin(request)

    def _overview(self, request: HttpRequest) -> HttpResponse:
        using = chosen_database(request)
        try:
            lines = overview_lines(self.admin_site, request, using)
            is_known = bool(lines or list(known_keys(using)))
        except DedupeError as error:
            self.message_user(request, told(error), messages.ERROR)
            lines, is_known = [], False
        context = {
            **self.admin_site.each_context(request),
            **rights(request),
            "title": _("Duplicates"),
            "is_known": is_known,
            "lines": [(line, *self._addresses(line)) for line in lines],
            "opts": self.opts,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "dedupe_toolkit/overview.html", context)

    def _addresses(self, line: Line) -> tuple[str, str, str]:
        """Of a line: its queue, the page of its scan, and the way to merge what is safe."""
        site, scan = self.admin_site, line.scan
        if scan is None:
            return "", "", ""
        merging = merging_url(site, line.run) if line.run else merge_safe_url(site, scan)
        return queue_url(site, scan), scan_url(site, scan), merging

    def _begin(self, request: HttpRequest) -> HttpResponse:
        if not has_right(request, SCAN):
            raise PermissionDenied
        using = chosen_database(request)
        key = named_key(self.admin_site, request, using, request.POST.get("key", ""))
        if key is None:
            raise Http404
        scan = scan_of(key, using) or new_scan(key, using)
        scan.status, scan.finished = Scan.Status.NEW, None
        scan.save(update_fields=["status", "finished"])
        lease = take(scan)  # whoever has it in hand still goes on with the new search
        if lease:
            lease.leave(None)
        return HttpResponseRedirect(f"{scan_url(self.admin_site, scan)}#start")

    def scan_view(self, request: HttpRequest, number: int) -> HttpResponse:
        """Shows how far a scan has come; a POST carries on with it for a few seconds, or stops."""
        away = self.sent_away(request)
        if away:
            return away
        scan, key = scan_with_key(number, chosen_database(request))
        if not _may_scan(self.admin_site, request, scan):
            raise PermissionDenied
        if request.method == "POST":
            self._carry_on(request, scan, key)
            scan.refresh_from_db()
        return progress_page(self.admin_site, request, self._progress(scan))

    def key_view(self, request: HttpRequest, number: int) -> HttpResponse:
        """Asks which key makes duplicates of the rows that this user selected."""
        away = self.sent_away(request)
        if away:
            return away
        own = Scan.objects.using(chosen_database(request)).filter(
            pk=number, is_selection=True, by=user_name(request.user)
        )
        scan = own.first()
        model_admin = model_admin_of(self.admin_site, scan.model) if scan else None
        if scan is None or model_admin is None:
            raise Http404
        if not has_right(request, SCAN) or not may_change_and_delete(model_admin, request):
            raise PermissionDenied
        return key_page(self.admin_site, request, model_admin, scan)

    def _carry_on(self, request: HttpRequest, scan: Scan, key: MatchKey) -> None:
        if "cancel" in request.POST:
            cancel(scan)
            return
        lease = own_lease(self.admin_site, request, scan)
        if lease is None:
            return
        before = scan.tended
        try:
            slice_of_scan(scan, key, lease)
        except DedupeError as error:
            self.message_user(request, told(error), messages.ERROR)
            cancel(scan)
        finally:
            lease.leave(before)

    def _progress(self, scan: Scan) -> Progress:
        total = scan.queued.filter(seen=scan.number).count() if scan.number else 0
        left = unexamined(scan).count()
        named = scan_in_words(scan, plain_keys([scan]).get(scan.pk))
        is_finished = scan.status in (Scan.Status.DONE, Scan.Status.CANCELLED)
        done = total - left
        words = _("Looking for duplicates …")
        if scan.status != Scan.Status.NEW:
            words = ngettext(
                "%(done)s of %(total)s group looked at",
                "%(done)s of %(total)s groups looked at",
                total,
            ) % {"done": number_format(done), "total": number_format(total)}
        url = overview_url(self.admin_site, scan.using)
        if scan.status == Scan.Status.DONE and scan.is_selection:
            url = queue_url(self.admin_site, scan)
        return Progress(
            title=_("Scan · %(key)s") % {"key": named},
            words=words,
            done=0 if scan.status == Scan.Status.NEW else done,
            total=total,
            url=url,
            is_finished=is_finished,
            is_tended=is_tended(scan) and not is_finished,
        )


def _may_scan(site: AdminSite, request: HttpRequest, scan: Scan) -> bool:
    return has_right(request, SCAN) and may_review_model(site, request, scan.model)


def slice_as(site: AdminSite, request: HttpRequest, scan: Scan, lease: Lease) -> None:
    """The same for whoever asked for it, as long as they may.

    Raises `PermissionDenied` once they may not, or the key is gone.
    """
    key = key_of_scan(scan)
    if key is None or not _may_scan(site, request, scan):
        raise PermissionDenied
    slice_of_scan(scan, key, lease)


def slice_of_scan(scan: Scan, key: MatchKey, lease: Lease) -> None:
    """Carry on with a scan for a few seconds: search first, then look closer, batch by batch.

    Ends where it is cancelled, and where the lease is lost.
    """
    if scan.status == Scan.Status.NEW:
        with searching(scan) as is_ours:
            if not (is_ours and lease.renew()):
                return
            find_groups(scan, key)
            lease.renew()
    elif scan.status == Scan.Status.CANCELLED:  # gone on with where it was left
        scan.status = Scan.Status.RUNNING
        scan.save(update_fields=["status"])

    def batch(size: int) -> int:
        scan.refresh_from_db()
        is_ours = scan.status == Scan.Status.RUNNING and lease.renew()
        return examine(scan, key, size) if is_ours else 0

    work(batch)
    if scan.status == Scan.Status.RUNNING and not unexamined(scan).exists():
        finish(scan)


SLICES[Scan] = slice_as
