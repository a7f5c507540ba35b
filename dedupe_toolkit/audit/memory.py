"""The keys of the last audit, kept in a table of this package until the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.apps import apps
from django.db.transaction import atomic
from django.utils import timezone

from ..databases.places import has_table
from ..errors import InvalidMatchKey
from ..keys import match_key
from ..models import AuditedKey
from ..registry import declarations, declared
from .counting import key_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model

    from ..values import MatchKey
    from .findings import Audit


def remember(audit: Audit, using: str) -> None:
    """Keep what the unsafe calls look up in place of what the audit before found.

    Does nothing where this package has no tables. Writes to a table of this package alone.
    """
    if not has_table(AuditedKey, using):
        return
    places: dict[MatchKey, list[str]] = {}
    for one in audit.findings:
        key = key_of(one) if one.counts or one.in_baseline else None
        if key is not None:
            places.setdefault(key, []).append(f"{one.path}:{one.line}")
    now = timezone.now()
    rows = [
        AuditedKey(model=key.label, fields=list(key.fields), places=where, audited=now)
        for key, where in places.items()
    ]
    with atomic(using=using):
        AuditedKey.objects.using(using).all().delete()
        AuditedKey.objects.using(using).bulk_create(rows)


def known_keys(using: str, model: type[Model] | None = None) -> tuple[MatchKey, ...]:
    """The keys known of a model, or of all: those declared, and those that the last audit found.

    Raises `InvalidMatchKey` for a declared key that cannot be.
    """
    return tuple(dict.fromkeys(_each_known(using, model)))


def _each_known(using: str, model: type[Model] | None) -> Iterator[MatchKey]:
    for declaration in [declared(model)] if model else declarations():
        if declaration is not None:
            yield from declaration.match_keys()
    yield from remembered_keys(using, model)


def remembered_keys(using: str, model: type[Model] | None = None) -> Iterator[MatchKey]:
    """What the last audit found to be looked up and not unique, of one model or of all.

    A key that has become unique, or whose fields are gone, is none any more.
    """
    rows = AuditedKey.objects.using(using)
    rows = rows if has_table(AuditedKey, using) else rows.none()
    if model is not None:
        rows = rows.filter(model=model._meta.label)
    for row in rows:
        try:
            yield match_key(apps.get_model(row.model), row.fields)
        except (LookupError, InvalidMatchKey):
            continue
