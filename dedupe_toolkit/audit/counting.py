"""How many duplicate groups there are already of what an unsafe call looks up. Only reads."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Max, Model, QuerySet

from ..errors import InvalidMatchKey
from ..finding.find import find_duplicates
from ..keys import match_key
from .lookups import fields_of
from .values import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..values import MatchKey
    from .findings import Finding


def key_of(finding: Finding) -> MatchKey | None:
    """What the call looks up as a match key; None if that can have no duplicates, or is none."""
    if finding.model is None or not finding.fields:
        return None
    try:
        return match_key(finding.model, finding.fields)
    except InvalidMatchKey:
        return None


def counted_findings(findings: Iterable[Finding], using: str) -> list[Finding]:
    """The findings, those that are not safe with the duplicate groups that the database has."""
    known: dict[MatchKey, tuple[int, str]] = {}
    found = []
    for one in findings:
        key = key_of(one) if one.verdict is not Verdict.SAFE else None
        if key is not None:
            if key not in known:
                known[key] = _count(key, using)
            groups, newest = known[key]
            one = replace(one, groups=groups, newest=newest)
        found.append(one)
    return found


def _count(key: MatchKey, using: str) -> tuple[int, str]:
    try:
        groups = find_duplicates(key, using=using, limit=0).groups
    except InvalidMatchKey:
        return 0, ""
    return groups, _newest(key.model, key.fields, using) if groups else ""


def _newest(model: type[Model], fields: tuple[str, ...], using: str) -> str:
    """When the newest row of a duplicate group was made, where the model says so."""
    stamp = next((f for f in fields_of(model).values() if getattr(f, "auto_now_add", False)), None)
    if stamp is None:
        return ""
    rows: QuerySet[Any] = QuerySet(model, using=using).order_by()
    repeated = rows.values(*fields).annotate(dedupe_rows=Count("*"), dedupe_last=Max(stamp.name))
    last = repeated.filter(dedupe_rows__gt=1).aggregate(last=Max("dedupe_last"))["last"]
    return last.date().isoformat() if hasattr(last, "date") else str(last or "")
