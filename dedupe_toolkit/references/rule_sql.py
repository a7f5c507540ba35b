"""Rules of a table as SQL in which columns are named without their table.

Such SQL can be asked of any relation that has columns of those names: of rows as they stand, and
of rows as a merge will leave them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Model, Q
from django.db.models.sql import Query

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..databases import Database
    from .unique import UniqueRule

_PLACEHOLDER = re.compile("%%|%s")


@dataclass(frozen=True, kw_only=True)
class TableRule:
    """A unique rule in SQL: the values of ``columns`` and ``expressions`` of rows that meet
    ``condition``, where there is one.

    ``reads`` are the columns on which it depends otherwise than by comparing them, and
    ``generated`` is SQL for each generated column that it needs.
    """

    text: str
    columns: tuple[str, ...]
    expressions: tuple[str, ...]
    condition: str
    nulls_distinct: bool
    reads: frozenset[str]
    generated: Mapping[str, str]

    @property
    def decisive(self) -> frozenset[str]:
        """Every column that decides whether two rows keep the rule."""
        return self.reads.union(self.columns)


def table_rule(model: type[Model], database: Database, rule: UniqueRule) -> TableRule:
    """The rule, in the words of the database."""
    expressions = tuple(as_sql(model, database, one) for one in rule.expressions)
    condition = "" if rule.condition is None else as_sql(model, database, rule.condition)
    generated = needed(database.demands(model).generated, rule.columns, expressions, condition)
    names = [column.name for column in database.table(model).columns]
    return TableRule(
        text=rule.text,
        columns=rule.columns,
        expressions=expressions,
        condition=condition,
        nulls_distinct=rule.nulls_distinct,
        reads=columns_in((*expressions, condition, *generated.values()), names),
        generated=generated,
    )


def as_sql(model: type[Model], database: Database, expression: Any, alias: str = "") -> str:
    """An expression or condition on the model's own columns as SQL, without parameters.

    With an ``alias`` the columns are those of the table under that name.
    """
    query = Query(model, alias_cols=bool(alias))
    if isinstance(expression, Q):
        resolved: Any = query.build_where(expression)
    else:
        resolved = expression.resolve_expression(query, allow_joins=False)
    if alias:
        resolved = resolved.relabeled_clone({model._meta.db_table: alias})
    sql, params = query.get_compiler(database.using).compile(resolved)
    values = iter(params)
    return _PLACEHOLDER.sub(
        lambda found: database.literal(next(values)) if found[0] == "%s" else found[0], sql
    )


def needed(generated: Mapping[str, str], columns: Iterable[str], *texts: Any) -> dict[str, str]:
    """Those of the generated columns that columns or SQL name, or that such a column needs."""
    wanted = {*columns, *columns_in([t for text in texts for t in _texts(text)], generated)}
    while True:
        found = {name: sql for name, sql in generated.items() if name in wanted}
        more = columns_in(found.values(), generated) - wanted
        if not more:
            return found
        wanted |= more


def computed_of(generated: Mapping[str, str], columns: Iterable[str]) -> set[str]:
    """Those of the generated columns that depend on any of these columns."""
    of = tuple(columns)
    return {name for name in generated if columns_in(needed(generated, [name]).values(), of)}


def _texts(text: str | Iterable[str]) -> Iterable[str]:
    return [text] if isinstance(text, str) else text


def columns_in(texts: Iterable[str], names: Iterable[str]) -> frozenset[str]:
    """The columns that SQL names; one whose name only stands in some text counts as well."""
    sql = " ".join(texts)
    return frozenset(
        name for name in names if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", sql, re.IGNORECASE)
    )
