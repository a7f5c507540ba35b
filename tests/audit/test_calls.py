"""What an audit finds in source: the model of each call, its look-ups and its verdict."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dedupe_toolkit import audit_get_or_create
from dedupe_toolkit.databases import database
from tests.situations import audited

if TYPE_CHECKING:
    from dedupe_toolkit.audit.findings import Finding

pytestmark = pytest.mark.django_db(databases=["default", "other"])

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


@cache
def found() -> dict[Place, list[Finding]]:
    lines: dict[Place, list[Finding]] = {}
    for one in audit_get_or_create("audited", everything=True).findings:
        if Path(one.path).name in FILES:
            lines.setdefault((Path(one.path).name, one.line), []).append(one)
    return lines


def described(one: Finding) -> str:
    model = one.label.split(".")[-1]
    return f"{model}: {' '.join(one.fields)}: {one.decision.verdict} {one.decision.reason}"


@pytest.mark.parametrize(("place", "verdict"), expected(), ids=str)
def test_the_verdict_is_the_one_beside_the_call(place: Place, verdict: str) -> None:
    assert here(place, verdict) in [described(one) for one in found().get(place, [])]


def test_nothing_else_is_found() -> None:
    assert sorted(found()) == sorted({place for place, _ in expected()})
    assert sum(map(len, found().values())) == len(expected())
