"""Rivals that hold their groups back: neither merged nor deleted, with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...collisions.losing_rows import count_pointing
from ...collisions.resolutions import GOING, Outcome
from ...references.discover import parent_links
from ...references.refusals import refusal_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ...collisions.rivals import Rivals
    from ...references.kinds import Reference
    from ...references.rule_sql import TableRule
    from ..session import Session


def are_refused(session: Session, rivals: Rivals) -> bool:
    """Hold rivals back, whatever the policy, whose rows must neither be merged nor deleted."""
    refusal = refusal_of(rivals.referrer.table.model)
    if refusal is None:
        return False
    _hold_rivals(session, rivals, "unmergeable", "x.tie IS NULL", why=refusal.reason)
    return True


def _hold_tied(session: Session, rivals: Rivals) -> None:
    for number, tie in enumerate(rivals.ties):
        if tie.outcome is Outcome.HOLD:
            where = f"x.outcome = '{Outcome.HOLD}' AND x.tie = {number}"
            fields = [label.rpartition(".")[2] for label in tie.labels]
            _hold_rivals(session, rivals, "tie", where, fields=fields)


def hold_losers(session: Session, rivals: Rivals, outcomes: dict[Outcome, int]) -> None:
    """Hold back what the policy holds, and rows that cannot be deleted as it says."""
    if rivals.referrer.is_inherited:
        _hold_other_objects(session, rivals)
    if outcomes.get(Outcome.HOLD):
        _hold_tied(session, rivals)
        for number, rule in enumerate(rivals.referrer.rules):
            where = f"x.outcome = '{Outcome.HOLD}' AND x.rule = {number}"
            _hold_rivals(session, rivals, "rivals", where, **broken(rule))
    if any(outcomes.get(outcome) for outcome in GOING):
        for reference in rivals.referrer.followers:
            _hold_referenced(session, rivals, reference)
        for link in parent_links(rivals.referrer.table.model):
            _hold_rivals(session, rivals, "part", _GOES, label=link.target._meta.label)
        for embedded in session.embedded(rivals.referrer.table.model):
            _hold_rivals(session, rivals, "embedded", _GOES, reference=embedded.label)


def quoted(outcomes: Iterable[Outcome]) -> str:
    return ", ".join(f"'{outcome}'" for outcome in outcomes)


_GOES = f"x.outcome IN ({quoted(GOING)})"
"""True for losers (``x``) that are deleted with what only they say."""


def broken(rule: TableRule) -> dict[str, Any]:
    """What a reason says of a rule that rivals would break."""
    return {"rule": rule.text, "fields": sorted(rule.decisive)}


def _hold_rivals(session: Session, rivals: Rivals, code: str, where: str, **told: Any) -> None:
    pk = rivals.referrer.table.pk
    session.held.add(
        code,
        f"FROM {session.database.q(rivals.name)} x WHERE {where}",
        told={"model": rivals.referrer.table.model._meta.label, **told},
        first=session.held.key("x", pk, rivals.winners),
        second=session.held.key("x", pk, rivals.losers),
    )


def _hold_referenced(session: Session, rivals: Rivals, reference: Reference) -> None:
    """A row that others reference cannot be discarded: that would lose what points at it."""
    database, referrer = session.database, rivals.referrer
    keys = database.qualified("x", rivals.losers)
    count = count_pointing(database, referrer, reference, keys)
    code = "pointed at" if reference.is_countable else "maybe pointed at"
    _hold_rivals(session, rivals, code, f"{_GOES} AND {count} > 0", reference=reference.label)


def hold_circle(session: Session, rivals: Rivals, outcomes: Sequence[Outcome]) -> None:
    """Hold back rivals whose merging would begin again what is under way."""
    _hold_rivals(session, rivals, "circle", f"x.outcome IN ({quoted(outcomes)})")


def _hold_other_objects(session: Session, rivals: Rivals) -> None:
    """Hold back rows of the merged rows' family that collide, and are parts of other objects."""
    numbers = ", ".join(map(str, rivals.by_link))
    where = f"x.outcome <> '{Outcome.HOLD}' AND x.tie IS NULL"
    _hold_rivals(session, rivals, "circle", f"{where} AND x.rule NOT IN ({numbers})")
