"""Ties: rows that stand between two rows of one group, by two references of their own.

Once those two rows are one, such a row would relate the survivor to itself: a relation, a payment
from one to the other. Builds SQL, runs none.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from ..references.discover import parent_links
from ..references.refusals import refusal_of
from .losing_rows import not_in
from .resolutions import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..databases import Database
    from ..mapping.mapping import MergeMap
    from ..references.kinds import Reference
    from ..references.referrers import Referrer
    from .resolutions import Resolution


@dataclass(frozen=True, kw_only=True)
class Tie:
    """Two references of one table that may tie rows of a group together, and what becomes of these.

    ``is_link`` rows are links of a many-to-many relation of the merged model with itself.
    """

    ends: tuple[Reference, Reference]
    outcome: Outcome
    is_link: bool = False

    @property
    def labels(self) -> tuple[str, str]:
        start, end = self.ends
        return start.label, end.label


def ties_of(
    mapping: MergeMap,
    referrer: Referrer,
    on_collision: Resolution,
    collisions: Mapping[str, Resolution],
) -> tuple[Tie, ...]:
    """Every two references of a table, with what becomes of the rows that they tie."""
    links = {frozenset(pair) for pair in referrer.link_pairs}
    found = []
    for ends in combinations(referrer.references, 2):
        said = [collisions[end.label] for end in ends if end.label in collisions]
        is_link = frozenset(ends) in links
        outcome = _outcome(mapping, referrer, said or [on_collision], is_link=is_link)
        found.append(Tie(ends=ends, outcome=outcome, is_link=is_link))
    return tuple(found)


def _outcome(
    mapping: MergeMap, referrer: Referrer, said: list[Resolution], *, is_link: bool
) -> Outcome:
    """What becomes of rows by what is said of either reference."""
    outcomes = {one.tied for one in said}
    if Outcome.KEPT in outcomes:
        return Outcome.KEPT
    if is_link:
        return Outcome.OWN_LINK
    is_held = Outcome.HOLD in outcomes or not can_be_discarded(mapping, referrer)
    return Outcome.HOLD if is_held else Outcome.TIED


def can_be_discarded(mapping: MergeMap, referrer: Referrer) -> bool:
    """Whether a table's row is all of an object, and of one that the merge does not need."""
    model = referrer.table.model
    return (
        referrer.table.name != mapping.table.name
        and not referrer.is_inherited
        and not parent_links(model)
        and refusal_of(model) is None
    )


def tied_rows(
    database: Database, mapping: MergeMap, referrer: Referrer, ends: tuple[Reference, Reference]
) -> str:
    """SQL from FROM on: rows (``r``) between two different rows of a group (``a`` and ``b``).

    Those that related a row to itself before the merge are none of them.
    """
    start, end = ends
    work, survivors = database.q(mapping.name), mapping.survivors
    together = database.join_on("a", survivors, "b", survivors)
    conditions = [together, "a.place <> b.place"]
    conditions += filter(None, [reference.condition("r", database) for reference in ends])
    if referrer.table.name == mapping.table.name:
        conditions.append(_stays(database, mapping))
    return (
        f"FROM {work} a {_from_member(database, mapping, referrer, start)}"
        f" {_to_member(database, mapping, end)} WHERE {' AND '.join(conditions)}"
    )


def _from_member(
    database: Database, mapping: MergeMap, referrer: Referrer, reference: Reference
) -> str:
    """SQL that joins a member (``a``) with the rows (``r``) that point at it."""
    between, to_member, to_rows = _between(database, mapping, reference, "a", "d")
    rows = f"{database.join} {database.q(referrer.table.name)} r ON {to_rows}"
    return f"{between} ON {to_member} {rows}" if between else rows


def _to_member(database: Database, mapping: MergeMap, reference: Reference) -> str:
    """SQL that joins rows (``r``) with the member (``b``) that they point at."""
    between, to_member, to_rows = _between(database, mapping, reference, "b", "e")
    work = f"JOIN {database.q(mapping.name)} b ON"
    return f"{between} ON {to_rows} {work} {to_member}" if between else f"{work} {to_rows}"


def _between(
    database: Database, mapping: MergeMap, reference: Reference, member: str, alias: str
) -> tuple[str, str, str]:
    """SQL that joins what stands between a member and its rows, and ties it to either of these.

    Where nothing does, the last ties both.
    """
    columns = database.qualified("r", reference.columns)
    if reference.is_text or reference.place == tuple(mapping.key):
        old = database.qualified(member, mapping.old(reference))
        return "", "", database.equal(columns, old)
    if mapping.is_spelled(reference):
        joined, keys = f"JOIN {database.q(mapping.source(reference))}", mapping.raw
        held = mapping.old(reference)
    else:
        joined, keys = f"{database.join} {database.q(mapping.table.name)}", mapping.key
        held = list(reference.targets)
    members = database.qualified(member, mapping.members)
    to_member = database.equal(database.qualified(alias, keys), members)
    to_rows = database.equal(columns, database.qualified(alias, held))
    return f"{joined} {alias}", to_member, to_rows


def _stays(database: Database, mapping: MergeMap) -> str:
    """SQL that is true for rows of the merged table itself that outlive the merge as they are.

    Duplicates go, and the survivor's own references get targets of their own.
    """
    same = database.join_on("g", mapping.survivors, "a", mapping.survivors)
    key = database.qualified("r", mapping.key)
    return not_in(database, mapping.name, mapping.members, key, f" AND (g.place > 0 OR {same})")


def blamed(start: str, end: str) -> str:
    """SQL for a value of the group whose merge moves what a tied row points at.

    ``start`` and ``end`` are SQL for that of the members at its two ends.
    """
    return f"CASE WHEN a.place > 0 THEN {start} ELSE {end} END"
