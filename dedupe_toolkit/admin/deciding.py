"""Groups of the review queue as the pages that decide them need them: their rows, the next one."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from ..databases.tables import pk_names
from ..models import IN_ORDER, OPEN_STATES, QueuedGroup, Scan
from ..queue.queued import first_rows, rows_of, texts_of_groups
from ..verbose import user_name
from .known import key_of_scan
from .permissions import find_model_admin, may_change_and_delete, may_review_model
from .seen import asks_of_rows, hiding_admin, named_rows, seen_groups, seen_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from django.contrib.admin import AdminSite
    from django.http import HttpRequest

    from ..models import MergeRun
    from ..values import MatchKey

State = QueuedGroup.State

UNDECIDED = (*OPEN_STATES, State.SKIPPED, State.OTHERS)
"""The states of groups of which nobody has said what they are."""


def queue_of(site: AdminSite, request: HttpRequest, using: str) -> QuerySet[QueuedGroup]:
    """The groups of the models of which this user may edit rows, where they see the first."""
    scans: dict[str, list[int]] = {}
    for number, label in Scan.objects.using(using).order_by().values_list("pk", "model"):
        scans.setdefault(label, []).append(number)
    groups = QueuedGroup.objects.using(using).select_related("scan")
    return groups.filter(listed(site, request, scans, using))


def listed(
    site: AdminSite, request: HttpRequest, scans: Mapping[str, Collection[int]], using: str
) -> Q:
    """Which groups this user may be told of, those of the scans of each model being looked at."""
    plain: list[int] = []
    found = Q()
    for label, numbers in scans.items():
        if may_review_model(site, request, label):
            seen = seen_groups(site, request, label, using)
            plain += [] if seen else numbers
            found |= Q(seen, scan__in=numbers) if seen else Q()
    return found | Q(scan__in=plain)


def pks_of(group: QueuedGroup) -> list[Any]:
    """The primary keys of the group's rows as they are now, lowest first.

    Empty where the match key or the first row is gone.
    """
    key = key_of_scan(group.scan)
    if key is None:
        return []
    using = group.scan.using
    rows = rows_of(key, first_rows(key.model, [group], using), using)
    return list(rows.order_by(*pk_names(key.model)).values_list("pk", flat=True))


_AHEAD = 50
"""How many groups are looked at for one that somebody with few rights may decide."""


def next_group(
    site: AdminSite, request: HttpRequest, groups: QuerySet[QueuedGroup], group: QueuedGroup
) -> QueuedGroup | None:
    """The next open group of a queue: after this one in its order, or else from the beginning.

    Not one with rows that this user may not see or edit: nobody is led to where they can do
    nothing.
    """
    key = key_of_scan(group.scan)
    waiting = groups.filter(state__in=OPEN_STATES).order_by(*IN_ORDER)
    later = Q(is_safe=group.is_safe, differing__gt=group.differing) | Q(
        is_safe=group.is_safe, differing=group.differing, pk__gt=group.pk
    )
    if group.is_safe:
        later |= Q(is_safe=False)
    others = waiting.exclude(pk=group.pk)
    for some in (others.filter(later)[:1], others.filter(later)[:_AHEAD], others[:_AHEAD]):
        found = allowed(site, request, key, list(some)) if key else []
        if found:
            return found[0]
    return None


def mark(request: HttpRequest, group: QueuedGroup, state: str, run: MergeRun | None = None) -> None:
    """Keep what became of a group, and who decided it."""
    group.state, group.run = state, run
    group.decided, group.by = timezone.now(), user_name(request.user)
    group.save(update_fields=["state", "run", "size", "decided", "by"])


def decide(request: HttpRequest, groups: Iterable[QueuedGroup], state: str) -> int:
    """The same for many groups at once; returns how many there are."""
    numbers = {group.pk: group for group in groups}
    for using in {group.scan.using for group in numbers.values()}:
        QueuedGroup.objects.using(using).filter(pk__in=numbers).update(
            state=state, decided=timezone.now(), by=user_name(request.user)
        )
    return len(numbers)


def allowed(
    site: AdminSite, request: HttpRequest, key: MatchKey, groups: list[QueuedGroup]
) -> list[QueuedGroup]:
    """Those of the groups, all of one scan, of which this user may change and delete every row.

    Looks at the rows only where the `ModelAdmin` hides some, or has a word of its own on them.
    """
    model_admin = find_model_admin(site, key.model)
    if model_admin is None:
        return []
    if not (hiding_admin(site, request, key.label) or asks_of_rows(model_admin)):
        return groups
    using = groups[0].scan.using if groups else "default"
    texts = texts_of_groups(key, first_rows(key.model, groups, using), using)
    rows = named_rows(seen_rows(model_admin, request, using), chain.from_iterable(texts.values()))
    touched = {text for text, row in rows if may_change_and_delete(model_admin, request, row)}
    return [group for group in groups if touched.issuperset(texts.get(group.row, ()))]
