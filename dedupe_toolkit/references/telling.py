"""Columns in which a blank is an answer: not deleted, never expires. Nothing is filled there.

Reads no rows.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.db.models import DateField, TimeField, UniqueConstraint

from ..databases.caching import cached
from .hidden import hiding_columns
from .meta import column_of, named_in
from .rule_sql import columns_in, table_rule
from .unique import unique_rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model

    from ..databases import Database
    from ..databases.tables import Column

_MOMENT = re.compile("(date|time)", re.IGNORECASE)


@cached
def moments(model: type[Model], database: Database) -> frozenset[str]:
    """The columns of dates and times that may be empty: who leaves one out may say never."""
    fields = {column_of(field): field for field in model._meta.local_concrete_fields}
    return frozenset(
        column.name
        for column in database.table(model).non_key_columns
        if column.is_nullable and _is_moment(fields.get(column.name), column)
    )


def is_moment(field: Any) -> bool:
    """Whether a field holds dates or times, and may be empty."""
    return field.null and isinstance(field, (DateField, TimeField))


def _is_moment(field: Any, column: Column) -> bool:
    return is_moment(field) if field else bool(_MOMENT.match(column.definition))


@cached
def decisive_columns(model: type[Model], database: Database) -> frozenset[str]:
    """The columns that decide whether the default manager shows a row, or a unique rule counts it.

    A column that such a rule compares as well is none: the rule speaks of rows that have it.
    """
    return declared_decisive(model).union(_live(model, database))


def declared_decisive(model: type[Model]) -> frozenset[str]:
    """The same, as far as the model says it."""
    table = model._meta.db_table
    hiding = {column for name, column in hiding_columns(model) if name == table}
    return frozenset({*hiding, *_declared(model)})


def _live(model: type[Model], database: Database) -> Iterator[str]:
    names = [column.name for column in database.table(model).columns]
    for rule in unique_rules(model, database):
        if rule.condition is not None:
            found = table_rule(model, database, rule)
            own = columns_in(found.expressions, names).union(found.columns)
            yield from columns_in([found.condition], names) - own


def _declared(model: type[Model]) -> Iterator[str]:
    """What databases that know no conditions are spared."""
    fields = {field.name: column_of(field) for field in model._meta.local_concrete_fields}
    for rule in model._meta.constraints:
        if isinstance(rule, UniqueConstraint) and rule.condition is not None:
            own = {*rule.fields, *(name for e in rule.expressions for name in named_in(e))}
            for name in rule.condition.referenced_base_fields - own:
                if name in fields:
                    yield fields[name]
