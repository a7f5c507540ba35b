"""Find the duplicates of a match key. Only reads, and only with plain SELECTs."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any

from django.db.models import Count, F, Max, Model, QuerySet, Sum, Window
from django.db.models.functions import FirstValue, RowNumber

from ..databases.tables import pk_names, require_table
from ..keys import check_alias, ends_in_text
from ..values import Blanks, DuplicateGroup, FoundDuplicates, MatchKey, Nulls
from .survivors import SurvivorRule, survivor_ordering

if TYPE_CHECKING:
    from collections.abc import Iterator


def find_duplicates(
    key: MatchKey,
    *,
    using: str = "default",
    survivor: SurvivorRule = "oldest",
    limit: int | None = 20,
) -> FoundDuplicates:
    """The duplicates of ``key`` in the database ``using``: totals, and the largest groups.

    ``limit`` bounds the groups returned (None: all of them). Rows that default managers hide
    count. Two statements, whatever the number of rows; writes nothing.

    Raises `InvalidMatchKey` for an unknown alias or a model whose table is not there.
    """
    check_alias(using)
    require_table(key.model, using)
    totals, largest = _totals(key, using)
    groups: tuple[DuplicateGroup, ...] = ()
    if totals.groups and limit != 0:
        rows = None if limit is None else limit * largest
        found = _iterate_groups(key, using, survivor, rows)
        groups = tuple(islice(found, limit))
    is_empty = not totals.groups and is_table_empty(key.model, using)
    return replace(totals, duplicate_groups=groups, is_empty=is_empty)


def is_table_empty(model: type[Model], using: str) -> bool:
    return not QuerySet(model, using=using).exists()


def considered(key: MatchKey, using: str) -> QuerySet[Any]:
    """The rows that can be duplicates, annotated with the key's values (see `key_columns`).

    A plain query set, not a manager of the model's: no manager may hide a row that the
    unique constraint would count.
    """
    rows: QuerySet[Any] = QuerySet(key.model, using=using).filter(**dict(key.where))
    for column, lookup in zip(key_columns(key), key.fields, strict=True):
        rows = rows.annotate(**{column: F(lookup)})
        if key.nulls is Nulls.DISTINCT:
            rows = rows.filter(**{f"{column}__isnull": False})
        if key.blanks is Blanks.DISTINCT and ends_in_text(key.model, lookup):
            rows = rows.exclude(**{column: ""})
    return rows.order_by()


def key_columns(key: MatchKey) -> list[str]:
    """The names under which `considered` annotates the values of each key field."""
    return [f"dedupe_key_{number}" for number in range(len(key.fields))]


def ranked(key: MatchKey, using: str, ordering: list[Any]) -> QuerySet[Any]:
    """The considered rows with their place in their group (0 survives) and their survivor."""
    window: dict[str, Any] = {
        "partition_by": [F(column) for column in key_columns(key)],
        "order_by": ordering,
    }
    survivors = {
        f"dedupe_survivor_{number}": Window(FirstValue(F(name)), **window)
        for number, name in enumerate(pk_names(key.model))
    }
    place = Window(RowNumber(), **window) - 1
    rows: QuerySet[Any] = considered(key, using).annotate(dedupe_place=place, **survivors)
    return rows


def survivor_columns(key: MatchKey) -> list[str]:
    """The names under which `ranked` annotates each column of the survivor's primary key."""
    return [f"dedupe_survivor_{number}" for number in range(len(pk_names(key.model)))]


def _totals(key: MatchKey, using: str) -> tuple[FoundDuplicates, int]:
    groups = (
        considered(key, using)
        .values(*key_columns(key))
        .annotate(dedupe_rows=Count("*"))
        .filter(dedupe_rows__gt=1)
    )
    totals = groups.aggregate(
        groups=Count("*"), rows=Sum("dedupe_rows"), largest=Max("dedupe_rows")
    )
    found = FoundDuplicates(key=key, groups=totals["groups"], rows=int(totals["rows"] or 0))
    return found, int(totals["largest"] or 0)


def _iterate_groups(
    key: MatchKey, using: str, survivor: SurvivorRule, rows: int | None
) -> Iterator[DuplicateGroup]:
    keys, survivors, pks = key_columns(key), survivor_columns(key), pk_names(key.model)
    size = Window(Count("*"), partition_by=[F(column) for column in keys])
    members = (
        ranked(key, using, survivor_ordering(key.model, survivor, using))
        .annotate(dedupe_size=size)
        .filter(dedupe_size__gt=1)
        .order_by("-dedupe_size", *survivors, "dedupe_place")
        .values_list("dedupe_size", *survivors, *pks, *keys)[:rows]
    )
    width = len(pks)
    for _, group in groupby(members.iterator(), key=lambda row: row[1 : 1 + width]):
        first, *others = group
        yield DuplicateGroup(
            values=dict(zip(key.fields, first[1 + 2 * width :], strict=True)),
            survivor=_key(first[1 + width : 1 + 2 * width]),
            duplicates=tuple(_key(row[1 + width : 1 + 2 * width]) for row in others),
        )


def _key(columns: tuple[Any, ...]) -> Any:
    return columns[0] if len(columns) == 1 else columns
