"""Where keys may stand that no plan looks for: JSON and array columns. Only reads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.db.models import Case, F, IntegerField, QuerySet, TextField, Value, When
from django.db.models.functions import Cast

from ..databases.common_tables import compiled
from ..databases.places import stores_rows
from ..models import MergeRun
from ..plan_values import Unsearched
from ..references.discover import references_to
from ..references.generic import content_types
from ..references.meta import column_of, lineage_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Field, Model

    from ..databases import Database

SAMPLE = 1_000
"""Rows of each table that are looked at."""

_KINDS = {"ArrayField", "HStoreField", "JSONField"}


def unsearched(database: Database, model: type[Model]) -> Unsearched:
    """The JSON and array columns that no declared reference of ``model`` names.

    Those are told whose sample has a text ``"type:key"`` of the model's type: its content type's
    number or its name. One statement, whatever the number of columns.
    """
    fields = list(_fields(database, model))
    found = _holding(database, fields, _pattern(model, database.using)) if fields else set()
    return Unsearched(
        tables=len({field.model for field in fields}),
        holding=tuple(
            f"{field.model._meta.label}.{field.name}"
            for number, field in enumerate(fields)
            if number in found
        ),
    )


def _fields(database: Database, model: type[Model]) -> Iterator[Field[Any, Any]]:
    searched = {
        (reference.referrer, column)
        for part in lineage_of(model)
        for reference in references_to(part, database.using)
        for column in reference.columns
    }
    stored = [one for one in _tables(model) if stores_rows(one, database.using)]
    stored = [one for one in stored if any(map(_may_hold, one._meta.local_concrete_fields))]
    database.read_tables(stored)
    for other in stored:
        there = {column.name for column in database.table(other).columns}
        for field in filter(_may_hold, other._meta.local_concrete_fields):
            column = column_of(field)
            if column in there and (other, column) not in searched:
                yield field


def _tables(model: type[Model]) -> Iterator[type[Model]]:
    for other in model._meta.apps.get_models(include_auto_created=True):
        meta = other._meta
        if not meta.proxy and meta.app_label != MergeRun._meta.app_label:
            yield other


def _may_hold(field: Field[Any, Any]) -> bool:
    return field.get_internal_type() in _KINDS


def _pattern(model: type[Model], using: str) -> str:
    """A regular expression, as all databases know them, for a whole text ``type:key``."""
    names = [name for part in lineage_of(model) for name in _names(part)]
    types = [f"{number}" for part in lineage_of(model) for number in content_types(part, using)]
    either = "|".join(re.sub(r"\W", "[.]", name) for name in [*types, *names])
    return f'(^|[",{{])({either}):[^",}}:]+($|[",}}])'


def _names(model: type[Model]) -> tuple[str, str]:
    return model._meta.label_lower, str(model._meta.model_name)


def _holding(database: Database, fields: list[Field[Any, Any]], pattern: str) -> set[int]:
    """The numbers of those fields whose sample holds the pattern."""
    parts, params = [], list[Any]()
    for number, field in enumerate(fields):
        sql, given = compiled(_sample(field, pattern, database.using))
        parts.append(f"SELECT {number}, MAX(x.dedupe_holds) FROM ({sql}) x")
        params += given
    return {number for number, holds in database.fetch(" UNION ALL ".join(parts), params) if holds}


def _sample(field: Field[Any, Any], pattern: str, using: str) -> QuerySet[Any, Any]:
    rows: QuerySet[Any] = QuerySet(field.model, using=using).order_by()
    text = Cast(F(field.name), TextField())
    holds = Case(
        When(dedupe_text__regex=pattern, then=Value(1)),
        default=Value(0),
        output_field=IntegerField(),
    )
    rows = rows.alias(dedupe_text=text).annotate(dedupe_holds=holds)
    return rows.values("dedupe_holds")[:SAMPLE]
