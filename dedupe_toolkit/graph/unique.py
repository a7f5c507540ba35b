"""Which unique rules a model's table has, as far as the database enforces them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import F, Model, OrderBy, Q, UniqueConstraint

from ..databases.constraints import enforces
from ..databases.tables import pk_fields

if TYPE_CHECKING:
    from ..databases import Database


@dataclass(frozen=True, kw_only=True)
class UniqueRule:
    """Values that no two rows of a table may share.

    The values are those of ``fields`` and of ``expressions``, among the rows that meet
    ``condition``.
    """

    name: str
    fields: tuple[Any, ...]
    expressions: tuple[Any, ...] = ()
    condition: Q | None = None
    nulls_distinct: bool = True

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(field.column for field in self.fields)

    @property
    def text(self) -> str:
        """The rule as users know it, for messages."""
        if self.expressions or self.condition is not None:
            return f"unique constraint {self.name}"
        return f"unique ({', '.join(field.name for field in self.fields)})"


def unique_rules(model: type[Model], database: Database) -> list[UniqueRule]:
    """The unique rules of the model's own table, the primary key first."""
    meta = model._meta
    keys = pk_fields(model)
    rules = [UniqueRule(name="primary key", fields=tuple(keys))]
    for field in meta.local_concrete_fields:
        if field.unique and not field.primary_key:
            rules.append(UniqueRule(name=field.name, fields=(field,)))
    for names in meta.unique_together:
        fields = tuple(meta.get_field(name) for name in names)
        rules.append(UniqueRule(name="unique_together", fields=fields))
    for constraint in meta.constraints:
        if isinstance(constraint, UniqueConstraint) and enforces(database.connection, constraint):
            rules.append(_from_constraint(meta, constraint))
    return rules


def names_one_row(model: type[Model], names: set[str]) -> bool:
    """Whether some of these fields together are unique, as far as the model declares it."""
    meta: Any = model._meta
    unique = [
        {field.name for field in pk_fields(model)},
        *({field.name} for field in meta.local_concrete_fields if field.unique),
        *map(set, meta.unique_together),
        *(set(constraint.fields) for constraint in meta.total_unique_constraints),
    ]
    return any(fields <= names for fields in unique)


def _from_constraint(meta: Any, constraint: UniqueConstraint) -> UniqueRule:
    expressions = [_bare(expression) for expression in constraint.expressions]
    plain: list[str] = [e.name for e in expressions if isinstance(e, F)]  # type: ignore[attr-defined]  # F.name is missing in the stubs
    return UniqueRule(
        name=constraint.name,
        fields=tuple(meta.get_field(name) for name in (*constraint.fields, *plain)),
        expressions=tuple(e for e in expressions if not isinstance(e, F)),
        condition=constraint.condition,
        nulls_distinct=constraint.nulls_distinct is not False,
    )


def _bare(expression: Any) -> Any:
    return expression.expression if isinstance(expression, OrderBy) else expression
