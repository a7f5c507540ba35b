"""What becomes of the rivals that a merge of rows named one by one makes meet. Only reads.

One statement compares them all, and tells what the plan in full finds first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..collisions.compared_rows import rule_rows
from ..collisions.losing_rows import (
    are_alike,
    beside_winners,
    count_pointing,
    loser_keys,
    losing_rows,
    winner_keys,
)
from ..collisions.resolutions import Outcome
from ..planning.reasons.held_collisions import at_stake, stake_names, told_of
from ..planning.reasons.held_rivals import broken
from ..planning.reasons.undeclared_keys import undeclared_keys_of_movers
from ..references.discover import parent_links
from ..references.refusals import refusal_of
from ..sentences import Sentence

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..mapping.mapping import MergeMap
    from ..plan_values import HeldCollisions
    from ..planning.policies import LevelPolicy
    from ..planning.session import Session
    from ..references.kinds import Reference
    from ..references.referrers import Referrer
    from ..references.rule_sql import TableRule
    from .preview_counts import Found, InlineMapping


@dataclass(frozen=True, kw_only=True)
class Collision:
    """Rows of one referrer that lose by one of its rules.

    ``outcome`` is that of rows that differ from their winners; ``followers`` are the references to
    look for what points at losers; ``policy`` is that of the level which would merge them.
    """

    referrer: Referrer
    rule: TableRule
    policy: LevelPolicy
    outcome: Outcome
    followers: tuple[Reference, ...]


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A collision with its rows seen: how many losers equal their winners, and are pointed at.

    ``first`` and ``second`` are the keys of the first winner and loser that differ, if any do.
    """

    collision: Collision
    alike: int
    pointed_at: int
    first: str | None
    second: str | None
    stake: HeldCollisions | None = None

    @property
    def reason(self) -> Sentence | None:
        """Why the group is held back, if rows that differ do that."""
        if self.first is None or self.collision.outcome is not Outcome.HOLD:
            return None
        return Sentence(
            "rivals",
            model=self.collision.referrer.table.model._meta.label,
            **broken(self.collision.rule),
            first=self.first,
            second=self.second,
        )

    @property
    def merged_with(self) -> tuple[Reference, ...]:
        """The references that are looked at once more because rows with followers are merged."""
        return self.collision.followers if self.alike else ()

    def is_deep(self, session: Session) -> bool:
        """Whether more happens to the losers than that they vanish."""
        is_merged = self.collision.outcome is Outcome.MERGE and self.first is not None
        model = self.collision.referrer.table.model
        return bool(
            is_merged or self.pointed_at or (self.merged_with and session.undeclared_keys(model))
        )


def collisions(
    session: Session, mapping: MergeMap, referrers: Iterable[Found]
) -> tuple[list[Collision], bool]:
    """The collisions to compare the rows of, and whether that tells all there is to know.

    In the order of the plan, and none beyond the first referrer that only the plan can tell of: it
    may have a reason of its own to hold the group back.
    """
    seen: list[Collision] = []
    for found in referrers:
        referrer, top = found.referrer, session.policies.top
        resolved = top.of_rivals(referrer)
        outcome = resolved.outcome
        is_deep = _is_deep(session, mapping, found) or bool(found.broken and resolved.only)
        followers = referrer.followers if found.broken and not is_deep else ()
        is_open = outcome is Outcome.HOLD or (
            not is_deep and (followers or outcome is Outcome.MERGE)
        )
        if is_open and _can_be_compared(session, found):
            collision = Collision(
                referrer=referrer,
                rule=found.broken[0],
                policy=session.policies.below(top, referrer),
                outcome=outcome,
                followers=followers,
            )
            seen.append(collision)
        if is_deep:
            return seen, False
    return seen, True


def _can_be_compared(session: Session, found: Found) -> bool:
    """Whether its rows lose to rivals, by one rule, and the policy has a say on them."""
    referrer = found.referrer
    return (
        len(found.broken) == 1
        and not (referrer.is_link or found.tied)
        and not _has_survivor_rule(session, referrer)
        and refusal_of(referrer.table.model) is None
    )


def _is_deep(session: Session, mapping: MergeMap, found: Found) -> bool:
    """Whether its rows, even if none differ, do more than change their reference or vanish."""
    referrer = found.referrer
    rows = sum(found.rows.values())
    return bool(
        found.own_targets
        or found.tied
        or (found.repeated and found.broken)
        or (rows and _is_moving(session, referrer))
        or (found.broken and _is_parted(session, referrer))
        or (found.broken and _has_deep_losers(session, mapping, found))
    )


def _is_moving(session: Session, referrer: Referrer) -> bool:
    """Whether something may point at columns that repointing changes."""
    return referrer.moves or any(
        undeclared_keys_of_movers(session, referrer, reference) for reference in referrer.references
    )


def _is_parted(session: Session, referrer: Referrer) -> bool:
    """Whether rows that lose may have other parts, or be pointed at by nobody knows what."""
    model = referrer.table.model
    return bool(referrer.is_inherited or parent_links(model) or session.undeclared_keys(model))


def _has_deep_losers(session: Session, mapping: MergeMap, found: Found) -> bool:
    referrer = found.referrer
    return (
        len(found.broken) > 1
        or len(referrer.references) > 1
        or refusal_of(referrer.table.model) is not None
        or _has_survivor_rule(session, referrer)
        or not _has_plain_followers(session, mapping, referrer)
    )


def _has_survivor_rule(session: Session, referrer: Referrer) -> bool:
    """Whether its rivals do not lose to the row that pointed at the survivor."""
    return bool(session.policies.below(session.policies.top, referrer).ordering)


def _has_plain_followers(session: Session, mapping: MergeMap, referrer: Referrer) -> bool:
    """Whether rows that nothing points at just vanish, even if they are merged."""
    model, keys = referrer.table.model, tuple(column.name for column in referrer.table.pk)
    if session.embedded(model):
        return False
    return not referrer.followers or (
        model is not mapping.table.model
        and all(reference.place == keys for reference in referrer.followers)
    )


def compare(
    rows: InlineMapping, asked: Sequence[Collision]
) -> tuple[list[tuple[Any, ...]], list[Compared]]:
    """The keys of the group's members, the survivor's first, and each collision with its rows."""
    database, mapping = rows.database, rows.mapping
    members = database.qualified("m", mapping.members)
    joins, selected = [], [*members]
    for number, collision in enumerate(asked):
        sql = _first_difference(rows, collision)
        # joined and not united: texts of keys may have collations that do not unite
        joins.append(f"LEFT JOIN ({sql}) d{number} ON 1 = 1")
        selected += [f"d{number}.{name}" for name in _COMPARED]
        joins.append(f"LEFT JOIN ({at_stake(database, mapping, collision)}) e{number} ON 1 = 1")
        selected += [f"e{number}.{name}" for name in stake_names(collision)]
    found = rows.fetch(
        f"SELECT {', '.join(selected)} FROM {database.q(mapping.name)} m {' '.join(joins)}"
        " ORDER BY m.place"
    )
    width = len(members)
    # others may have deleted the rows meanwhile
    facts = iter(found[0][width:] if found else [None] * (len(selected) - width))
    told = []
    for collision in asked:
        compared = _compared(collision, [next(facts) for _ in _COMPARED])
        stake = told_of(collision, [next(facts) for _ in stake_names(collision)])
        told.append(replace(compared, stake=stake))
    return [row[:width] for row in found], told


_COMPARED = ("is_alike", "first_key", "second_key", "alike", "pointed_at")


def _compared(collision: Collision, facts: Sequence[Any]) -> Compared:
    is_alike, first, second, alike, pointed_at = facts
    return Compared(
        collision=collision,
        alike=int(alike or 0),
        pointed_at=int(pointed_at or 0),
        first=None if is_alike else first,
        second=None if is_alike else second,
    )


def _first_difference(rows: InlineMapping, collision: Collision) -> str:
    """A query for the first rivals, those that differ before those that do not, and the counts."""
    database, referrer = rows.database, collision.referrer
    compared = rule_rows(database, rows.mapping, referrer, collision.rule)
    losers, winners = loser_keys(referrer), winner_keys(referrer)
    first, second = (database.key_text(referrer.table.pk, keys) for keys in (winners, losers))
    is_alike = are_alike(database, rows.mapping, referrer, collision.policy.rules)
    pointing = [count_pointing(database, referrer, ref, losers) for ref in collision.followers]
    return (
        "SELECT y.is_alike, y.first_key, y.second_key, SUM(y.is_alike) OVER () AS alike,"
        " SUM(y.pointing) OVER () AS pointed_at"
        f" FROM (SELECT {first} AS first_key, {second} AS second_key,"
        f" CASE WHEN {is_alike} THEN 1 ELSE 0 END AS is_alike,"
        f" {' + '.join(pointing) or '0'} AS pointing"
        f" FROM (SELECT x.* {losing_rows(database, rows.mapping, referrer, compared)}) x"
        f" {beside_winners(database, referrer, losers, winners)}) y"
        " ORDER BY y.is_alike, y.first_key, y.second_key LIMIT 1"
    )
