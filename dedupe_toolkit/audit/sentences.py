"""Each verdict as a sentence: what happens to the call, and because of what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .values import Reason, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .values import Call

_SENTENCES = {
    Reason.EXACT: "{rule} covers what it looks up",
    Reason.SUBSET: (
        "{rule} is about fewer fields: a row that differs in {fields} makes every such call raise"
        " IntegrityError"
    ),
    Reason.HIDDEN_ROWS: (
        "{rule} counts rows that the call cannot see ({fields}): such a row makes it raise"
        " IntegrityError"
    ),
    Reason.DEFAULTS: (
        "{rule} stops the second row as long as all calls create {fields} with the same value; a"
        " row with another one makes get() find two"
    ),
    Reason.OTHER_SPELLING: (
        "{rule} does not tell spellings of {fields} apart and the call does: another spelling makes"
        " it raise IntegrityError"
    ),
    Reason.DEFERRABLE: (
        "{rule} is checked at the end of the transaction: the loser fails there, or waits for a"
        " deadlock to be noticed"
    ),
    Reason.DEADLOCK: (
        "{rule} stops the second row, and this database answers racers that lock a row before it is"
        " there with deadlocks: the loser raises OperationalError"
    ),
    Reason.SNAPSHOT: (
        "{rule} stops the second row, and in a transaction at {snapshot} the loser looks for the"
        " winner's row among those of before: it raises"
    ),
    Reason.VOLATILE: "{fields} is given another value by every call: it never finds a row",
    Reason.NO_RULE: "nothing is unique within what it looks up: a race creates duplicates",
    Reason.SUPERSET: (
        "{rule} is about more than it looks up ({fields}): a race creates duplicates, and get() may"
        " find several rows"
    ),
    Reason.NULL: "{rule} lets rows repeat where {fields} is NULL, as it is or may be here",
    Reason.CONDITION: "{rule} does not count rows such as the call creates",
    Reason.NO_LOOKUP: "it looks for nothing in particular: any row will do, and two make it raise",
    Reason.UNLESS_NULL: "safe by {rule} unless {fields} is None, which nothing here rules out",
    Reason.OPEN_CONDITION: "it depends on the values whether {rule} counts the row",
    Reason.UNKNOWN_FIELD: "{model} has no column {fields}",
    Reason.OPAQUE_DEFAULTS: (
        "it cannot be told whether the row is created with the {fields} that it is looked up by"
    ),
}
_BROKEN = {
    Reason.LOST: "{fields} is asked for by get() and not given to create()",
    Reason.NOT_STORED_AS_GIVEN: "{fields} is not stored as it is given",
}
_OUTCOMES = {
    Verdict.UNSAFE: ": every such call creates another row",
    Verdict.FRAGILE: ": the row is not found again, and the next call raises IntegrityError",
}


def sentence(reason: Reason, verdict: Verdict, call: Call, rule: str, fields: Sequence[str]) -> str:
    """The reason in words."""
    if reason is Reason.MANY_TO_MANY:
        return _many_to_many(verdict, call)
    text = _BROKEN[reason] + _OUTCOMES[verdict] if reason in _BROKEN else _SENTENCES[reason]
    if reason is Reason.VOLATILE and verdict is Verdict.FRAGILE:
        text += ", and {rule} makes the second call raise IntegrityError"
    return text.format(
        rule=rule,
        fields=", ".join(fields),
        model=call.model._meta.label,
        snapshot=call.snapshot,
    )


def _many_to_many(verdict: Verdict, call: Call) -> str:
    text = (
        f"{call.many_to_many} is many-to-many: get() looks inside of the relation, create() writes"
        " outside of it"
    )
    if verdict is Verdict.FRAGILE:
        return f"{text}; a row that is not linked yet makes it raise IntegrityError"
    return f"{text}, and nothing is unique within what it looks up"
