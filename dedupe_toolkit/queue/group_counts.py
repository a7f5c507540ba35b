"""What points at the rows of a few groups, and collides, counted for a list by one statement.

Only reads. References that are found by no column of their own are not counted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..collisions.compared_rows import rule_rows
from ..collisions.losing_rows import losing_rows
from ..databases import database
from ..databases.caching import caching
from ..databases.common_tables import Joined
from ..finding.key_rows import members, places
from ..finding.survivor_rules import survivor_ordering
from ..finding.whole_texts import whole_texts
from ..mapping.groups import mapping_for
from ..planning.session import Session
from ..references.discover import column_references
from ..repointing.rows import repointed_rows
from ..reviewing.preview_counts import inline_of, is_simple
from ..values import MergePolicy
from .queued import rows_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from ..mapping.mapping import MergeMap
    from ..values import MatchKey


@dataclass(frozen=True, kw_only=True)
class GroupCount:
    """How many rows point at a group's duplicates, and how many of them will collide."""

    references: int = 0
    collisions: int = 0


@caching()
def count_of_groups(key: MatchKey, firsts: Collection[Any], using: str) -> dict[str, GroupCount]:
    """The counts of the groups whose first rows have these primary keys, by these as text."""
    session = Session(database(using), key, MergePolicy(), "plan")
    # no work table has this name: MySQL would take the query of that name for the table
    mapping = replace(mapping_for(session, key), name="dedupe_listed")
    ordering = survivor_ordering(key.model, session.policy.survivor, using)
    ranked = members(key, rows_of(key, firsts, using), ordering)
    rows = inline_of(session.database, mapping, *places(Joined(rows=ranked)))
    with whole_texts(key, using):
        found = rows.fetch(" UNION ALL ".join(_questions(session, mapping)))
    texts = {int(number): text for kind, number, text, _ in found if kind == _FIRST}
    counts = dict.fromkeys(texts.values(), GroupCount())
    for kind, number, _, rows_found in found:
        text = texts.get(int(number), "")
        counted = counts.get(text, GroupCount())
        if kind == _REFERENCES:
            counts[text] = replace(counted, references=counted.references + int(rows_found))
        elif kind == _COLLISIONS:
            counts[text] = replace(counted, collisions=counted.collisions + int(rows_found))
    return counts


_FIRST, _REFERENCES, _COLLISIONS = range(3)


def _questions(session: Session, mapping: MergeMap) -> Iterator[str]:
    """Queries for a kind, a group's number, its first row, and a number of rows."""
    dialect = session.database
    yield (
        f"SELECT {_FIRST}, m.group_number, {mapping.root(dialect)}, 0"
        f" FROM {dialect.q(mapping.name)} m WHERE m.place = 0"
    )
    for referrer in session.referrers(mapping.table.model):
        simple = [one for one in column_references(referrer.references) if is_simple(one, mapping)]
        for reference in simple:
            rows = repointed_rows(dialect, mapping, reference)
            yield _per_group(_REFERENCES, "m.group_number", rows)
        if referrer.is_inherited or len(simple) < len(referrer.references):
            continue
        for rule in referrer.rules:
            losing = losing_rows(
                dialect, mapping, referrer, rule_rows(dialect, mapping, referrer, rule)
            )
            yield _per_group(_COLLISIONS, "x.group_number", losing)


def _per_group(kind: int, group: str, rows: str) -> str:
    return f"SELECT {kind}, {group}, '', COUNT(*) {rows} GROUP BY {group}"
