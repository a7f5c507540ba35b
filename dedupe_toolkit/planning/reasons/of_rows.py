"""The reasons that lie in rows which are to become one: each asked of every level, in this order.

A new one has its file here, its line in `REASONS` and its sentence in `wording`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.apps import apps

from ...field_rules.together import alike, hold_unlike_amounts
from ...references.refusals import agreeing_columns
from ...values import OnConflict
from ...wording import WORDING
from .content import hold_named_in_content
from .differing_values import hold_conflicts, hold_unlike
from .limits import hold_joined
from .undeclared_keys import hold_undeclared_keys
from .unfit_rules import hold_unfit_rules
from .unkept import hold_unkept, may_be_unkept

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...mapping.mapping import MergeMap
    from ...repointing.meeting import Meeting
    from ..policies import LevelPolicy
    from ..session import Session


@dataclass(frozen=True, kw_only=True)
class Merging:
    """The rows of one level, what holds for them, and how they have come to collide, if so."""

    session: Session
    mapping: MergeMap
    policy: LevelPolicy
    meeting: Meeting | None = None


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why groups are held back.

    ``codes`` are those of its sentences, ``hold`` adds to the session's list the groups that it
    holds. ``needs_plan`` says whether it may hold any, as far as models and policy tell: a preview
    of one group looks at no rows for its sake, and leaves the answer to a plan then.

    Raises `TypeError` for a code without a sentence.
    """

    codes: tuple[str, ...]
    needs_plan: Callable[[Merging], bool]
    hold: Callable[[Merging], None]

    def __post_init__(self) -> None:
        missing = [code for code in self.codes if code not in WORDING]
        if missing:
            raise TypeError(f"no sentence in WORDING for the reason {', '.join(missing)}")


REASONS: dict[str, Reason] = {
    "differing values": Reason(
        codes=("differ",),
        needs_plan=lambda rows: rows.policy.on_conflict is OnConflict.HOLD,
        hold=lambda rows: hold_conflicts(rows.session, rows.mapping, rows.policy, rows.meeting),
    ),
    "undeclared keys": Reason(
        codes=("unknown relation", "unknown table"),
        needs_plan=lambda rows: bool(rows.session.undeclared_keys(rows.mapping.table.model)),
        hold=lambda rows: hold_undeclared_keys(rows.session, rows.mapping, rows.policy.rules),
    ),
    "different kinds": Reason(
        codes=("other kind",),
        needs_plan=lambda rows: bool(agreeing_columns(rows.mapping.table.model)),
        hold=lambda rows: hold_unlike(rows.session, rows.mapping),
    ),
    "unfit rules": Reason(
        codes=("function below", "ruled target"),
        needs_plan=lambda rows: rows.mapping.is_nested,
        hold=lambda rows: hold_unfit_rules(rows.session, rows.mapping, rows.policy.rules),
    ),
    "unkept": Reason(
        codes=("long row", "unkept", "unnamed"),
        needs_plan=lambda rows: may_be_unkept(rows.session, rows.mapping),
        hold=lambda rows: hold_unkept(rows.session, rows.mapping, rows.policy.rules),
    ),
    "limits": Reason(
        codes=("long text",),
        needs_plan=lambda rows: bool(
            rows.session.database.joined_at_most and rows.policy.rules.joined(rows.mapping.table)
        ),
        hold=lambda rows: hold_joined(rows.session, rows.mapping, rows.policy.rules),
    ),
    "unlike amounts": Reason(
        codes=("unlike",),
        needs_plan=lambda rows: any(
            True for _ in alike(rows.mapping.table.model, rows.policy.rules.named)
        ),
        hold=lambda rows: hold_unlike_amounts(
            rows.session, rows.mapping, rows.policy.rules, rows.meeting
        ),
    ),
    "content": Reason(
        codes=("named in content",),
        needs_plan=lambda rows: apps.is_installed("wagtail"),
        hold=lambda rows: hold_named_in_content(rows.session, rows.mapping),
    ),
}


def hold_rows(rows: Merging) -> None:
    """Hold back the groups that any of the reasons holds."""
    for reason in REASONS.values():
        reason.hold(rows)


def needs_plan(rows: Merging) -> bool:
    """Whether any of the reasons may hold groups, as far as models and policy tell."""
    return any(reason.needs_plan(rows) for reason in REASONS.values())
