"""What the guard saw at run time decides what the source leaves open."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from django.apps import apps

from ..errors import InvalidOption
from .findings import Note
from .sources import project_root
from .values import Decision, Reason, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from .findings import Finding

Entry = dict[str, Any]

_WORST_FIRST = [Verdict.UNSAFE, Verdict.FRAGILE, Verdict.SAFE]
_REQUIRED = ("path", "line", "source", "form", "model", "fields", "verdict", "reason", "sentence")


def with_observed(findings: Iterable[Finding], path: Path) -> tuple[list[Finding], list[Note]]:
    """The findings, the unknown among them decided by what was seen, and notes on files changed.

    A call that was seen to be safe with one value may be none with another: where the audit
    says that it depends on a value, only seeing it unsafe decides.

    Raises `InvalidOption` for a file that the guard has not written.
    """
    entries = _read(path)
    digests = {name: digest(project_root() / name) for name in {one["path"] for one in entries}}
    changed = {one["path"] for one in entries if one["source"] != digests[one["path"]]}
    known = {model._meta.label for model in apps.get_models(include_auto_created=True)}
    seen: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for one in entries:
        if one["path"] not in changed and one["model"] in known:
            seen[one["path"], one["form"]].append(one)
    text = "has changed since the guard watched it: what was seen there is left out"
    notes = [Note(path=name, line=1, text=text) for name in sorted(changed)]
    return [_decided(one, seen) for one in findings], notes


def digest(path: Path) -> str:
    """By which a line number is known to mean the file as it was; "" for what is no file."""
    try:
        return sha256(path.read_bytes()).hexdigest()[:16]
    except OSError:
        return ""


def _read(path: Path) -> list[Entry]:
    try:
        entries: list[Entry] = json.loads(path.read_text(encoding="utf-8"))["observed"]
        if all(name in one for one in entries for name in _REQUIRED):
            return entries
    except OSError as error:
        raise InvalidOption(f"--observed {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        pass
    raise InvalidOption(
        f"--observed {path} is not what the guard writes; pytest --dedupe-guard={path} does"
    )


def _decided(finding: Finding, seen: Mapping[tuple[str, str], Sequence[Entry]]) -> Finding:
    if finding.verdict is not Verdict.UNKNOWN:
        return finding
    form = finding.form.removeprefix("a")
    there = [
        one
        for one in seen.get((finding.path, form), ())
        if finding.line <= one["line"] <= finding.end_line
        and finding.label in ("", one["model"])
        and one["verdict"] in _WORST_FIRST
    ]
    there.sort(key=lambda one: _WORST_FIRST.index(Verdict(one["verdict"])))
    if not there:
        return finding
    worst = there[0]
    depends = finding.decision.reason is Reason.UNLESS_NULL
    if depends and worst["verdict"] == Verdict.SAFE:
        return finding
    return replace(
        finding,
        model=finding.model or apps.get_model(worst["model"]),
        fields=finding.fields or tuple(worst["fields"]),
        decision=Decision(
            verdict=Verdict(worst["verdict"]),
            reason=Reason(worst["reason"]),
            sentence=f"{worst['sentence']} (as the guard saw it)",
            rule=worst.get("rule", ""),
        ),
    )
