"""What an audit finds in source: the model of each call, its look-ups and its verdict."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dedupe_toolkit import audit_get_or_create
from tests.audit.kit import FILES, Place, expected, here

if TYPE_CHECKING:
    from dedupe_toolkit.audit.findings import Finding

pytestmark = pytest.mark.django_db(databases=["default", "other"])


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
