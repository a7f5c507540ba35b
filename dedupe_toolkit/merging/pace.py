"""How fast a run goes: what its row tells after each batch to whoever watches it."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from django.utils import timezone

if TYPE_CHECKING:
    from ..models import MergeRun


class Pace:
    """The clock of a run under way. What it was at work before, when it is carried on, counts."""

    def __init__(self, run: MergeRun) -> None:
        self._began = monotonic() - run.seconds
        self._locked = monotonic()

    def lock(self) -> None:
        """A batch begins, and with it its locks."""
        self._locked = monotonic()

    def measured(self) -> dict[str, Any]:
        """The values of the run's row at the end of a batch."""
        now = monotonic()
        return {
            "progressed": timezone.now(),
            "seconds": round(now - self._began, 3),
            "lock_seconds": round(now - self._locked, 3),
        }
