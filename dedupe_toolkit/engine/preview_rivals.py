"""What becomes of the rivals that a merge of rows named one by one makes meet. Only reads.

One statement compares them all, and tells what the plan in full finds first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..graph.refusals import refusal_of
from .levels import about, would_break
from .losers import (
    are_alike,
    beside_winners,
    count_pointing,
    loser_keys,
    losing_rows,
    winner_keys,
)
from .rivals import Fate
from .rule_rows import rule_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..graph.references import Reference
    from ..graph.unique import UniqueRule
    from .holders import Holder
    from .mapping import Mapping
    from .preview_counts import Found, InlineMapping
    from .session import Session


@dataclass(frozen=True, kw_only=True)
class Collision:
    """Rows of one holder that lose by one of its rules.

    ``fate`` is that of rows that differ from their winners; ``followers`` are the references to
    look for what points at losers.
    """

    holder: Holder
    rule: UniqueRule
    fate: Fate
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

    @property
    def reason(self) -> str | None:
        """Why the group is held back, if rows that differ do that."""
        if self.first is None or self.collision.fate is not Fate.HOLD:
            return None
        sentence = about(self.collision.holder, would_break(self.collision.rule))
        return sentence.format(first=self.first, second=self.second)

    @property
    def merged_with(self) -> tuple[Reference, ...]:
        """The references that are looked at once more because rows with followers are merged."""
        return self.collision.followers if self.alike else ()

    def is_deep(self, session: Session) -> bool:
        """Whether more happens to the losers than that they vanish."""
        is_merged = self.collision.fate is Fate.MERGE and self.first is not None
        model = self.collision.holder.table.model
        return bool(is_merged or self.pointed_at or (self.merged_with and session.strangers(model)))


def collisions(
    session: Session, mapping: Mapping, holders: Iterable[Found]
) -> tuple[list[Collision], bool]:
    """The collisions to compare the rows of, and whether that tells all there is to know.

    In the order of the plan, and none beyond the first holder that only the plan can tell of: it
    may have a reason of its own to hold the group back.
    """
    seen: list[Collision] = []
    for found in holders:
        holder, fate = found.holder, session.fate(found.holder)
        is_deep = _is_deep(session, mapping, found)
        followers = () if is_deep else holder.followers
        is_open = fate is Fate.HOLD or (not is_deep and (followers or fate is Fate.MERGE))
        if is_open and _can_be_compared(found):
            rule = found.broken[0]
            seen.append(Collision(holder=holder, rule=rule, fate=fate, followers=followers))
        if is_deep:
            return seen, False
    return seen, True


def _can_be_compared(found: Found) -> bool:
    """Whether its rows lose to rivals, by one rule, and the policy has a say on them."""
    holder = found.holder
    return (
        len(found.broken) == 1
        and not (holder.is_link or holder.link_pairs)
        and refusal_of(holder.table.model) is None
    )


def _is_deep(session: Session, mapping: Mapping, found: Found) -> bool:
    """Whether its rows, even if none differ, do more than change their reference or vanish."""
    holder = found.holder
    rows = sum(found.rows.values())
    return bool(
        found.own_targets
        or (rows and (holder.key or holder.link_pairs))
        or (found.broken and _has_deep_losers(session, mapping, found))
    )


def _has_deep_losers(session: Session, mapping: Mapping, found: Found) -> bool:
    holder = found.holder
    return (
        len(found.broken) > 1
        or len(holder.references) > 1
        or refusal_of(holder.table.model) is not None
        or not _has_plain_followers(session, mapping, holder)
    )


def _has_plain_followers(session: Session, mapping: Mapping, holder: Holder) -> bool:
    """Whether rows that nothing points at just vanish, even if they are merged."""
    model, keys = holder.table.model, tuple(column.name for column in holder.table.pk)
    if session.embedded(model):
        return False
    return not holder.followers or (
        model is not mapping.table.model
        and all(reference.targets == keys for reference in holder.followers)
    )


def compare(
    rows: InlineMapping, asked: Sequence[Collision]
) -> tuple[list[tuple[Any, ...]], list[Compared]]:
    """The keys of the group's members, the survivor's first, and each collision with its rows."""
    database, mapping = rows.database, rows.mapping
    members = database.qualified("m", mapping.members)
    joins, selected = [], [*members]
    params: list[Any] = []
    for number, collision in enumerate(asked):
        sql, used = _first_difference(rows, collision)
        # joined and not united: texts of keys may have collations that do not unite
        joins.append(f"LEFT JOIN ({sql}) d{number} ON 1 = 1")
        selected += [f"d{number}.{name}" for name in _COMPARED]
        params += used
    found = rows.fetch(
        f"SELECT {', '.join(selected)} FROM {database.q(mapping.name)} m {' '.join(joins)}"
        " ORDER BY m.place",
        params,
    )
    width, step = len(members), len(_COMPARED)
    # others may have deleted the rows meanwhile
    facts = found[0][width:] if found else [None] * step * len(asked)
    return [row[:width] for row in found], [
        _compared(collision, facts[number * step :][:step])
        for number, collision in enumerate(asked)
    ]


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


def _first_difference(rows: InlineMapping, collision: Collision) -> tuple[str, Sequence[Any]]:
    """A query for the first rivals, those that differ before those that do not, and the counts."""
    database, holder = rows.database, collision.holder
    compared = rule_rows(database, rows.mapping, holder, collision.rule)
    losers, winners = loser_keys(holder), winner_keys(holder)
    first, second = (
        database.key_text(list(zip(holder.table.pk, keys, strict=True)))
        for keys in (winners, losers)
    )
    pointing = [count_pointing(database, holder, ref, losers) for ref in collision.followers]
    return (
        "SELECT y.is_alike, y.first_key, y.second_key, SUM(y.is_alike) OVER () AS alike,"
        " SUM(y.pointing) OVER () AS pointed_at"
        f" FROM (SELECT {first} AS first_key, {second} AS second_key,"
        f" CASE WHEN {are_alike(database, holder)} THEN 1 ELSE 0 END AS is_alike,"
        f" {' + '.join(pointing) or '0'} AS pointing"
        f" FROM (SELECT x.* {losing_rows(database, rows.mapping, holder, compared)}) x"
        f" {beside_winners(database, holder, losers, winners)}) y"
        " ORDER BY y.is_alike, y.first_key, y.second_key LIMIT 1",
        compared.params,
    )
