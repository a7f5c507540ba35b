"""The calls of the situation `audited`, with the verdicts that stand behind them."""

from __future__ import annotations

from pathlib import Path

from dedupe_toolkit.databases import database
from tests.situations import audited

FILES = ("calls.py", "by_hand.py", "idioms.py", "traps.py")
Place = tuple[str, int]


def expected() -> list[tuple[Place, str]]:
    """The lines of the files with the verdicts that stand behind them."""
    found = []
    for name in FILES:
        text = Path(audited.__file__).with_name(name).read_text(encoding="utf-8")
        for number, line in enumerate(text.splitlines(), 1):
            code, _, comment = line.rpartition("  # ")
            if code and comment.count(": ") >= 2:
                found += [((name, number), one.strip()) for one in comment.split("|")]
    return found


def here(place: Place, verdict: str) -> str:
    """The verdict on this database: some deadlock where a row is locked before it is there."""
    name, number = place
    line = (
        Path(audited.__file__).with_name(name).read_text(encoding="utf-8").splitlines()[number - 1]
    )
    locks = "update_or_create(" in line or "select_for_update(" in line
    is_held_up = locks and database("default").locks_gaps
    return verdict.replace("safe exact", "fragile deadlock") if is_held_up else verdict
