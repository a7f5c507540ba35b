"""The decision procedure: what a race does to one call, given the unique rules there are.

It reads neither source nor database, so that whoever knows a call can ask: the audit, which read
it in the source, and a guard, which sees its values.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.db.models import DateField, DateTimeField

from .created import must_be_given
from .lookups import fields_of
from .matching import Facts, Match, bounds, match
from .sentences import sentence
from .storing import not_stored_as_given
from .values import Decision, Null, Reason, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .values import Call, Rule

_EITHER = (Null.ALWAYS, Null.NEVER)
_BEST_FIRST = [
    Reason.EXACT,
    Reason.UNLESS_NULL,
    Reason.DEFERRABLE,
    Reason.SUBSET,
    Reason.HIDDEN_ROWS,
    Reason.OTHER_SPELLING,
    Reason.DEFAULTS,
    Reason.OPEN_CONDITION,
    Reason.OPAQUE_DEFAULTS,
    Reason.NULL,
    Reason.CONDITION,
    Reason.SUPERSET,
    Reason.NO_RULE,
]


def decide(call: Call, rules: Sequence[Rule]) -> Decision:
    """The verdict on a call, from the rules that `dedupe_toolkit.audit.rules.rules_of` gives.

    A caller at run time has the values themselves: each becomes a `Given` with `Given.of`, the
    keyword arguments are the ``lookups``, and what the queryset was filtered by is found with
    `dedupe_toolkit.audit.filters.filters_of`. Whatever a related manager added to the keyword
    arguments belongs to them; a many-to-many manager is named in ``many_to_many``::

        filters, excludes = filters_of(queryset)
        call = Call(
            model=queryset.model,
            method="get_or_create",
            lookups={name: Given.of(value) for name, value in kwargs.items()},
            filters=filters,
            excludes=excludes,
            defaults={name: Given.of(value) for name, value in (defaults or {}).items()},
        )
        decide(call, rules_of(queryset.model, queryset.db))

    For ``update_or_create`` the ``defaults`` are ``create_defaults`` where those are given. Raises
    nothing for a call that cannot be right: its verdict is unknown, and says why.
    """
    facts = Facts.of(call)
    unknown = sorted(o.written for o in facts.asked if o.reaches_create and not o.name)
    if unknown:
        return _decision(Verdict.UNKNOWN, Reason.UNKNOWN_FIELD, call, fields=unknown)
    best = _best(facts, rules)
    if call.many_to_many:
        return _through_many_to_many(facts, best)
    return _broken(facts, rules) or _from_match(facts, best)


def _best(facts: Facts, rules: Sequence[Rule]) -> Match | None:
    """What the best rule does for the call, or two that hold together where a value may be NULL."""
    found = _best_alone(facts, rules)
    if found is None or found.reason not in (Reason.NULL, Reason.UNLESS_NULL):
        return found
    for name in found.fields if len(found.fields) == 1 else ():
        either = [_best_alone(_supposing(facts, name, null), rules) for null in _EITHER]
        if all(one is not None and one.verdict is Verdict.SAFE for one in either):
            return replace(found, verdict=Verdict.SAFE, reason=Reason.EXACT, fields=())
    return found


def _supposing(facts: Facts, name: str, null: Null) -> Facts:
    """The facts of the call if a value that is looked up is NULL, or is not."""
    given = facts.looked_up.get(name)
    if given is None or given.null is null:
        return facts
    literal = None if null is Null.ALWAYS else given.literal
    supposed = replace(given, null=null, literal=literal)
    lookups = {key: supposed if one is given else one for key, one in facts.call.lookups.items()}
    return Facts.of(replace(facts.call, lookups=lookups))


def _best_alone(facts: Facts, rules: Iterable[Rule]) -> Match | None:
    matches = [_if_told(facts, match(facts, rule)) for rule in rules]
    matches.sort(key=lambda one: (_BEST_FIRST.index(one.reason), len(one.fields)))
    if matches and matches[0].verdict is Verdict.SAFE:
        return _narrower(facts, matches) or matches[0]
    return matches[0] if matches else None


def _narrower(facts: Facts, matches: Sequence[Match]) -> Match | None:
    """Another rule, within what is looked up, that makes the call raise beside the exact one."""
    exact = matches[0].rule
    for one in matches[1:]:
        is_within = one.rule.names <= set(facts.looked_up) and one.verdict is not Verdict.UNSAFE
        is_narrower = one.rule.names < exact.names or any(p.form for p in one.rule.parts)
        if is_within and is_narrower and one.verdict is not Verdict.SAFE:
            return one
    return None


def _if_told(facts: Facts, found: Match) -> Match:
    """Unknown, where the rule misses nothing but what the created row may or may not have."""
    open_names = {one.name for one in facts.asked if one.name and facts.keeps(one) is None}
    is_beyond = found.reason in (Reason.SUPERSET, Reason.NO_RULE)
    if is_beyond and set(found.fields) <= open_names:
        return replace(found, verdict=Verdict.UNKNOWN, reason=Reason.OPAQUE_DEFAULTS)
    return found


def _from_match(facts: Facts, best: Match | None) -> Decision:
    call = facts.call
    if not facts.asked and (best is None or best.verdict is Verdict.UNSAFE):
        return _decision(Verdict.UNSAFE, Reason.NO_LOOKUP, call)
    if best is None or best.reason is Reason.NO_RULE:
        return _decision(Verdict.UNSAFE, Reason.NO_RULE, call)
    if best.verdict is Verdict.SAFE and call.deadlocks:
        return _decision(Verdict.FRAGILE, Reason.DEADLOCK, call, best.rule)
    if best.verdict is Verdict.SAFE and call.snapshot:
        return _decision(Verdict.FRAGILE, Reason.SNAPSHOT, call, best.rule)
    return _decision(best.verdict, best.reason, call, best.rule, best.fields)


def _through_many_to_many(facts: Facts, best: Match | None) -> Decision:
    """It looks inside of the relation and creates outside of it, whatever is unique."""
    verdict = best.verdict if best else Verdict.UNSAFE
    if verdict is Verdict.UNKNOWN:
        return _from_match(facts, best)
    verdict = Verdict.FRAGILE if verdict is Verdict.SAFE else verdict
    rule = best.rule if best and verdict is Verdict.FRAGILE else None
    return _decision(verdict, Reason.MANY_TO_MANY, facts.call, rule)


def _broken(facts: Facts, rules: Sequence[Rule]) -> Decision | None:
    """A call that does not find again what it has created, with no race at all."""
    lost = tuple(one.written for one in facts.asked if facts.keeps(one) is False)
    fields = fields_of(facts.call.model)
    varying = tuple(
        name
        for name, given in facts.looked_up.items()
        # all moments of a day are one date
        if given.varies and (not isinstance(fields[name], DateField) or _has_time(fields[name]))
    )
    changed = tuple(
        name
        for name, given in facts.looked_up.items()
        if not_stored_as_given(facts.call.model, fields[name], given)
    )
    for names, reason in (
        (lost, Reason.LOST),
        (varying, Reason.VOLATILE),
        (changed, Reason.NOT_STORED_AS_GIVEN),
    ):
        if names:
            return _again_and_again(facts, rules, reason, names)
    return None


def _has_time(field: Any) -> bool:
    return isinstance(field, DateTimeField)


def _again_and_again(
    facts: Facts, rules: Sequence[Rule], reason: Reason, names: tuple[str, ...]
) -> Decision:
    """Every call creates a row: something stops the second one, or nothing does."""
    rule = next((one for one in rules if bounds(facts, one)), None)
    is_refused = rule or must_be_given(facts.call, facts.row)
    verdict = Verdict.FRAGILE if is_refused else Verdict.UNSAFE
    return _decision(verdict, reason, facts.call, rule, names)


def _decision(
    verdict: Verdict,
    reason: Reason,
    call: Call,
    rule: Rule | None = None,
    fields: Sequence[str] = (),
) -> Decision:
    text = rule.text if rule else ""
    return Decision(
        verdict=verdict,
        reason=reason,
        sentence=sentence(reason, verdict, call, text, fields),
        rule=text,
        fields=tuple(fields),
    )
