"""The review page of a queued group: where it stands among the others, and what comes next."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from django.contrib import messages
from django.db.models import Count, Q
from django.http import Http404, HttpResponseRedirect, QueryDict
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..errors import DedupeError
from ..models import OPEN_STATES, QueuedGroup
from ..verbose import within
from .choice import choice_from
from .deciding import UNDECIDED, mark, next_group, pks_of
from .permissions import model_admin_of
from .place import Place
from .review import decide
from .session import pace, undo_button, undo_url_of
from .telling import NotSeen, Refused, told
from .urls import group_url, queue_url, run_link

if TYPE_CHECKING:
    from typing import Any

    from django.contrib.admin import AdminSite
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

    from ..models import MergeRun
    from .choice import Choice
    from .journal import JournalAdmin

State = QueuedGroup.State

_GOES_ON = {"merge_next", "dismiss", "skip"}
"""The buttons that lead to the next group, also where a colleague was faster."""

MOST = 10_000
"""How many rows of one group can be decided on its page."""


def queued_view(
    queue_admin: JournalAdmin,
    request: HttpRequest,
    group: QueuedGroup,
    groups: QuerySet[QueuedGroup],
) -> HttpResponse:
    """Shows the rows of a group as they are now; does what the button that is pressed says.

    ``groups`` are those of its scan, among which it stands.
    """
    site = queue_admin.admin_site
    model_admin = model_admin_of(site, group.scan.model)
    if model_admin is None:
        raise Http404
    pks = pks_of(group)
    if len(pks) < 2:
        _outdate(group)
        queue_admin.message_user(request, _settled(site, request, group), messages.INFO)
        return _onward(queue_admin, request, group, groups, is_behind=True)
    try:
        chosen = choice_from(request.POST if request.method == "POST" else request.GET)
        return decide(
            model_admin,
            request,
            _among(chosen, pks),
            group.scan.using,
            _place(queue_admin, request, group, groups),
        )
    except NotSeen:
        text = _("“%(group)s” needs someone else: you do not see all of its rows.")
        queue_admin.message_user(request, text % {"group": within(str(group))}, messages.WARNING)
        return _onward(queue_admin, request, group, groups)
    except DedupeError as error:
        queue_admin.message_user(request, told(error), messages.ERROR)
        return HttpResponseRedirect(_list_url(queue_admin, request, group))


def _onward(
    queue_admin: JournalAdmin,
    request: HttpRequest,
    group: QueuedGroup,
    groups: QuerySet[QueuedGroup],
    *,
    is_behind: bool = False,
) -> HttpResponse:
    """Away from a group that cannot be decided: to the next one, where a button leads there.

    Or to the one after that, ``is_behind`` a colleague: they are at the next one, and two who began
    together would meet at each.
    """
    site, found = queue_admin.admin_site, None
    if _GOES_ON.intersection(request.POST):
        found = next_group(site, request, groups, group)
    if found and is_behind:
        found = next_group(site, request, groups, found) or found
    if found is None:
        return HttpResponseRedirect(_list_url(queue_admin, request, group))
    return HttpResponseRedirect(_kept(queue_admin, request, group_url(site, found)))


def _kept(queue_admin: JournalAdmin, request: HttpRequest, url: str) -> str:
    """The address with the search and the filters of the list that the person came from."""
    filters = queue_admin.get_preserved_filters(request)
    return f"{url}{'&' if '?' in url else '?'}{filters}" if filters else url


def _list_url(queue_admin: JournalAdmin, request: HttpRequest, group: QueuedGroup) -> str:
    """The list that the person came from, or else that of the scan."""
    url = queue_url(queue_admin.admin_site, group.scan)
    filters = QueryDict(request.GET.get("_changelist_filters", ""))
    return f"{url.partition('?')[0]}?{filters.urlencode()}" if filters else url


def _among(chosen: Choice, pks: list[Any]) -> Choice:
    """The choice, of all rows of the group where it names none.

    Raises `Refused` for rows that are no longer in the group.
    """
    if not chosen.pks:
        kept = tuple(pk for pk in pks if str(pk) not in chosen.left_out)
        return replace(chosen, pks=kept)
    if not set(chosen.pks) <= set(map(str, pks)):
        raise Refused(_("The rows of this group have changed: open it again."))
    return chosen


def _place(
    queue_admin: JournalAdmin,
    request: HttpRequest,
    group: QueuedGroup,
    groups: QuerySet[QueuedGroup],
) -> Place:
    site = queue_admin.admin_site

    def following() -> str:
        found = next_group(site, request, groups, group)
        return _kept(queue_admin, request, group_url(site, found)) if found else ""

    own, counted = _kept(queue_admin, request, group_url(site, group)), _counted(groups)
    return Place(
        action_url=own,
        undone_url=own,
        back_url=_list_url(queue_admin, request, group),
        back_name=str(queue_admin.opts.verbose_name_plural),
        standing=_standing(request, group, **counted),
        has_next=counted["waiting"] > (group.state in OPEN_STATES),
        most=MOST,
        next_url=following,
        decided=partial(_decided, request, group),
    )


def _decided(request: HttpRequest, group: QueuedGroup, decision: str, run: MergeRun | None) -> None:
    """Keep the decision; of a group of which rows were left out, others may still be equal.

    Who leaves a group to later, or to others, takes back nothing that a colleague has decided.
    """
    state = _STATES[decision]
    if state in UNDECIDED and group.state in (State.MERGED, State.DISMISSED):
        return
    left = len(pks_of(group)) if state == State.MERGED else 0
    if left > 1:
        # in no run: one that is named by a group that waits is one that still has it before it
        state, run, group.size = State.PENDING, None, left
    mark(request, group, state, run)


_STATES = {
    "merged": State.MERGED,
    "dismissed": State.DISMISSED,
    "skipped": State.SKIPPED,
    "others": State.OTHERS,
}


def _settled(site: AdminSite, request: HttpRequest, group: QueuedGroup) -> str:
    """What became of a group that has no duplicates any more, and the way back.

    Somebody else may have merged it, or this user, whose browser has lost the answer.
    """
    if group.run is None or group.state != State.MERGED:
        return _("“%(group)s” has no duplicates any more.") % {"group": within(str(group))}
    text = _("“%(group)s” has been merged already, by %(by)s.")
    url = undo_url_of(site, request, group.run)
    return format_html(
        "{} {} {}",
        text % {"group": within(str(group)), "by": group.by},
        run_link(site, request, group.run),
        undo_button(request, url, group_url(site, group)),
    )


def _outdate(group: QueuedGroup) -> None:
    waiting = QueuedGroup.objects.using(group.scan.using).filter(state__in=OPEN_STATES)
    waiting.filter(pk=group.pk).update(state=State.OUTDATED, is_safe=False)


def _counted(groups: QuerySet[QueuedGroup]) -> dict[str, int]:
    """How many groups wait for a decision, and how many there are."""
    return groups.exclude(state=State.OUTDATED).aggregate(
        waiting=Count("pk", filter=Q(state__in=OPEN_STATES)), known=Count("pk")
    )


def _standing(request: HttpRequest, group: QueuedGroup, *, waiting: int, known: int) -> str:
    """One line: which of how many this is, how many are done, and how long the others take."""
    done = known - waiting
    parts = [
        _("Group %(place)s of %(groups)s")
        % {"place": number_format(min(done + 1, known)), "groups": number_format(known)},
        within(str(group)),
        _("%(done)s done") % {"done": number_format(done)},
    ]
    minutes = round(pace(request) * waiting / 60)
    if minutes:
        left = ngettext("about %(minutes)s minute left", "about %(minutes)s minutes left", minutes)
        parts.append(left % {"minutes": number_format(minutes)})
    return " · ".join(parts)
