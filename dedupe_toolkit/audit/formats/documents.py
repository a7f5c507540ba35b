"""For programs: the audit as one JSON document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..values import Verdict

if TYPE_CHECKING:
    from ..findings import Audit, Finding


def audit_document(audit: Audit) -> dict[str, Any]:
    """All of it, stable and documented."""
    return {
        "files": audit.files,
        "left_out": audit.left_out,
        "verdicts": {verdict.value: len(audit.of(verdict)) for verdict in Verdict},
        "findings": [_finding(one) for one in audit.findings],
        "notes": [
            {"path": note.path, "line": note.line, "text": note.text} for note in audit.notes
        ],
        "skipped": [{"module": module, "reason": why} for module, why in audit.broken],
    }


def _finding(one: Finding) -> dict[str, Any]:
    return {
        "path": one.path,
        "line": one.line,
        "name": one.name,
        "form": one.form,
        "kind": one.kind.value,
        "model": one.label or None,
        "fields": list(one.fields),
        "verdict": one.verdict.value,
        "reason": one.decision.reason.value,
        "sentence": one.decision.sentence,
        "covered_by": one.decision.rule if one.verdict is Verdict.SAFE else None,
        "command": one.proposal.command or None,
        "rewrite": one.proposal.rewrite or None,
        "needs_decision": one.proposal.needs_decision or None,
        "accepted": one.accepted or None,
        "in_baseline": one.in_baseline,
        "duplicate_groups": one.groups,
        "newest": one.newest or None,
        "fingerprint": one.fingerprint,
    }
