"""Groups that hold their locks for long, as no batch is smaller: told beforehand. Only reads."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from ..repointing.rows import repointed_rows
from ..sentences import Sentence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .levels import Level
    from .session import Session
    from .tally import Tally

MANY = 50_000
"""So many rows of one group are told of."""

PER_SECOND = 10_000
"""Rows that a server repoints in a second: the order of magnitude, with journal and checks."""


def large_groups(session: Session, level: Level, tally: Tally) -> Iterator[Sentence]:
    """A sentence for each reference by which very many rows point at duplicates of one group.

    Only references that have so many rows to repoint are asked.
    """
    database, mapping = session.database, level.mapping
    counts = {count.reference: count.repointed for count in tally.references}
    references = (one for work in level.works for one in work.referrer.references)
    for reference in references:
        if reference not in level.pointing or counts.get(reference.label, 0) < MANY:
            continue
        found = database.fetch(
            f"SELECT MIN({mapping.root_at(reference, database)}), COUNT(*) AS many"
            f" {repointed_rows(database, mapping, reference)}"
            f" GROUP BY m.group_number HAVING COUNT(*) >= {MANY} ORDER BY many DESC LIMIT 1"
        )
        for survivor, rows in found:
            yield Sentence(
                "large group",
                reference=reference.label,
                first=str(survivor),
                rows=f"{rows:,}",
                seconds=f"{ceil(rows / PER_SECOND):,}",
            )
