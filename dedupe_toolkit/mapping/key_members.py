"""Fills a mapping with the members of a key's duplicate groups, in the way its database does best.

Writes work tables only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..databases.common_tables import Joined
from ..databases.tables import are_numbered
from ..finding.dismissed_groups import split_by_verdict
from ..finding.key_rows import members, places, repeated
from ..finding.survivor_rules import survivor_ordering
from .key_lists import unpacked_places
from .mapping import MergeMap, fill

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from ..planning.session import Session
    from ..values import MatchKey


def fill_by_key(session: Session, mapping: MergeMap, key: MatchKey) -> None:
    """Fill the mapping with every member of every group that is not dismissed."""
    fill_from(session, mapping, key, split_by_verdict(key, session.database.using)[0])


def fill_from(session: Session, mapping: MergeMap, key: MatchKey, rows: QuerySet[Any]) -> None:
    """Fill the mapping with every member of every group among these of the candidates."""
    database, survivor = session.database, session.policy.survivor
    if database.unpacks and are_numbered(key.model):
        with database.hashing_groups():
            filled = fill(database, mapping, *unpacked_places(database, key, rows, survivor))
        # nothing where a list would have been too long for the server
        if filled or not database.cuts_lists or not repeated(key, rows).exists():
            return
    ordering = survivor_ordering(key.model, survivor, database.using)
    fill(database, mapping, *places(Joined(rows=members(key, rows, ordering))))
