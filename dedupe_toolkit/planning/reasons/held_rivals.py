"""Rivals that hold their groups back: neither merged nor deleted, with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...collisions.losing_rows import count_pointing
from ...collisions.rivals import Outcome, Rivals
from ...references.discover import parent_links
from ...references.refusals import refusal_of
from ...values import OnCollision

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ...collisions.ties import Tie
    from ...references.kinds import Reference
    from ...references.referrers import Referrer
    from ...references.rule_sql import TableRule
    from ..session import Session


def are_refused(session: Session, rivals: Rivals) -> bool:
    """Hold rivals back, whatever the policy, whose rows must neither be merged nor deleted."""
    refusal = refusal_of(rivals.referrer.table.model)
    if refusal is None:
        return False
    sentence = f"rows {{first}} and {{second}} would have to become one, but {refusal.reason}"
    _hold_rivals(session, rivals, sentence, "x.tie IS NULL")
    return True


def _hold_tied(session: Session, rivals: Rivals) -> None:
    for number, tie in enumerate(rivals.ties):
        if tie.choice is OnCollision.HOLD and not tie.is_link:
            where = f"x.outcome = '{Outcome.HOLD}' AND x.tie = {number}"
            _hold_rivals(session, rivals, would_relate(tie), where)


def hold_losers(session: Session, rivals: Rivals, outcomes: dict[Outcome, int]) -> None:
    """Hold back what the policy holds, and rows that cannot be deleted as it says."""
    if rivals.referrer.is_inherited:
        _hold_other_objects(session, rivals)
    if outcomes.get(Outcome.HOLD):
        _hold_tied(session, rivals)
        for number, rule in enumerate(rivals.referrer.rules):
            where = f"x.outcome = '{Outcome.HOLD}' AND x.rule = {number}"
            _hold_rivals(session, rivals, would_break(rule), where)
    if any(outcomes.get(outcome) for outcome in _GOING):
        for reference in rivals.referrer.followers:
            _hold_referenced(session, rivals, reference)
        for link in parent_links(rivals.referrer.table.model):
            what = f"it is a part of a {link.target._meta.label}"
            _hold_rivals(session, rivals, f"row {{second}} cannot be discarded, {what}", _GOES)
        for embedded in session.embedded(rivals.referrer.table.model):
            sentence = f"row {{second}} cannot be discarded, {embedded.label} may hold its key"
            _hold_rivals(session, rivals, sentence, _GOES)


def quoted(outcomes: Iterable[Outcome]) -> str:
    return ", ".join(f"'{outcome}'" for outcome in outcomes)


_GOING = (Outcome.DISCARD, Outcome.OWN_LINK, Outcome.TIED)
DELETED = (*_GOING, Outcome.REDUNDANT)
_GOES = f"x.outcome IN ({quoted(_GOING)})"
"""True for losers (``x``) that are deleted with what only they say."""


def would_break(rule: TableRule) -> str:
    """What a reason says of rivals that differ; their keys take the places in braces."""
    return f"rows {{first}} and {{second}} would break {rule.text}"


def would_relate(tie: Tie) -> str:
    """What a reason says of rows that tie survivor and duplicate together."""
    start, end = (label.rpartition(".")[2] for label in tie.labels)
    return (
        f"row {{first}} ties rows of this group together ({start}, {end}), and would relate the"
        " survivor to itself"
    )


def about(referrer: Referrer, sentence: str) -> str:
    """A sentence of a reason, with the table that it speaks of."""
    return f"{referrer.table.model._meta.label}: {sentence}"


def _hold_rivals(session: Session, rivals: Rivals, sentence: str, where: str) -> None:
    pk = rivals.referrer.table.pk
    session.held.add(
        about(rivals.referrer, sentence),
        f"FROM {session.database.q(rivals.name)} x WHERE {where}",
        first=session.held.key("x", pk, rivals.winners),
        second=session.held.key("x", pk, rivals.losers),
    )


def _hold_referenced(session: Session, rivals: Rivals, reference: Reference) -> None:
    """A row that others reference cannot be discarded: that would lose what points at it."""
    database, referrer = session.database, rivals.referrer
    keys = database.qualified("x", rivals.losers)
    count = count_pointing(database, referrer, reference, keys)
    points = "points" if reference.is_countable else "may point"
    _hold_rivals(
        session,
        rivals,
        f"row {{second}} cannot be discarded, {reference.label} {points} at it",
        f"{_GOES} AND {count} > 0",
    )


def hold_circle(session: Session, rivals: Rivals, outcomes: Sequence[Outcome]) -> None:
    """Hold back rivals whose merging would begin again what is under way."""
    _hold_rivals(session, rivals, _CIRCLE, f"x.outcome IN ({quoted(outcomes)})")


def _hold_other_objects(session: Session, rivals: Rivals) -> None:
    """Hold back rows of the merged rows' family that collide, and are parts of other objects."""
    numbers = ", ".join(map(str, rivals.by_link))
    where = f"x.outcome <> '{Outcome.HOLD}' AND x.tie IS NULL"
    _hold_rivals(session, rivals, _CIRCLE, f"{where} AND x.rule NOT IN ({numbers})")


_CIRCLE = (
    "merging rows {first} and {second} would lead back to a table already being merged; merge"
    " these two by themselves first, or take apart what makes them collide"
)
