"""SARIF 2.1.0, which code scanning services read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..values import Reason, Verdict
from .plain import advice, described

if TYPE_CHECKING:
    from ..findings import Audit, Finding

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Verdict.UNSAFE: "error", Verdict.FRAGILE: "warning", Verdict.UNKNOWN: "note"}


def sarif_document(audit: Audit) -> dict[str, Any]:
    """One run; accepted calls and those of the baseline are there, and suppressed."""
    found = [one for one in audit.findings if one.verdict is not Verdict.SAFE]
    rules = sorted({_rule_id(one) for one in found})
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "dedupe_toolkit audit_get_or_create",
                        "rules": [_rule(name) for name in rules],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(one, rules) for one in found],
            }
        ],
    }


def _rule_id(one: Finding) -> str:
    return f"{one.verdict.value}/{one.decision.reason.value}"


def _rule(name: str) -> dict[str, Any]:
    verdict, _, reason = name.partition("/")
    words = Reason(reason).value.replace("-", " ")
    return {
        "id": name,
        "shortDescription": {"text": f"A get_or_create that is {verdict}: {words}"},
        "defaultConfiguration": {"level": _LEVELS[Verdict(verdict)]},
    }


def _result(one: Finding, rules: list[str]) -> dict[str, Any]:
    text = "\n".join([f"{described(one)}: {one.decision.sentence}", *advice(one)])
    result: dict[str, Any] = {
        "ruleId": _rule_id(one),
        "ruleIndex": rules.index(_rule_id(one)),
        "level": _LEVELS[one.verdict],
        "message": {"text": text},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(one.path)},
                    "region": {"startLine": one.line, "endLine": one.end_line},
                }
            }
        ],
        "partialFingerprints": {"dedupeToolkit/v1": one.fingerprint},
    }
    if one.accepted or one.in_baseline:
        kind = "inSource" if one.accepted else "external"
        reason = one.accepted or "known in the baseline"
        result["suppressions"] = [{"kind": kind, "justification": reason}]
    return result
