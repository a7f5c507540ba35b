"""For people: a line for each call, and what to do about it below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...printing import counted, say
from ..searching import BY_HAND
from ..values import Verdict

if TYPE_CHECKING:
    from rich.console import Console

    from ..findings import Audit, Finding

_COLOURS = {
    Verdict.SAFE: "green",
    Verdict.UNSAFE: "red",
    Verdict.FRAGILE: "yellow",
    Verdict.UNKNOWN: "cyan",
}


def print_audit(console: Console, audit: Audit) -> None:
    """Every finding, the notes, and how many there are of each verdict."""
    for one in audit.findings:
        _print_finding(console, one)
    for note in audit.notes:
        say(console, f"{note.path}:{note.line}: note: {note.text}")
    for module, why in audit.broken:
        say(console, f"{module} was skipped, it cannot be read: {why}")
    say(console, summary(audit))


def print_future(console: Console, audit: Audit) -> None:
    """The calls that a constraint to come leaves unsafe, or makes raise; nothing without any."""
    number = len(audit.findings)
    if number:
        need = "needs" if number == 1 else "need"
        say(console, f"With it, {counted(number, 'call')} still {need} a change:")
    for one in audit.findings:
        _print_finding(console, one)


def summary(audit: Audit) -> str:
    """The verdicts counted, in one line."""
    if not audit.findings:
        text = f"No calls in {counted(audit.files, 'file')}"
    else:
        each = ", ".join(f"{len(audit.of(verdict)):,} {verdict}" for verdict in Verdict)
        text = f"{counted(len(audit.findings), 'call')} in {counted(audit.files, 'file')}: {each}"
    accepted = sum(1 for one in audit.findings if one.accepted)
    known = sum(1 for one in audit.findings if one.in_baseline)
    if accepted:
        text += f"; {accepted:,} accepted"
    if known:
        text += f"; {known:,} in the baseline"
    if audit.left_out:
        text += f"; {audit.left_out:,} more in tests and migrations (--all)"
    return f"{text}."


def _print_finding(console: Console, one: Finding) -> None:
    from rich.text import Text

    place = Text(f"{one.path}:{one.line}: ")
    place.append(one.verdict.value, style=_COLOURS[one.verdict])
    place.append(f": {described(one)}: {one.decision.sentence}{_status(one)}")
    console.print(place, soft_wrap=True)
    for line in advice(one):
        say(console, f"    {line}")


def described(one: Finding) -> str:
    """The model and the fields that a call looks up."""
    if not one.label:
        return one.form
    by_hand = " (written by hand)" if one.form in BY_HAND else ""
    return f"{one.label} by {', '.join(one.fields) or 'nothing'}{by_hand}"


def advice(one: Finding) -> list[str]:
    """What to do, each in a line."""
    lines = []
    if one.groups:
        newest = f", the newest of {one.newest}" if one.newest else ""
        lines.append(f"{counted(one.groups, 'duplicate group')} already there{newest}")
    if one.proposal.needs_decision:
        lines.append(f"to decide: {one.proposal.needs_decision}")
    if one.proposal.command:
        lines.append(one.proposal.command)
    if one.proposal.rewrite:
        lines.append(f"better: {one.proposal.rewrite}")
    return lines


def _status(one: Finding) -> str:
    if one.accepted:
        return f" (accepted: {one.accepted})"
    return " (in the baseline)" if one.in_baseline else ""
