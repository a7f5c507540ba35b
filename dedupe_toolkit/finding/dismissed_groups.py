"""The groups that a person has dismissed, as the database finds them. Only reads.

A group is dismissed if one verdict names all its rows. So it is offered again as soon as a row
joins it, and stays dismissed when one leaves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Case, F, QuerySet, When
from django.db.models.expressions import RawSQL

from ..databases import database
from ..databases.caching import cached
from ..databases.common_tables import compiled
from ..databases.names import numbered
from ..databases.tables import pk_fields, pk_names
from ..models import DismissedGroup, DismissedRow
from ..references.discover import family_of
from ..values import MatchKey, Nulls
from .key_rows import RowQuery, candidates, group_size, key_columns, row_in
from .named_keys import KeyColumn

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import Model

_VERDICTS, _ROWS = "dedupe_verdicts", "dedupe_rows_of_verdicts"


def about(fields: Iterable[str]) -> str:
    """The fields of a match key as a verdict keeps them."""
    return ",".join(sorted(fields))


def family(model: type[Model]) -> list[str]:
    """The names under which verdicts on a model's objects are kept."""
    return sorted(one._meta.label for one in family_of(model))


def verdicts_on(model: type[Model], fields: Iterable[str], using: str) -> QuerySet[DismissedGroup]:
    """The verdicts that hold for a match key: those about it, and those about every key."""
    return DismissedGroup.objects.using(using).filter(
        model__in=family(model), fields__in=["", about(fields)]
    )


def split_by_verdict(key: MatchKey, using: str) -> tuple[QuerySet[Any], QuerySet[Any]]:
    """The candidates outside, and inside, of dismissed groups."""
    rows = candidates(key, using)
    if not _is_any_dismissed(key.model, key.fields, using):
        return rows, rows.none()
    keys, dismissed = pk_names(key.model), _dismissed_keys(key, using)
    return rows.filter(row_in(keys, dismissed, "NOT IN")), rows.filter(row_in(keys, dismissed))


@cached
def _is_any_dismissed(model: type[Model], fields: tuple[str, ...], using: str) -> bool:
    return verdicts_on(model, fields, using).exists()


def verdicts_by_row(
    model: type[Model], fields: Iterable[str], rows: Iterable[str], using: str
) -> dict[str, set[int]]:
    """The verdicts that name each of these rows; their keys are texts, as `KeyText` gives them."""
    found: dict[str, set[int]] = {}
    named = DismissedRow.objects.using(using).filter(row__in=list(rows))
    verdicts = verdicts_on(model, fields, using)
    for row, group in named.filter(group__in=verdicts).values_list("row", "group_id"):
        found.setdefault(row, set()).add(group)
    return found


def _dismissed_keys(key: MatchKey, using: str) -> RawSQL:
    """A query for the primary keys of all rows of dismissed groups.

    It begins with the rows that verdicts name and looks at their groups only, so that its cost
    does not grow with the number of groups that are none of theirs.
    """
    dialect, width = database(using), len(pk_names(key.model))
    named, keys, values = (
        numbered(name, number)
        for name, number in (("named", width), ("key", width), ("value", len(key.fields)))
    )
    verdicts, params = compiled(_verdicts(key, using))
    rows, row_params = compiled(_groups_with(key, using, named))
    group = ", ".join(dialect.qualified("r", values))
    found = ", ".join(dialect.qualified("r", keys))
    same = dialect.join_on("r", keys, "v", named)
    sql = (
        f"WITH {_VERDICTS} (verdict, {', '.join(named)}) AS ({verdicts}),"
        f" {_ROWS} ({', '.join([*keys, *values])}, size) AS ({rows})"
        f" SELECT {', '.join(keys)} FROM (SELECT {found}, r.size,"
        f" COUNT(*) OVER (PARTITION BY v.verdict, {group}) AS agreed"
        f" FROM {_VERDICTS} v JOIN {_ROWS} r ON {same}) x WHERE x.agreed = x.size"
    )
    return RawSQL(sql, [*params, *row_params])  # noqa: S611  # names of our own


def _verdicts(key: MatchKey, using: str) -> QuerySet[Any]:
    """Every verdict that holds for the key, with each row it names."""
    columns = database(using).table(key.model).pk
    models = family(key.model)
    # PostgreSQL may cast before it filters, and cannot cast the keys of every other model
    parts = {
        f"dedupe_named_{number}": Case(
            When(
                group__model__in=models,
                then=KeyColumn(F("row"), number, columns, output_field=field),
            )
        )
        for number, field in enumerate(pk_fields(key.model))
    }
    rows = DismissedRow.objects.using(using).order_by()
    of_key = rows.filter(group__model__in=models, group__fields__in=["", about(key.fields)])
    return of_key.annotate(**parts).values_list("group_id", *parts)


def _groups_with(key: MatchKey, using: str, named: list[str]) -> QuerySet[Any]:
    """The candidates of each group of which a verdict names a row, and the group's size."""
    rows, columns, pks = candidates(key, using), key_columns(key), pk_names(key.model)
    if key.nulls is Nulls.DISTINCT:  # values with a NULL among them are never found by IN
        keys = RawSQL(f"SELECT {', '.join(named)} FROM {_VERDICTS}", [])  # noqa: S611  # as above
        values = rows.filter(row_in(pks, keys)).values(*columns)
        rows = rows.filter(row_in(columns, RowQuery(values)))
    sized: QuerySet[Any] = rows.annotate(dedupe_size=group_size(key))
    return sized.values_list(*pks, *columns, "dedupe_size")
