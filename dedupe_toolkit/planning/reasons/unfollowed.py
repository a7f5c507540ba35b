"""Rows that cannot follow what they point at, though their model says how: the database forbids it.

A foreign key that is checked at once lets them move neither before nor after the key, and one
that empties what they hold would lose it.
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
    if session.on_move(follower.reference) is not OnMove.REFUSES:
        return
    table = follower.referrer.table
    names = numbered("key", len(table.pk))
    own = session.database.qualified("t", [column.name for column in table.pk])
    named = ", ".join(f"{sql} AS {name}" for sql, name in zip(own, names, strict=True))
    rows = repointed_rows(session.database, follower.mapping, follower.reference)
    session.held.add(
        "cannot follow",
        f"FROM (SELECT m.group_number, {named} {rows}) x",
        told={"reference": follower.reference.label, "model": referrer.table.model._meta.label},
        first=session.held.key("x", table.pk, names),
    )
