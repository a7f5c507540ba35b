"""Find the duplicates of a match key. Only reads, and only with plain SELECTs."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Max, Model, QuerySet, Sum

from ..arguments import MOST_ROWS, checking_arguments, require_kind
from ..databases.caching import caching
from ..databases.places import has_table
from ..databases.tables import pk_names, require_table
from ..errors import InvalidOption
from ..keys import check_alias
from ..models import DismissedRow
from ..values import DuplicateGroup, FoundDuplicates, MatchKey
from .comparing import comparing
from .dismissed_groups import split_by_verdict
from .gathered import can_gather, gathered_duplicates
from .key_rows import candidates, group_size, key_columns, members, repeated, survivor_columns
from .searched_texts import require_searchable
from .survivor_rules import SurvivorRule, survivor_ordering
from .time_zones import require_time_zones
from .whole_texts import whole_texts

if TYPE_CHECKING:
    from collections.abc import Iterator


@checking_arguments
@caching()
def find_duplicates(
    key: MatchKey,
    *,
    using: str = "default",
    survivor: SurvivorRule = "oldest",
    limit: int | None = 20,
    include_dismissed: bool = False,
) -> FoundDuplicates:
    """The duplicates of ``key`` in the database ``using``: totals, and the largest groups.

    ``limit`` bounds the groups returned (None: all of them). Rows that default managers hide
    count. Groups that a person has dismissed do not, unless ``include_dismissed`` asks for them
    as a unique constraint would. A fixed number of statements, whatever the number of rows;
    writes nothing.

    Raises `InvalidMatchKey` for an unknown alias, a model whose table is not there, a key of
    local dates in a database without time zones, one that looks inside texts which their
    collation compares only as a whole, or values that the database compares not at all or not to
    their end;
    `InvalidOption` for an unknown survivor rule, a negative ``limit``, or what is no match key.
    """
    check_alias(using)
    require_kind("find_duplicates()", key, MatchKey, "a match key: match_key(Model, [fields])")
    if limit is not None and limit < 0:
        raise InvalidOption(f"{key.label}: limit is 0 or more, or None for all, not {limit}")
    limit = None if limit is None else min(limit, MOST_ROWS)
    require_table(key.model, using)
    survivor_ordering(key.model, survivor, using)  # looked at first: it may refuse
    # a migration may look for duplicates where this package has no tables yet
    may_dismiss = has_table(DismissedRow, using)
    require_time_zones(key, using)
    require_searchable(key, using)
    with whole_texts(key, using), comparing(key, using):
        rows = candidates(key, using)
        offered, dismissed = split_by_verdict(key, using) if may_dismiss else (rows, rows.none())
        found = _found(key, rows if include_dismissed else offered, survivor, limit)
        return replace(
            found,
            dismissed=repeated(key, dismissed).count(),
            is_empty=not found.groups and is_table_empty(key.model, using),
        )


def _found(
    key: MatchKey, rows: QuerySet[Any], survivor: SurvivorRule, limit: int | None
) -> FoundDuplicates:
    if limit != 0 and can_gather(key, survivor, rows.db):
        return gathered_duplicates(key, rows, survivor, limit)
    return _ranked_duplicates(key, rows, survivor, limit)


def _ranked_duplicates(
    key: MatchKey, rows: QuerySet[Any], survivor: SurvivorRule, limit: int | None
) -> FoundDuplicates:
    totals, largest = _totals(key, rows)
    if not totals.groups or limit == 0:
        return totals
    at_most = None if limit is None else limit * largest
    groups = islice(_iterate_groups(key, rows, survivor, at_most), limit)
    return replace(totals, duplicate_groups=tuple(groups))


def is_table_empty(model: type[Model], using: str) -> bool:
    return not QuerySet(model, using=using).exists()


def _totals(key: MatchKey, rows: QuerySet[Any]) -> tuple[FoundDuplicates, int]:
    totals = repeated(key, rows).aggregate(
        groups=Count("*"), rows=Sum("dedupe_rows"), largest=Max("dedupe_rows")
    )
    found = FoundDuplicates(key=key, groups=totals["groups"], rows=int(totals["rows"] or 0))
    return found, int(totals["largest"] or 0)


def _iterate_groups(
    key: MatchKey, rows: QuerySet[Any], survivor: SurvivorRule, at_most: int | None
) -> Iterator[DuplicateGroup]:
    keys, survivors, pks = key_columns(key), survivor_columns(key.model), pk_names(key.model)
    found = (
        members(key, rows, survivor_ordering(key.model, survivor, rows.db))
        .annotate(dedupe_rows=group_size(key))
        .order_by("-dedupe_rows", *survivors, "dedupe_place")
        .values_list("dedupe_rows", *survivors, *pks, *keys)[:at_most]
    )
    width = len(pks)
    for _, group in groupby(found.iterator(), key=lambda row: row[1 : 1 + width]):
        first, *others = group
        yield DuplicateGroup(
            values=dict(zip(key.fields, first[1 + 2 * width :], strict=True)),
            survivor=_key(first[1 + width : 1 + 2 * width]),
            duplicates=tuple(_key(row[1 + width : 1 + 2 * width]) for row in others),
        )


def _key(columns: tuple[Any, ...]) -> Any:
    return columns[0] if len(columns) == 1 else columns
