"""Rows that cannot follow what they point at, though their model says how: the database forbids it.

A foreign key that is checked at once lets them move neither before nor after the key, and one
that empties what they hold would lose it. One that cascades takes them along together with the
key, in no journal: nothing could follow them in their turn, and their old key would lead nowhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...databases.names import numbered
from ...databases.tables import OnMove
from ...repointing.rows import repointed_rows

if TYPE_CHECKING:
    from ...references.referrers import Referrer
    from ...repointing.followers import Follower
    from ..session import Session


def hold_unfollowed(session: Session, referrer: Referrer, follower: Follower) -> None:
    """Hold back the groups because of which a referrer's rows move that such a key points at."""
    reason = _reason(session, follower)
    if not reason:
        return
    table = follower.referrer.table
    names = numbered("key", len(table.pk))
    own = session.database.qualified("t", [column.name for column in table.pk])
    named = ", ".join(f"{sql} AS {name}" for sql, name in zip(own, names, strict=True))
    rows = repointed_rows(session.database, follower.mapping, follower.reference)
    session.held.add(
        reason,
        f"FROM (SELECT m.group_number, {named} {rows}) x",
        told={"reference": follower.reference.label, "model": referrer.table.model._meta.label},
        first=session.held.key("x", table.pk, names),
    )


def _reason(session: Session, follower: Follower) -> str:
    """The code of the reason why nothing may move what a follower points at, "" where it may."""
    match session.on_move(follower.reference):
        case OnMove.REFUSES:
            return "cannot follow"
        case OnMove.CASCADES if _moves(follower):
            return "taken along"
        case _:
            return ""


def _moves(follower: Follower) -> bool:
    """Whether what follows is of its own row's key, or others point at it."""
    referrer, columns = follower.referrer, follower.reference.columns
    is_of_key = any(column.name in columns for column in referrer.table.pk)
    return is_of_key or referrer.moves_by(follower.reference)
