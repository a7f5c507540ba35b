"""The unique rules that a model declares. Reads the model, never a database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.indexes import OpClass
from django.core.exceptions import FieldDoesNotExist
from django.db.models import F, Model, OrderBy, UniqueConstraint

from ..databases.constraints import enforces
from ..databases.tables import pk_fields
from .meta import column_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.db.models import Field

    from ..databases import Database


@dataclass(frozen=True, kw_only=True)
class DeclaredRule:
    """A unique rule of ``models.py``; ``text`` is what a person would call it.

    ``fields`` are those it compares as they are; what else it compares, and among which rows,
    only its ``constraint`` says.
    """

    text: str
    fields: tuple[Field[Any, Any], ...]
    expressions: tuple[Any, ...] = ()
    nulls_distinct: bool = True
    is_primary_key: bool = False
    constraint: UniqueConstraint | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(map(column_of, self.fields))

    @property
    def condition(self) -> Any:
        return self.constraint.condition if self.constraint else None


def declared_rules(model: type[Model]) -> Iterator[DeclaredRule]:
    """The unique rules that the model declares for its own table, the primary key first."""
    meta = model._meta
    yield DeclaredRule(text="the primary key", fields=tuple(pk_fields(model)), is_primary_key=True)
    for field in meta.local_concrete_fields:
        if field.unique and not field.primary_key:
            yield DeclaredRule(text=f"{field.name} (unique=True)", fields=(field,))
    for names in meta.unique_together:
        yield DeclaredRule(
            text=f"unique_together ({', '.join(names)})", fields=tuple(_fields(model, names))
        )
    for constraint in meta.constraints:
        if isinstance(constraint, UniqueConstraint):
            yield rule_from(model, constraint)


def can_have(database: Database, rule: DeclaredRule) -> bool:
    """Whether the database can have the rule at all: where not, Django makes nothing."""
    return rule.constraint is None or enforces(database.connection, rule.constraint)


def rule_from(model: type[Model], constraint: UniqueConstraint) -> DeclaredRule:
    """What the constraint says, as a rule."""
    compared = [*map(F, constraint.fields), *map(_bare, constraint.expressions)]
    # F("created__date") names a field and what is computed of it
    plain = [e.name for e in compared if _is_field(model, e)]
    return DeclaredRule(
        text=f"the constraint {constraint.name}",
        fields=tuple(_fields(model, plain)),
        expressions=tuple(e for e in compared if not _is_field(model, e)),
        nulls_distinct=constraint.nulls_distinct is not False,
        constraint=constraint,
    )


def _fields(model: type[Model], names: Iterable[str]) -> Iterator[Field[Any, Any]]:
    for name in names:
        yield model._meta.pk if name == "pk" else model._meta.get_field(name)  # type: ignore[misc]  # rules are of fields with columns


def _is_field(model: type[Model], expression: Any) -> bool:
    if not isinstance(expression, F):
        return False
    try:
        model._meta.get_field(expression.name)  # type: ignore[attr-defined]  # F.name is missing in the stubs
    except FieldDoesNotExist:
        return False
    return True


def _bare(expression: Any) -> Any:
    """Without what only an index is told: its order, its operator class."""
    while isinstance(expression, OrderBy | OpClass):
        expression = expression.get_source_expressions()[0]
    return expression
