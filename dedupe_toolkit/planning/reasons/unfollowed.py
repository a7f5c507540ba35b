"""Rows that cannot follow what they point at, though their model says how: the database forbids it.

A foreign key that is checked at once lets them move neither before nor after the key, and one
that empties what they hold would lose it. One that cascades takes them along together with the
key, in no journal: nothing could follow them in their turn, and their old key would lead nowhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...databases.tables import OnMove
from ...references.rule_sql import computed_of
from ...repointing.followers import keepers
from ...repointing.rows import repointed_rows

if TYPE_CHECKING:
    from ...mapping.mapping import MergeMap
    from ...references.kinds import Reference
    from ...references.referrers import Referrer
    from ...repointing.followers import Follower
    from ..session import Session


def hold_unfollowed(session: Session, referrer: Referrer, follower: Follower) -> None:
    """Hold back the groups because of which a referrer's rows move that such a key points at."""
    reason = _reason(session, follower)
    if not reason:
        return
    rows = repointed_rows(session.database, follower.mapping, follower.reference)
    told = {"reference": follower.reference.label, "model": referrer.table.model._meta.label}
    session.held.add_rows(reason, rows, follower.referrer.table.pk, told)


def hold_torn(
    session: Session, mapping: MergeMap, referrer: Referrer, reference: Reference
) -> None:
    """Hold back the groups because of which rows move together that point at each other, where
    the database would change some of them when it has moved the others."""
    database, table = session.database, referrer.table
    for own in keepers(session, referrer, reference) if database.acts_row_by_row else ():
        if session.on_move(own) is OnMove.ACTS:
            held = "".join(
                f" AND {one} IS NOT NULL" for one in database.qualified("t", own.columns)
            )
            rows = f"{repointed_rows(database, mapping, reference)}{held}"
            told = {"reference": own.label, "model": table.model._meta.label}
            session.held.add_rows("torn apart", rows, table.pk, told)


def hold_computed(
    session: Session, mapping: MergeMap, referrer: Referrer, reference: Reference
) -> None:
    """Hold back the groups because of which a referrer's rows move that others point at by a value
    that the database computes of the reference: only it knows what that will be."""
    database, model = session.database, referrer.table.model
    computed = computed_of(database.demands(model).generated, reference.columns)
    for below in session.referrers(model) if computed else ():
        for follower in below.references:
            if computed.isdisjoint(follower.targets) or follower.is_text:
                continue
            same = database.join_on("t", follower.targets, "f", follower.columns)
            pointed = f"EXISTS (SELECT 1 FROM {database.q(below.table.name)} f WHERE {same})"
            rows = f"{repointed_rows(database, mapping, reference)} AND {pointed}"
            told = {"reference": follower.label, "model": model._meta.label}
            session.held.add_rows("computed target", rows, referrer.table.pk, told)


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
