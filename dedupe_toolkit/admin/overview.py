"""The overview: a line for each known match key, and for each selection, with what waits there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count, F, Q, Sum
from django.utils.formats import number_format

from ..audit.memory import known_keys
from ..command_lines import command_line
from ..models import OPEN_STATES, MergeRun, QueuedGroup, Scan
from ..verbose import user_name
from .deciding import listed
from .known import digest, digest_of_scan, in_words, plain_keys, rows_in_words
from .permissions import MERGE, SCAN, has_right, may_review_model

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from django.contrib.admin import AdminSite
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from ..values import MatchKey

State = QueuedGroup.State


@dataclass(frozen=True, kw_only=True)
class Line:
    """A match key with what its latest scan found, as far as it is still to be decided.

    ``change`` is by how many groups that scan found more than the one before it.
    """

    key: MatchKey
    rows: str
    words: str
    digest: str
    scan: Scan | None
    groups: int = 0
    surplus: int = 0
    safe: int = 0
    run: MergeRun | None = None

    @property
    def is_scanned(self) -> bool:
        return bool(self.scan and self.scan.finished)

    @property
    def is_unfinished(self) -> bool:
        """Whether a scan has been begun and waits to be gone on with."""
        return bool(self.scan and not self.scan.finished)

    @property
    def change(self) -> str:
        if self.scan is None or self.scan.number < 2:
            return ""
        more = self.scan.groups - self.scan.groups_before
        sign = "+" if more > 0 else "\N{MINUS SIGN}" if more else "±"
        return f"{sign}{number_format(abs(more))}"

    @property
    def constrain(self) -> str:
        """The command that keeps duplicates from coming back, where there are none."""
        using = self.scan.using if self.scan else "default"
        return command_line("make_unique", self.key, using)


def overview_lines(site: AdminSite, request: HttpRequest, using: str) -> list[Line]:
    """The lines of the models of which this user may change and delete rows.

    A few statements, whatever the number of keys and of groups.
    """
    keys = [key for key in known_keys(using) if may_review_model(site, request, key.label)]
    scans = [*_known(keys, using), *_selections(site, request, using)]
    numbers: dict[str, list[int]] = {}
    for _, scan in scans:
        if scan:
            numbers.setdefault(scan.model, []).append(scan.pk)
    groups = QueuedGroup.objects.using(using).filter(listed(site, request, numbers, using))
    counts, runs = _counts(groups), _merging(groups)
    return [_line(key, scan, counts, runs) for key, scan in scans]


def _known(keys: list[MatchKey], using: str) -> Iterator[tuple[MatchKey, Scan | None]]:
    stored = Scan.objects.using(using).filter(is_selection=False).order_by("-pk")
    scans = {digest_of_scan(scan): scan for scan in stored}
    for key in keys:
        yield key, scans.get(digest(key))


def _selections(
    site: AdminSite, request: HttpRequest, using: str
) -> Iterator[tuple[MatchKey, Scan]]:
    """This user's latest selections."""
    own = Scan.objects.using(using).filter(is_selection=True, by=user_name(request.user))
    scans = list(own.order_by("-pk")[:LATEST])
    keys = plain_keys(scans) if scans else {}
    for scan in scans:
        if scan.pk in keys and may_review_model(site, request, scan.model):
            yield keys[scan.pk], scan


LATEST = 10
"""How many selections of a person are shown."""


def _line(
    key: MatchKey,
    scan: Scan | None,
    counts: Mapping[int, Mapping[str, Any]],
    runs: Mapping[int, MergeRun],
) -> Line:
    number = scan.pk if scan else 0
    counted = counts.get(number, {})
    return Line(
        key=key,
        rows=rows_in_words(key),
        words=in_words(key),
        digest=digest(key),
        scan=scan,
        groups=counted.get("groups", 0),
        surplus=counted.get("surplus") or 0,
        safe=counted.get("safe", 0),
        run=runs.get(number),
    )


def _counts(groups: QuerySet[QueuedGroup]) -> dict[int, Mapping[str, Any]]:
    counted = (
        groups.filter(state__in=OPEN_STATES)
        .order_by()
        .values("scan")
        .annotate(
            groups=Count("pk"),
            surplus=Sum(F("size") - 1),
            safe=Count("pk", filter=Q(is_safe=True, state=State.PENDING)),
        )
    )
    return {one["scan"]: one for one in counted}


def _merging(groups: QuerySet[QueuedGroup]) -> dict[int, MergeRun]:
    """The runs that have some of these groups before them, by the groups' scans."""
    waiting = groups.filter(run__isnull=False, state=State.PENDING)
    known = dict(waiting.order_by().values_list("scan", "run").distinct())
    runs = MergeRun.objects.using(groups.db).in_bulk(known.values())
    return {scan: runs[run] for scan, run in known.items() if run in runs}


def rights(request: HttpRequest) -> dict[str, bool]:
    return {"may_scan": has_right(request, SCAN), "may_merge": has_right(request, MERGE)}


def named_key(site: AdminSite, request: HttpRequest, using: str, name: str) -> MatchKey | None:
    """The known key of which a form has the digest, if this user may see it."""
    found: Iterator[MatchKey] = (
        key
        for key in known_keys(using)
        if digest(key) == name and may_review_model(site, request, key.label)
    )
    return next(found, None)
