"""Who has a scan or a merge in hand: a worker, or a page, and for how long.

``tended`` of its row says until when. It is changed by conditional updates only, so one of two who
come at once has it; and what stands there is the holder's alone, so that whoever has lost it to
another sees that. A search, which is one long statement, renews nothing meanwhile: it holds a lock
that the database frees with the process, and others look for that.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.utils import timezone

from ..databases import database
from ..models import Scan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from ..models import MergeRun

PATIENCE = timedelta(seconds=60)
"""For so long others believe that a worker comes, or that whoever is at it is there still."""


@dataclass(kw_only=True)
class Lease:
    """The right to carry on with a row, until then."""

    row: Scan | MergeRun
    until: datetime

    def renew(self, time: timedelta = PATIENCE) -> bool:
        """Whether it is held still; then it is for so long from now on."""
        until = timezone.now() + time
        if not _change(self.row, Q(tended=self.until), until):
            return False
        self.until = until
        return True

    def leave(self, tended: datetime | None) -> None:
        """Let others have it; does nothing if they have it already.

        With None a worker is asked for the work next, with a time that has just passed the page
        does it by itself for a while.
        """
        _change(self.row, Q(tended=self.until), tended)


def take(row: Scan | MergeRun, asked: datetime | None = None) -> Lease | None:
    """The lease of a row, if nobody has it, or it is the one under which a worker was asked."""
    if _is_searched(row):
        return None
    now = timezone.now()
    free = Q(tended=None) | Q(tended__lte=now) | Q(tended=asked)
    until = now + PATIENCE
    return Lease(row=row, until=until) if _change(row, free, until) else None


def is_tended(row: Scan | MergeRun) -> bool:
    """Whether somebody has it in hand, or a worker was asked for it a short while ago."""
    return row.tended is not None and (row.tended > timezone.now() or _is_searched(row))


@contextmanager
def searching(scan: Scan) -> Iterator[bool]:
    """Search for the groups of a scan within, however long it takes; yields whether nobody does."""
    with database(scan.using).run_lock(_name_of_search(scan)) as is_ours:
        yield is_ours


def _is_searched(row: Scan | MergeRun) -> bool:
    """Whether its time is over, and whoever had it in hand is searching still."""
    if not isinstance(row, Scan) or row.tended is None or row.tended > timezone.now():
        return False
    return database(row.using).is_run_lock_held(_name_of_search(row))


def _name_of_search(scan: Scan) -> str:
    return f"search {scan.pk}"


def _change(row: Scan | MergeRun, where: Q, tended: datetime | None) -> bool:
    rows: Any = type(row)._base_manager.using(row.using).filter(where, pk=row.pk)
    return bool(rows.update(tended=tended))
