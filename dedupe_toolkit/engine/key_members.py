"""Fills a mapping with the members of a key's duplicate groups, in the way its database does best.

Writes work tables only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .common_tables import Joined
from .dismissed import offered
from .joined import are_joined, joined_members
from .key_rows import members, places, repeated
from .mapping import Mapping, fill
from .survivors import survivor_ordering
from .unpacked import are_unpacked, unpacked_places

if TYPE_CHECKING:
    from ..values import MatchKey
    from .session import Session


def fill_by_key(session: Session, mapping: Mapping, key: MatchKey) -> None:
    """Fill the mapping with every member of every group that is not dismissed."""
    database, survivor = session.database, session.policy.survivor
    rows = offered(key, database.using)
    if are_unpacked(database, key):
        filled = fill(database, mapping, *unpacked_places(database, key, rows, survivor))
        # nothing where a list would have been too long for the server
        if filled or not database.cuts_lists or not repeated(key, rows).exists():
            return
    ordering = survivor_ordering(key.model, survivor, database.using)
    if are_joined(database, key):
        with database.hashing_joins():
            fill(database, mapping, *places(joined_members(key, rows, ordering)))
    else:
        fill(database, mapping, *places(Joined(rows=members(key, rows, ordering))))
