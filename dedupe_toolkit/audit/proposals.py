"""What to do about a verdict: a line to run, a rewrite, or what a person has to decide."""

from __future__ import annotations

from dataclasses import replace
from shlex import quote
from typing import TYPE_CHECKING, Any

from django.db.models import (
    BinaryField,
    BooleanField,
    DateField,
    DecimalField,
    DurationField,
    FileField,
    FloatField,
    JSONField,
    TextField,
    TimeField,
)

from ..errors import ConstraintRefused
from ..source.project import source_file
from . import rewriting
from .findings import Proposal
from .lookups import field_name, fields_of
from .searching import BY_HAND
from .sources import Kind, is_installed
from .values import Reason, Verdict

if TYPE_CHECKING:
    from django.db.models import Model

    from .findings import Finding

_DOUBTFUL: list[tuple[Any, str]] = [
    (BooleanField, "true or false: --where may say better which rows must be unique"),
    (DecimalField | FloatField, "an amount: two equal ones may both be meant"),
    (DateField | TimeField | DurationField, "a time, of which there may be two"),
    (TextField, "text of any length, which an index cannot always hold"),
    (JSONField | BinaryField | FileField, "data, and no key"),
]


def proposal(finding: Finding, using: str) -> Proposal:
    """What would make the call safe, as far as that can be said."""
    model, reason = finding.model, finding.decision.reason
    if model is None or finding.verdict in (Verdict.SAFE, Verdict.UNKNOWN):
        return Proposal()
    if finding.form in BY_HAND:
        constraint = _constraint(finding, model, using)
        is_unsafe = finding.verdict is Verdict.UNSAFE
        return replace(constraint if is_unsafe else Proposal(), rewrite=_rewrite_by_hand(finding))
    if reason in (Reason.NO_RULE, Reason.NULL, Reason.CONDITION):
        return _constraint(finding, model, using)
    rewrite = _rewrite(finding, model)
    advice = _ADVICE.get(reason, "").format(
        fields=", ".join(finding.decision.fields), rule=finding.decision.rule
    )
    if reason is Reason.SUPERSET:
        command = _constraint(finding, model, using).command
        return Proposal(command=command, needs_decision=advice)
    if reason is Reason.MANY_TO_MANY and finding.verdict is Verdict.UNSAFE:
        constraint = _constraint(finding, model, using)
        return Proposal(
            command=constraint.command, rewrite=rewrite, needs_decision=constraint.needs_decision
        )
    return Proposal(rewrite=rewrite, needs_decision="" if rewrite else advice)


_ADVICE = {
    Reason.SUPERSET: "look up {fields} as well, or make the look-up itself unique",
    Reason.SUBSET: "move {fields} to defaults",
    Reason.DEFAULTS: "look up {fields} as well",
    Reason.HIDDEN_ROWS: (
        "ask a manager that hides nothing, or make {rule} conditional on what this one shows"
    ),
    Reason.OTHER_SPELLING: "look up by iexact, and give {fields} as a default",
    Reason.DEFERRABLE: "make the constraint immediate",
    Reason.DEADLOCK: "get_or_create() and then update() do not lock; or try again when it raises",
    Reason.SNAPSHOT: (
        "call it outside of transactions, set the isolation_level to read committed, or try the"
        " whole transaction again when it raises"
    ),
    Reason.LOST: "give {fields} to create() too: as an argument, or in defaults",
    Reason.VOLATILE: "move {fields} to defaults",
    Reason.NOT_STORED_AS_GIVEN: "look up {fields} by the value that is stored",
    Reason.NO_LOOKUP: "look up something that only one row has, such as pk=1",
    Reason.MANY_TO_MANY: "get or create the row first, then add() it",
}


def _rewrite(finding: Finding, model: type[Model]) -> str:
    source, fields = finding.source, finding.decision.fields
    reason = finding.decision.reason
    if reason in (Reason.SUBSET, Reason.VOLATILE):
        return rewriting.moved_to_defaults(source, fields)
    if reason is Reason.MANY_TO_MANY:
        name = str(model._meta.object_name)
        return rewriting.split_from_relation(source, name, name)
    if reason is Reason.OTHER_SPELLING and len(fields) == 1:
        return rewriting.without_case(source, fields[0])
    if reason is Reason.LOST:
        return rewriting.with_plain_names(source)
    return ""


def _rewrite_by_hand(finding: Finding) -> str:
    """The call that a hand-written form should become."""
    if finding.decision.reason is not Reason.SUBSET:
        return finding.source
    names, _, call = finding.source.partition(" = ")
    moved = rewriting.moved_to_defaults(call, finding.decision.fields)
    return f"{names} = {moved}" if moved else finding.source


def _constraint(finding: Finding, model: type[Model], using: str) -> Proposal:
    """The ``make_unique`` line for what a call looks up, or why nobody should paste it blindly."""
    known = fields_of(model)
    plain = [name for name in finding.fields if field_name(model, name)]
    doubt = _doubt(finding, known, plain)
    if len(plain) < len(finding.fields) or not plain:
        return Proposal(needs_decision=doubt or "its look-ups are no plain columns")
    outside = _outside(model)
    if outside:
        doubt = f"{outside}; --into-app APP puts the constraint into an app of yours"
    words = ["manage.py", "make_unique", finding.label, "--fields", *plain]
    if finding.decision.reason is Reason.NULL:
        words += ["--nulls", "equal"]
        doubt = doubt or "it needs a database in which a constraint can hold NULLs to be equal"
    if using != "default":
        words += ["--database", using]
    return Proposal(command=" ".join(map(quote, words)), needs_decision=doubt)


def _outside(model: type[Model]) -> str:
    """Why the source of the model is not the project's to edit; "" if it is."""
    try:
        path = source_file(model)
    except ConstraintRefused as error:
        return str(error)
    return f"{model._meta.label} belongs to an installed package" if is_installed(path) else ""


def _doubt(finding: Finding, known: dict[str, Any], plain: list[str]) -> str:
    for name in plain:
        for kinds, what in _DOUBTFUL:
            if isinstance(known[name], kinds):
                return f"{name} is {what}"
    compared = [name for name in finding.fields if "__" in name]
    if compared:
        return f"{', '.join(compared)} is no equality"
    if finding.kind in (Kind.SCRIPT, Kind.TEST, Kind.MIGRATION):
        return f"it is called from a {finding.kind}, which may never run twice at once"
    return ""
