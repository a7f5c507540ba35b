"""GitLab's code quality report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..values import Verdict
from .plain import described

if TYPE_CHECKING:
    from ..findings import Audit

_SEVERITIES = {Verdict.UNSAFE: "major", Verdict.FRAGILE: "minor", Verdict.UNKNOWN: "info"}


def gitlab_document(audit: Audit) -> list[dict[str, Any]]:
    """An entry for each call that counts; of equal fingerprints each has a number of its own."""
    entries, seen = [], dict[str, int]()
    for one in audit.findings:
        if one.verdict is Verdict.SAFE or one.accepted or one.in_baseline:
            continue
        seen[one.fingerprint] = seen.get(one.fingerprint, 0) + 1
        again = seen[one.fingerprint]
        entries.append(
            {
                "description": f"{described(one)}: {one.decision.sentence}",
                "check_name": f"{one.verdict.value}/{one.decision.reason.value}",
                "fingerprint": one.fingerprint + (f"-{again}" if again > 1 else ""),
                "severity": _SEVERITIES[one.verdict],
                "location": {
                    "path": one.path,
                    "lines": {"begin": one.line, "end": one.end_line},
                },
            }
        )
    return entries
