"""For GitHub: workflow commands that annotate the lines of a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..values import Verdict
from .plain import advice, described, summary

if TYPE_CHECKING:
    from ..findings import Audit, Finding

_LEVELS = {Verdict.UNSAFE: "error", Verdict.FRAGILE: "warning", Verdict.UNKNOWN: "notice"}


def github_lines(audit: Audit) -> str:
    """A command a line; safe calls, accepted ones and those of the baseline are left out."""
    shown = [one for one in audit.findings if not (one.accepted or one.in_baseline)]
    lines = [_annotation(one) for one in shown if one.verdict is not Verdict.SAFE]
    lines += [
        f"::warning file={_property(note.path)},line={note.line}::{_data(note.text)}"
        for note in audit.notes
    ]
    return "\n".join([*lines, summary(audit)])


def _annotation(one: Finding) -> str:
    place = f"file={_property(one.path)},line={one.line},endLine={one.end_line}"
    title = _property(f"{one.verdict}: {described(one)}")
    text = _data("\n".join([one.decision.sentence, *advice(one)]))
    return f"::{_LEVELS[one.verdict]} {place},title={title}::{text}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
