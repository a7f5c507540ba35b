"""Fills a mapping with the members of a key's duplicate groups, in the way its database does best.

Writes work tables only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..databases.tables import are_numbered
from .common_tables import Joined
from .dismissed import offered
from .key_rows import members, places, repeated
from .mapping import Mapping, fill
from .survivors import survivor_ordering
from .unpacked import unpacked_places

if TYPE_CHECKING:
    from ..values import MatchKey
    from .session import Session


def fill_by_key(session: Session, mapping: Mapping, key: MatchKey) -> None:
    """Fill the mapping with every member of every group that is not dismissed."""
    database, survivor = session.database, session.policy.survivor
    rows = offered(key, database.using)
    if database.unpacks and are_numbered(key.model):
        with database.hashing_groups():
            filled = fill(database, mapping, *unpacked_places(database, key, rows, survivor))
        # nothing where a list would have been too long for the server
        if filled or not database.cuts_lists or not repeated(key, rows).exists():
            return
    ordering = survivor_ordering(key.model, survivor, database.using)
    fill(database, mapping, *places(Joined(rows=members(key, rows, ordering))))
