"""The calls that a match key is about, and what its constraint makes of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .values import Verdict

if TYPE_CHECKING:
    from ..values import MatchKey
    from .findings import Audit

_CALL_FOR_A_CHANGE = (Verdict.FRAGILE, Verdict.UNSAFE)


def about_key(found: Audit, key: MatchKey) -> Audit:
    """The findings on the key's model, or its kin, that look up a field of the key."""
    names = {field.split("__")[0] for field in key.fields}
    findings = tuple(
        one
        for one in found.findings
        if one.model is not None
        and (issubclass(one.model, key.model) or issubclass(key.model, one.model))
        and names & {field.split("__")[0] for field in one.fields}
    )
    return replace(found, findings=findings, notes=(), left_out=0)


def to_change(found: Audit) -> Audit:
    """The findings that call for a change of the call, but for those that somebody accepted."""
    findings = tuple(
        one for one in found.findings if one.verdict in _CALL_FOR_A_CHANGE and not one.accepted
    )
    return replace(found, findings=findings)
