"""Where a review page stands: its own address, where it leads back, and what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..models import MergeRun


@dataclass(frozen=True, kw_only=True)
class Place:
    """The page of some rows.

    ``action_url`` is what its form posts to, ``back_url`` the list that it came from, and
    ``undone_url`` where the rows are seen again once their merge is undone.
    ``standing`` says in a line where one stands among others, ``has_next`` whether others wait,
    and ``next_url`` where the next ones are, asked when these are done with; all are empty for
    rows that nobody queued.
    ``most`` is how many rows may be compared, where that is not as many as one can select; such
    a page knows its rows by itself, and its form does not name them.
    ``decided`` is called with ``merged``, ``dismissed``, ``skipped`` or ``others`` when a person
    has decided, and with the run where there is one.
    """

    action_url: str
    undone_url: str
    back_url: str
    back_name: str
    standing: str = ""
    has_next: bool = False
    most: int | None = None
    next_url: Callable[[], str] | None = None
    decided: Callable[[str, MergeRun | None], None] | None = None

    def after(self, *, goes_on: bool) -> str:
        """Where to go once these rows are done with."""
        onward = self.next_url() if goes_on and self.next_url else ""
        return onward or self.back_url

    def tell(self, decision: str, run: MergeRun | None = None) -> None:
        if self.decided:
            self.decided(decision, run)
