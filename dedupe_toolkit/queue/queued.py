"""From groups in the review queue to their rows, by the match key. Only reads."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

from django.db.models import Exists, Q, QuerySet
from django.db.models.expressions import RawSQL

from ..databases import database
from ..databases.tables import pk_names
from ..finding.key_rows import (
    RowQuery,
    candidates,
    found_in,
    key_columns,
    members,
    row_in,
    survivor_columns,
)
from ..finding.named_keys import KeyText
from ..finding.survivor_rules import survivor_ordering
from ..journal.key_texts import keys_of
from ..keys import key_field
from ..models import SelectedRow
from ..values import MatchKey, Nulls

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from django.db.models import Model

    from ..models import QueuedGroup, Scan

_AMONG = "pk__in"


def scanned_key(scan: Scan, key: MatchKey, using: str) -> MatchKey:
    """The match key of a scan: of one about selected rows, narrowed to these."""
    return _narrowed(key, _selected(scan, key.model, using)) if scan.is_selection else key


def of_groups(key: MatchKey, firsts: Collection[Any], using: str) -> MatchKey:
    """The key, narrowed to the groups whose first rows have these primary keys."""
    return _narrowed(key, rows_of(key, firsts, using))


def first_rows(model: type[Model], groups: Iterable[QueuedGroup], using: str) -> list[Any]:
    """The primary keys of the groups' first rows, as models hold them."""
    return keys_of(model, [group.row for group in groups], using)


def rows_of(key: MatchKey, firsts: Collection[Any], using: str) -> QuerySet[Any]:
    """The candidates of the groups whose first rows have these primary keys."""
    rows, columns = candidates(key, using), key_columns(key)
    known = candidates(key, using).filter(pk__in=firsts)
    if key.nulls is Nulls.DISTINCT:
        return rows.filter(found_in(columns, RowQuery(known.values(*columns))))
    alike = Q()
    for blank, filled in _patterns(key):
        here = known.filter(blank)
        # values with a NULL among them are never found by IN
        same = found_in(filled, RowQuery(here.values(*filled))) if filled else Exists(here)
        alike |= blank & Q(same)
    return rows.filter(alike)


def texts_of_groups(key: MatchKey, firsts: Collection[Any], using: str) -> dict[str, list[str]]:
    """The keys of all rows of these groups, as the journal names keys, by that of the first row."""
    rows = rows_of(key, firsts, using)
    ranked = members(key, rows, survivor_ordering(key.model, "oldest", using))
    survivors = survivor_columns(key.model)
    found: dict[str, list[str]] = {}
    listed: list[str] = []
    for place, text in ranked.order_by(*survivors, "dedupe_place").values_list(
        "dedupe_place", KeyText(key.model)
    ):
        if place == 0:
            listed = found.setdefault(text, [])
        listed.append(text)
    return found


def _patterns(key: MatchKey) -> Iterator[tuple[Q, list[str]]]:
    """Each way in which columns of the key can be NULL, with the columns that are not."""
    columns = key_columns(key)
    choices = [
        (False, True) if "__" in lookup or key_field(key.model, lookup).null else (False,)
        for lookup in key.fields
    ]
    for nulls in product(*choices):
        blank = Q(*((f"{c}__isnull", null) for c, null in zip(columns, nulls, strict=True)))
        yield blank, [column for column, null in zip(columns, nulls, strict=True) if not null]


def _narrowed(key: MatchKey, rows: QuerySet[Any]) -> MatchKey:
    # of two choices of rows the later is among the earlier, see `candidates`
    where = [one for one in key.where if one[0] != _AMONG or not isinstance(one[1], QuerySet)]
    return replace(key, where=(*where, (_AMONG, rows.order_by().values("pk"))))


def _selected(scan: Scan, model: type[Model], using: str) -> QuerySet[Any]:
    """The rows that were selected for the scan."""
    dialect, pks = database(using), pk_names(model)
    columns = dialect.table(model).pk
    # PostgreSQL may cast before it filters, and cannot cast the keys of every other model
    keys = [
        f"CASE WHEN s.scan_id = {int(scan.pk)} THEN {dialect.from_key_text(text, n, columns)} END"
        for n, text in enumerate([f"s.{dialect.q('row')}"] * len(pks))
    ]
    table = dialect.q(SelectedRow._meta.db_table)
    sql = f"SELECT {', '.join(keys)} FROM {table} s WHERE s.scan_id = {int(scan.pk)}"
    rows: QuerySet[Any] = QuerySet(model, using=using)
    return rows.filter(row_in(pks, RawSQL(sql, [])))  # noqa: S611  # names of our own
