"""Keeps the rows that a person selected, for a scan that looks at nothing else.

The database carries them over by itself, however many they are. Writes the review queue only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import QuerySet

from ..databases import database
from ..databases.common_tables import compiled
from ..finding.named_keys import KeyText
from ..models import Scan, SelectedRow
from ..plain import plain_match_key

if TYPE_CHECKING:
    from ..values import MatchKey


def select_rows(
    rows: QuerySet[Any], *, using: str, key: MatchKey | None = None, by: str = ""
) -> Scan:
    """A new scan that considers these rows alone, whatever becomes of the query.

    Without a ``key`` it has none yet: give it one with `set_key` before it is carried out.
    """
    model, dialect = rows.model, database(using)
    with transaction.atomic(using=using):
        scan = Scan.objects.using(using).create(model=model._meta.label, is_selection=True, by=by)
        if key is not None:
            set_key(scan, key)
        chosen = rows.using(using).order_by().values("pk")
        every: QuerySet[Any] = QuerySet(model, using=using).filter(pk__in=chosen)
        sql, params = compiled(every.order_by().values_list(KeyText(model)))
        dialect.run(
            f"INSERT INTO {dialect.q(SelectedRow._meta.db_table)} (scan_id, {dialect.q('row')})"
            f" SELECT {int(scan.pk)}, s.* FROM ({sql}) s",
            params,
        )
    return scan


def set_key(scan: Scan, key: MatchKey) -> None:
    """Let a selection be searched by this key."""
    scan.model, scan.key, scan.status = key.label, plain_match_key(key), Scan.Status.NEW
    scan.save(update_fields=["model", "key", "status"])
