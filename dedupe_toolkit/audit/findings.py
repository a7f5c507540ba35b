"""What an audit found: one call or hand-written form each, with its verdict. Frozen."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from .sources import Kind
from .values import Decision, Reason, Verdict

if TYPE_CHECKING:
    from django.db.models import Model


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What would make a call safe: a command to run, or a change that a person decides on.

    ``command`` is ready to paste; ``rewrite`` is what the call should become; ``needs_decision``
    says why nobody but a person can tell.
    """

    command: str = ""
    rewrite: str = ""
    needs_decision: str = ""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One place in the source that looks for a row and creates it."""

    path: str
    line: int
    end_line: int
    name: str
    """The function or class around it, with its own around it: ``Importer.run``."""
    form: str
    """The method called, or the hand-written form."""
    model: type[Model] | None
    fields: tuple[str, ...]
    decision: Decision
    kind: Kind = Kind.CODE
    source: str = ""
    proposal: Proposal = field(default_factory=Proposal)
    accepted: str = ""
    """The reason that a comment gives for accepting it."""
    in_baseline: bool = False
    groups: int | None = None
    """Duplicate groups that are there already, where they were counted."""
    newest: str = ""
    """The day of the newest row among them, where the model keeps it."""

    @property
    def label(self) -> str:
        return self.model._meta.label if self.model else ""

    @property
    def verdict(self) -> Verdict:
        return self.decision.verdict

    @property
    def fingerprint(self) -> str:
        """The same after lines have moved: the model, the fields and where it stands by name."""
        parts = [self.label, *sorted(self.fields), self.name]
        if not self.label:
            parts.append(self.source)
        return sha256("\n".join(parts).encode()).hexdigest()[:20]

    @property
    def counts(self) -> bool:
        """Whether ``--check`` fails because of it."""
        return self.verdict is Verdict.UNSAFE and not self.accepted and not self.in_baseline


@dataclass(frozen=True, kw_only=True)
class Note:
    """Something beside the calls: a weaker form of the same, a comment that accepts nothing."""

    path: str
    line: int
    text: str
    kind: Kind = Kind.CODE


@dataclass(frozen=True, kw_only=True)
class Audit:
    """All that one audit found, in the order of files and lines."""

    findings: tuple[Finding, ...]
    notes: tuple[Note, ...] = ()
    broken: tuple[tuple[str, str], ...] = ()
    """Files that could not be read, and why."""
    files: int = 0
    lines: int = 0
    left_out: int = 0
    """Calls in tests and migrations that were not asked for."""

    def of(self, verdict: Verdict) -> list[Finding]:
        return [one for one in self.findings if one.verdict is verdict]


def undecided(reason: Reason, sentence: str) -> Decision:
    return Decision(verdict=Verdict.UNKNOWN, reason=reason, sentence=sentence)
