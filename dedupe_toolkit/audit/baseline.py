"""What was there before: findings that are known and do not count, until there are more of them."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..errors import InvalidOption
from .values import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from .findings import Finding

_VERSION = 1


def with_baseline(findings: Iterable[Finding], path: Path) -> list[Finding]:
    """The findings, those that the file knows marked as such.

    A fingerprint counts as often as the file has it with the same verdict, so that a second call
    beside a known one is new, and one that has become worse.

    Raises `InvalidOption` for a file that is none.
    """
    left = _read(path)
    marked = []
    for one in findings:
        place = (one.fingerprint, one.verdict.value)
        known = one.verdict is not Verdict.SAFE and left[place] > 0
        if known:
            left[place] -= 1
        marked.append(replace(one, in_baseline=known))
    return marked


def baseline_document(findings: Iterable[Finding]) -> dict[str, Any]:
    """The file that makes these findings known: all that are not safe."""
    return {
        "version": _VERSION,
        "findings": [
            {
                "fingerprint": one.fingerprint,
                "model": one.label,
                "fields": list(one.fields),
                "name": one.name,
                "verdict": one.verdict.value,
            }
            for one in sorted(findings, key=lambda one: (one.label, one.name, one.fingerprint))
            if one.verdict is not Verdict.SAFE
        ],
    }


def _read(path: Path) -> Counter[tuple[str, str]]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return Counter(
            (str(one["fingerprint"]), str(one["verdict"])) for one in document["findings"]
        )
    except OSError as error:
        raise InvalidOption(f"--baseline {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise InvalidOption(
            f"--baseline {path} is no baseline; write one with --write-baseline {path}"
        ) from None
