"""Columns that two references of a table share, as a tenant's in a key of tenant and number.

One leads to the merged row, the other to a row that moves with it. Whatever moves goes first and
takes along what points at it by both; the rest is repointed by the column alone. So each row is
changed, and counted, once.
"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..planning.session import Session
    from ..references.kinds import Reference
    from ..references.referrers import Referrer


def leaders_first(session: Session, referrers: Sequence[Referrer]) -> list[Referrer]:
    """The referrers of a level, those ahead whose rows take others along."""
    movers = [referrer for referrer in referrers if referrer.moves]
    if not movers:
        return list(referrers)
    left = list(referrers)
    ordered: list[Referrer] = []
    while left:
        ahead = [mover for mover in movers if mover in left]
        free = (one for one in left if not any(_takes_along(session, m, one) for m in ahead))
        ordered.append(next(free, left[0]))
        left.remove(ordered[-1])
    return ordered


def taken_along(
    session: Session, referrers: Sequence[Referrer], referrer: Referrer, reference: Reference
) -> list[str]:
    """SQL, each true for rows (``t``) of a referrer that a wider reference takes along.

    ``referrers`` are those of the level, in order.
    """
    database = session.database
    ahead = takewhile(lambda one: one is not referrer, referrers)
    return [
        f"EXISTS (SELECT 1 FROM {database.q(mover.table.name)} d WHERE "
        + database.join_on("d", wider.targets, "t", wider.columns)
        + ")"
        for mover in ahead
        for wider in _wider(session, mover, referrer, reference)
    ]


def _takes_along(session: Session, mover: Referrer, referrer: Referrer) -> bool:
    return any(
        True
        for reference in referrer.references
        for _ in _wider(session, mover, referrer, reference)
    )


def _wider(
    session: Session, mover: Referrer, referrer: Referrer, reference: Reference
) -> Iterator[Reference]:
    """The references to a mover's rows that hold, with others, what this reference holds."""
    if mover.table.name == referrer.table.name or not mover.moves:
        return
    for below in session.referrers(mover.table.model):
        for wider in below.references if below.table.name == referrer.table.name else ():
            if len(wider.columns) <= len(reference.columns):
                continue
            leads_to = dict(zip(wider.columns, wider.targets, strict=True))
            onto = tuple(leads_to.get(column, "") for column in reference.columns)
            if any(
                one.columns == onto and one.targets == reference.targets for one in mover.references
            ):
                yield wider
