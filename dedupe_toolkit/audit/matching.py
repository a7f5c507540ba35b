"""One unique rule against one call: what the rule does for it, and what it does not."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from .conditions import demands, meets, meets_lookup, split
from .created import FILLED, created_row, fills_itself, is_stamped
from .lookups import Asked, asked, fields_of
from .storing import may_be_stored_otherwise
from .values import UNSET, Given, Null, Part, Reason, Rule, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .values import Call


@dataclass(frozen=True, kw_only=True)
class Match:
    """What one rule does for a call."""

    verdict: Verdict
    reason: Reason
    rule: Rule
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Facts:
    """A call with what follows from it, worked out once for all rules."""

    call: Call
    asked: list[Asked] = field(default_factory=list)
    row: dict[str, Given] = field(default_factory=dict)

    @classmethod
    def of(cls, call: Call) -> Facts:
        conditions = asked(call)
        return cls(call, conditions, created_row(call, conditions))

    @cached_property
    def looked_up(self) -> dict[str, Given]:
        """The fields that ``get()`` and ``create()`` both take, with their values."""
        return {one.name: one.given for one in self.asked if one.reaches_create}

    @cached_property
    def seen(self) -> dict[str, Given]:
        """What every row that ``get()`` can see holds, as far as it is known."""
        seen = {one.name: one.given for one in self.asked if one.part == Part(name=one.name)}
        for one in self.asked:
            if one.name and one.compared == "isnull" and one.given.literal is True:
                seen[one.name] = Given.of(None)
        return seen

    @cached_property
    def parts(self) -> frozenset[Part]:
        """The key that ``get()`` asks for, of which the created row has the same."""
        return frozenset(one.part for one in self.asked if one.part and self.keeps(one))

    @cached_property
    def other_conditions(self) -> list[Asked]:
        """What ``get()`` asks for beside equality of values that the created row has."""
        return [one for one in self.asked if one.part not in self.parts or not self.keeps(one)]

    def keeps(self, one: Asked) -> bool | None:
        """Whether the created row has what a condition of ``get()`` asks for."""
        given = self.row.get(one.name) if one.name else None
        if one.reaches_create and given is one.given:
            return None if self._may_become_another(one) else True
        if given is None:
            # nothing is known of what is created where the defaults are not
            return None if self.call.defaults is None or self._is_supplied(one) else False
        if one.part is not None:
            return self._has_same(one, given)
        if self._is_joined(one) and one.name not in self._supplied:
            return False
        if one.given.literal is UNSET:
            return None
        lookup = f"{one.name}__{one.compared}"
        return meets_lookup(self.call.model, lookup, one.given.literal, self.row)

    def _may_become_another(self, one: Asked) -> bool:
        """Whether the field, or the model's ``save()``, may put another value in its place."""
        field = fields_of(self.call.model)[one.name]
        return may_be_stored_otherwise(self.call.model, field, one.given)

    def _is_joined(self, one: Asked) -> bool:
        """Whether it asks for a column of the row that a relation points at."""
        field = fields_of(self.call.model)[one.name]
        return bool(field.is_relation and one.compared not in field.get_lookups())

    def _has_same(self, one: Asked, given: Given) -> bool | None:
        if given is FILLED:
            return None
        if one.compared == "exact":
            same = given.equals(one.given)
        else:
            same = _without_case(given) == _without_case(one.given)
        is_known = given.literal is not UNSET and one.given.literal is not UNSET
        is_own_default = one.name not in self._supplied
        return same or (None if not is_known and not is_own_default else False)

    @cached_property
    def _supplied(self) -> set[str]:
        names = {*self.call.lookups, *(self.call.defaults or {})}
        return {name for name in fields_of(self.call.model) if self._is_named(name, names)}

    def _is_named(self, name: str, names: Iterable[str]) -> bool:
        field = fields_of(self.call.model)[name]
        return bool({name, field.attname} & set(names)) or (field.primary_key and "pk" in names)

    def _is_supplied(self, one: Asked) -> bool:
        """Whether a relation that ``get()`` looks through is given to ``create()``."""
        start = one.written.split("__")[0]
        return start in self.call.lookups or start in (self.call.defaults or {})

    def is_settled(self, name: str) -> bool:
        """Whether the field is looked up with a value that two calls can have in common."""
        given = self.looked_up.get(name)
        field = fields_of(self.call.model).get(name)
        return given is not None and not given.varies and not is_stamped(field)

    def is_given(self, name: str) -> bool:
        """Whether the call, or the model, says with which value all racers create the field."""
        field = fields_of(self.call.model)[name]
        has_default = field.has_default() or field.has_db_default()
        return self.is_constant(name) and (name in self._supplied or has_default)

    def is_constant(self, name: str) -> bool:
        """Whether all racers that look up the same values create the field with the same one."""
        given = self.row.get(name)
        if given is None or given.varies or given.is_computed:
            return False
        same_as_looked_up = any(given.equals(one) for one in self.looked_up.values())
        return given.literal is not UNSET or same_as_looked_up


def match(facts: Facts, rule: Rule) -> Match:
    """What the rule does for the call, as if nothing else spoke against it."""
    missing = sorted(part.name for part in rule.parts if not _is_asked(facts, part))
    is_bound = all(name not in facts.looked_up and facts.is_given(name) for name in missing)
    if missing and not is_bound:
        return _beyond(facts, rule, missing)
    out = _out_of_condition(facts, rule) or _null(facts, rule, missing)
    if out:
        return out
    if missing:
        return Match(
            verdict=Verdict.FRAGILE, reason=Reason.DEFAULTS, rule=rule, fields=tuple(missing)
        )
    best = _inside(facts, rule)
    unless = _unless_null(facts, rule)
    return unless if unless and best.verdict is Verdict.SAFE else best


def bounds(facts: Facts, rule: Rule) -> bool:
    """Whether the rule stops the call from making a second row, however it looks for the first."""
    if _out_of_condition(facts, rule) or _null(facts, rule) or _unless_null(facts, rule):
        return False
    return all(facts.is_settled(part.name) or facts.is_constant(part.name) for part in rule.parts)


def _out_of_condition(facts: Facts, rule: Rule) -> Match | None:
    if rule.condition is None and not rule.has_unknown_condition:
        return None
    met = None if rule.has_unknown_condition else meets(facts.call.model, rule.condition, facts.row)
    if met is True:
        return None
    if met is False:
        return Match(verdict=Verdict.UNSAFE, reason=Reason.CONDITION, rule=rule)
    return Match(verdict=Verdict.UNKNOWN, reason=Reason.OPEN_CONDITION, rule=rule)


def _null(facts: Facts, rule: Rule, missing: Sequence[str] = ()) -> Match | None:
    names = set(rule.nullable)
    if rule.is_primary_key:
        # a primary key of None is filled in, with a new one each time
        names |= {name for name in rule.names if _null_of(facts, name) is Null.ALWAYS}
    null = [n for n in names if _null_of(facts, n) is Null.ALWAYS or _may_be(facts, n)]
    if not null:
        return None
    if set(null) <= set(missing):
        return _beyond(facts, rule, missing)
    fields = tuple(sorted(null))
    return Match(verdict=Verdict.UNSAFE, reason=Reason.NULL, rule=rule, fields=fields)


def _may_be(facts: Facts, name: str) -> bool:
    return _null_of(facts, name) is Null.MAYBE and not _is_key(facts, name)


def _unless_null(facts: Facts, rule: Rule) -> Match | None:
    names = [n for n in rule.nullable if _is_hardly_null(facts, n)]
    if rule.is_primary_key:
        fields = fields_of(facts.call.model)
        open_names = {n for n in rule.names if _null_of(facts, n) in (Null.MAYBE, Null.PROMISED)}
        names += [n for n in open_names if n in fields and fills_itself(fields[n])]
    if not names:
        return None
    return Match(
        verdict=Verdict.FRAGILE, reason=Reason.UNLESS_NULL, rule=rule, fields=tuple(sorted(names))
    )


def _is_hardly_null(facts: Facts, name: str) -> bool:
    """Whether it is not known to be there, but declared to be, or a key, which rarely is not."""
    null = _null_of(facts, name)
    return null is Null.PROMISED or (null is Null.MAYBE and _is_key(facts, name))


def _beyond(facts: Facts, rule: Rule, missing: Sequence[str]) -> Match:
    """The rule is about more than what the call looks up."""
    shares = rule.names & {part.name for part in facts.parts}
    reason = Reason.SUPERSET if shares else Reason.NO_RULE
    return Match(verdict=Verdict.UNSAFE, reason=reason, rule=rule, fields=tuple(missing))


def _is_asked(facts: Facts, part: Part) -> bool:
    # whoever looks up a value as it is has settled every form of it
    return part in facts.parts or Part(name=part.name) in facts.parts


def _inside(facts: Facts, rule: Rule) -> Match:
    """The rule lies within what is looked up: what ``get()`` asks for beyond it counts."""
    pinned = {split(facts.call.model, lookup) for lookup, _ in demands(rule.condition)}
    if rule.condition is not None and not meets(facts.call.model, rule.condition, facts.seen):
        names = tuple(sorted({name for name, _ in pinned} - set(facts.seen)))
        return Match(verdict=Verdict.FRAGILE, reason=Reason.DEFAULTS, rule=rule, fields=names)
    equal = {name for name, compared in pinned if compared in ("exact", "isnull")}
    extra = {p.name for p in facts.parts} - rule.names - equal
    hidden = [o for o in facts.other_conditions if (o.name, o.compared) not in pinned]
    verdict, reason = Verdict.SAFE, Reason.EXACT
    fields: tuple[str, ...] = ()
    if filters := sorted({one.written for one in hidden} | _filtered(facts, extra)):
        verdict, reason, fields = Verdict.FRAGILE, Reason.HIDDEN_ROWS, tuple(filters)
    if facts.call.excludes:
        verdict, reason, fields = Verdict.FRAGILE, Reason.HIDDEN_ROWS, facts.call.excludes
    if more := sorted(extra & set(facts.looked_up)):
        verdict, reason, fields = Verdict.FRAGILE, Reason.SUBSET, tuple(more)
    if spelled := sorted(p.name for p in rule.parts if p.form and p not in facts.parts):
        verdict, reason, fields = Verdict.FRAGILE, Reason.OTHER_SPELLING, tuple(spelled)
    if rule.is_deferrable and verdict is Verdict.SAFE:
        verdict, reason = Verdict.FRAGILE, Reason.DEFERRABLE
    return Match(verdict=verdict, reason=reason, rule=rule, fields=fields)


def _filtered(facts: Facts, names: set[str]) -> set[str]:
    return {o.written for o in facts.asked if o.name in names and not o.reaches_create}


def _null_of(facts: Facts, name: str) -> Null:
    given = facts.row.get(name)
    return Null.MAYBE if given is None else given.null


def _is_key(facts: Facts, name: str) -> bool:
    given = facts.row.get(name)
    field = fields_of(facts.call.model)[name]
    return bool(given and given.is_key) or (given is not None and field.is_relation)


def _without_case(given: Given) -> tuple[str, str]:
    if isinstance(given.literal, str):
        return given.literal.casefold(), ""
    text = given.text
    for ending in (".lower()", ".upper()", ".casefold()"):
        text = text.removesuffix(ending)
    return text or repr(given), given.scope
