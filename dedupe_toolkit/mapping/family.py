"""The tables whose rows are parts of the merged objects under the same keys."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..planning.session import Session
    from .mapping import MergeMap


def family_parts(session: Session, mapping: MergeMap) -> Iterator[MergeMap]:
    """The mapping for each table that holds a part of the merged objects, under the same keys."""
    yield mapping
    for referrer in session.referrers(mapping.table.model):
        if referrer.is_inherited:
            yield from family_parts(session, replace(mapping, table=referrer.table))
