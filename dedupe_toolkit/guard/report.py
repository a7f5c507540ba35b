"""What the guard saw, as a document that the audit reads: each way that a site was called in."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..audit.observed import digest
from ..audit.sources import shown_path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .memory import Seen

Entry = dict[str, Any]


def entries(seen: Iterable[Seen]) -> list[Entry]:
    """What has been seen, in plain values."""
    digests: dict[str, str] = {}
    return [_entry(one, digests) for one in seen]


def _entry(one: Seen, digests: dict[str, str]) -> Entry:
    if one.path not in digests:
        digests[one.path] = digest(Path(one.path))
    return {
        "path": shown_path(Path(one.path)),
        "line": one.line,
        "source": digests[one.path],
        "form": one.method,
        "model": one.model._meta.label,
        "fields": list(one.fields),
        "verdict": one.decision.verdict.value,
        "reason": one.decision.reason.value,
        "sentence": one.decision.sentence,
        "rule": one.decision.rule,
        "calls": one.calls,
    }


def merged(*several: Iterable[Entry]) -> list[Entry]:
    """All of them, with the calls of those that are the same added up."""
    found: dict[str, Entry] = {}
    for one in (entry for some in several for entry in some):
        key = json.dumps({name: value for name, value in one.items() if name != "calls"})
        calls = found.get(key, {"calls": 0})["calls"] + one["calls"]
        found[key] = {**one, "calls": calls}
    return sorted(found.values(), key=lambda one: (one["path"], one["line"], one["sentence"]))


def write(path: Path, found: Iterable[Entry]) -> None:
    """Write the document in one step, so that whoever reads it meanwhile sees a whole one."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    text = json.dumps({"observed": merged(found)}, ensure_ascii=False, indent=2)
    beside.write_text(f"{text}\n", encoding="utf-8")
    beside.replace(path)


def add(path: Path, found: Iterable[Entry]) -> None:
    """Add to what another process has written there; a file that is no document is replaced."""
    try:
        before = json.loads(path.read_text(encoding="utf-8"))["observed"]
        write(path, merged(before, found))
    except (OSError, ValueError, KeyError, TypeError):
        write(path, found)
