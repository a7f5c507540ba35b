"""Rivals: rows of a referring table that would break a unique rule once repointed.

Of each set of rivals one wins; the others go into a work table with their outcome. Writes to work
tables only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..databases.named_rows import NamedRows
from ..databases.names import derived, numbered
from ..databases.tables import definitions
from .compared_rows import rule_rows
from .losing_rows import are_alike, beside_winners, loser_keys, losing_rows, not_in, winner_keys
from .resolutions import Outcome
from .standings import elect
from .ties import Tie, blamed, tied_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..databases import Database
    from ..mapping.mapping import MergeMap
    from ..planning.policies import LevelPolicy
    from ..references.referrers import Referrer
    from ..references.rule_sql import TableRule
    from .resolutions import OfRivals


@dataclass(frozen=True, kw_only=True)
class Rivals:
    """The losing rows of one referrer, in a work table: group, rule, loser, winner and outcome.

    ``root`` is the key of the row into which the whole group is merged, for the journal. Rows that
    lose because of one of the ``ties`` have its number in place of a rule's, and no other winner.
    ``policy`` is that of the level that merges them, if they are merged.
    """

    name: str
    referrer: Referrer
    policy: LevelPolicy
    ties: tuple[Tie, ...] = ()

    @property
    def ordering(self) -> tuple[Any, ...]:
        """The ordering whose first row wins, where the rows' own model declares one.

        Parts of the merged objects win with their objects.
        """
        return () if self.referrer.is_inherited else self.policy.ordering

    @property
    def by_link(self) -> list[int]:
        """The numbers of the rules by which parts of the merged objects collide."""
        return [
            number
            for number, rule in enumerate(self.referrer.rules)
            if outcome_by(self.referrer, rule, Outcome.HOLD) is Outcome.MERGE
        ]

    @property
    def losers(self) -> list[str]:
        return numbered("loser", len(self.referrer.table.pk))

    @property
    def winners(self) -> list[str]:
        return numbered("winner", len(self.referrer.table.pk))

    @property
    def losing(self) -> NamedRows:
        """The losers in the referrer's table."""
        return NamedRows(self.name, dict(zip(self.key, self.losers, strict=True)))

    @property
    def winning(self) -> NamedRows:
        return NamedRows(self.name, dict(zip(self.key, self.winners, strict=True)))

    @property
    def key(self) -> list[str]:
        return self.referrer.table.key


def find_rivals(
    database: Database, mapping: MergeMap, rivals: Rivals, differing: OfRivals
) -> dict[Outcome, int]:
    """Fill the work table with every losing row; returns how many meet each outcome.

    ``differing`` is what is done to rows that differ from their rival in some other column.
    """
    _create(database, rivals)
    tied = 0
    for number, tie in enumerate(rivals.ties):
        if tie.outcome is not Outcome.KEPT:
            tied += _find_tied(database, mapping, rivals, number, is_first=not tied)
    losers = 0
    for number, rule in enumerate(rivals.referrer.rules):
        is_first = not (tied or losers)
        own = outcome_by(rivals.referrer, rule, differing.outcome)
        found = _find_losers(database, mapping, rivals, number, rule, own, is_first=is_first)
        if found and rivals.ordering:
            elect(database, rivals, f"x.rule = {number}")
        losers += found
    for _ in rivals.referrer.rules[1:]:
        _follow_winners(database, rivals)
    if losers and not rivals.referrer.is_link:
        _find_redundant(database, mapping, rivals)
        if differing.only:
            is_for = f"CASE WHEN {differing.only(database, rivals.referrer)} THEN 1 ELSE 0 END"
            rest = f"x.outcome = '{differing.outcome}' AND {is_for} = 0"
            _mark(database, rivals, rest, Outcome.HOLD)
    table = database.q(rivals.name)
    counts = database.fetch(f"SELECT outcome, COUNT(*) FROM {table} GROUP BY outcome")
    return {Outcome(outcome): count for outcome, count in counts}


def outcome_by(referrer: Referrer, rule: TableRule, outcome: Outcome) -> Outcome:
    """What happens to rows that a rule lets collide: parts of the merged objects merge with these.

    ``outcome`` is what happens to rows that are objects of their own, and differ.
    """
    if referrer.is_link:
        return Outcome.REDUNDANT
    is_part = any(reference.is_part for reference in referrer.touching(rule))
    return Outcome.MERGE if is_part else outcome


def _by_link(rivals: Rivals) -> str:
    """SQL before another condition: parts of the merged objects are never compared with others."""
    if not rivals.referrer.is_inherited:
        return ""
    return f"x.rule IN ({', '.join(map(str, rivals.by_link))}) AND "


def _create(database: Database, rivals: Rivals) -> None:
    pk = rivals.referrer.table.pk
    columns = {"group_number": "bigint", "root": "varchar(500)"}
    columns |= {"rule": "integer", "tie": "integer", "outcome": "varchar(20)"}
    for names in (rivals.losers, rivals.winners):
        columns |= definitions(names, pk)
    database.create_work_table(rivals.name, columns, primary_key=rivals.losers)


def _find_tied(
    database: Database, mapping: MergeMap, rivals: Rivals, number: int, *, is_first: bool
) -> int:
    """The rows that two references tie, without those that two others have tied already."""
    tie, keys = rivals.ties[number], database.qualified("r", rivals.key)
    names = ["group_number", "root", "tie", "outcome", *rivals.losers, *rivals.winners]
    selected = [
        blamed("a.group_number", "b.group_number"),
        blamed(mapping.root(database, "a"), mapping.root(database, "b")),
        str(number),
        f"'{tie.outcome}'",
        *keys,
        *keys,
    ]
    rows = tied_rows(database, mapping, rivals.referrer, tie.ends)
    again = "" if is_first else f" AND {not_in(database, rivals.name, rivals.losers, keys)}"
    return database.run(
        f"INSERT INTO {database.q(rivals.name)} ({_names(database, names)})"
        f" SELECT {', '.join(selected)} {rows}{again}"
    )


def _find_losers(
    database: Database,
    mapping: MergeMap,
    rivals: Rivals,
    number: int,
    rule: TableRule,
    outcome: Outcome,
    *,
    is_first: bool,
) -> int:
    referrer = rivals.referrer
    rows = rule_rows(database, mapping, referrer, rule)
    lost = [] if is_first else [not_in(database, rivals.name, rivals.losers, rows.keys)]
    names = ["group_number", "root", "rule", "outcome", *rivals.losers, *rivals.winners]
    keys = [*loser_keys(referrer), *winner_keys(referrer)]
    return database.run(
        f"INSERT INTO {database.q(rivals.name)} ({_names(database, names)})"
        f" SELECT x.group_number, {rows.root}, {number}, '{outcome}', {', '.join(keys)}"
        f" {losing_rows(database, mapping, referrer, rows, *lost)}"
    )


def _follow_winners(database: Database, rivals: Rivals) -> None:
    """A row that won by one rule and lost by another passes its losers on to its winner."""
    database.update(
        rivals.name,
        dict(zip(rivals.winners, rivals.winners, strict=True)),
        NamedRows(rivals.name, dict(zip(rivals.winners, rivals.losers, strict=True))),
    )


def _find_redundant(database: Database, mapping: MergeMap, rivals: Rivals) -> None:
    """Losers that equal their winner in every other column say nothing that is not kept."""
    # a few losers must not look like many, or the referrer is scanned for them
    database.settle(rivals.name)
    alike = are_alike(database, mapping, rivals.referrer, rivals.policy.rules)
    _mark(database, rivals, f"{_by_link(rivals)}{alike}", Outcome.REDUNDANT)


def _mark(database: Database, rivals: Rivals, where: str, outcome: Outcome) -> None:
    """Give an outcome to losers for which a condition is true, beside their winners."""
    names = derived(rivals.name, "same")
    types = definitions(rivals.losers, rivals.referrer.table.pk) | {"outcome": "varchar(20)"}
    database.create_work_table(names, types, primary_key=rivals.losers)
    losers = database.qualified("x", rivals.losers)
    winners = database.qualified("x", rivals.winners)
    database.run(
        f"INSERT INTO {database.q(names)} ({_names(database, [*rivals.losers, 'outcome'])})"
        f" SELECT {', '.join(losers)}, '{outcome}' FROM {database.q(rivals.name)} x"
        f" {beside_winners(database, rivals.referrer, losers, winners)}"
        f" WHERE x.tie IS NULL AND {where}"
    )
    database.update(
        rivals.name,
        {"outcome": "outcome"},
        NamedRows(names, dict(zip(rivals.losers, rivals.losers, strict=True))),
    )


def _names(database: Database, names: Sequence[str]) -> str:
    return ", ".join(map(database.q, names))
