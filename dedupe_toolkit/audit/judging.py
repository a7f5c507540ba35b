"""From what was found in source to a verdict: the call as the decision procedure takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connections

from ..databases import database
from ..databases.places import has_table
from ..databases.sessions import KEEPING_SNAPSHOTS
from .decision import decide
from .findings import undecided
from .lookups import field_name
from .rules import rule_for, rules_of
from .values import Call, Decision, Reason, Verdict

if TYPE_CHECKING:
    from django.db.models import Model

    from ..values import MatchKey
    from .arguments import Arguments
    from .things import Rows
    from .values import Rule


class Judge:
    """Knows the unique rules of each model, each asked for once.

    A key that is ``supposed`` to be unique in the database ``using`` is one of them.
    """

    def __init__(self, using: str, supposed: MatchKey | None = None) -> None:
        self.using, self.supposed = using, supposed
        self._rules: dict[tuple[type[Model], str], tuple[Rule, ...]] = {}
        self._isolation: dict[str, str] = {}

    def forget(self) -> None:
        """Ask for all rules anew, and for the isolation levels."""
        self._rules.clear()
        self._isolation.clear()

    def decide(
        self, rows: Rows, given: Arguments, method: str, *, in_transaction: bool = False
    ) -> Decision:
        """The verdict on a call with these arguments on a manager or queryset."""
        using = rows.using or self.using
        if using not in connections.settings:
            text = "the database is only known at run time"
            return undecided(Reason.UNRESOLVED, text)
        if not has_table(rows.model, using):
            text = f"{rows.model._meta.label} has no table in database {using!r}: run migrate"
            return undecided(Reason.NO_TABLE, text)
        if given.unknown:
            text = f"{given.unknown} is put together at run time"
            return undecided(Reason.OPAQUE_ARGUMENTS, text)
        call = Call(
            model=rows.model,
            method=method,
            lookups={**dict(rows.lookups), **given.lookups},
            filters=dict(rows.filters),
            excludes=rows.excludes,
            defaults=given.defaults,
            many_to_many=rows.many_to_many,
            deadlocks=database(using).locks_gaps and (rows.locks or "update" in method),
            # update_or_create opens a transaction itself
            snapshot=self.snapshot(using, in_transaction or "update" in method),
        )
        decision = decide(call, self.rules(rows.model, using))
        if rows.is_open and decision.verdict is Verdict.SAFE:
            text = f"safe by {decision.rule} unless the queryset hides rows, which cannot be told"
            return undecided(Reason.OPAQUE_ARGUMENTS, text)
        return decision

    def snapshot(self, using: str, in_transaction: bool) -> str:
        """The isolation level, if a transaction at it does not see what others have written."""
        if using not in self._isolation:
            self._isolation[using] = database(using).isolation()
        is_inside = in_transaction or connections.settings[using].get("ATOMIC_REQUESTS", False)
        level = self._isolation[using]
        return level if is_inside and level in KEEPING_SNAPSHOTS else ""

    def known_rules(self, rows: Rows) -> tuple[Rule, ...]:
        """The unique rules of the table; none where there is no table to have any."""
        using = rows.using or self.using
        is_there = using in connections.settings and has_table(rows.model, using)
        return self.rules(rows.model, using) if is_there else ()

    def rules(self, model: type[Model], using: str) -> tuple[Rule, ...]:
        if (model, using) not in self._rules:
            self._rules[model, using] = (*self._to_come(model, using), *rules_of(model, using))
        return self._rules[model, using]

    def _to_come(self, model: type[Model], using: str) -> tuple[Rule, ...]:
        if self.supposed is None or using != self.using:
            return ()
        rule = rule_for(model, self.supposed)
        return (rule,) if rule else ()


def shown_fields(rows: Rows, given: Arguments) -> tuple[str, ...]:
    """The look-ups of a call as a report names them, foreign keys by their own name."""
    names = [*dict(rows.lookups), *given.lookups]
    return tuple(dict.fromkeys(field_name(rows.model, name) or name for name in names))
