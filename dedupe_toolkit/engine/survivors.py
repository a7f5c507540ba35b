"""Survivor rules: which row of a group stays. A rule is an ordering; its first row survives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import (
    Case,
    F,
    Func,
    IntegerField,
    Max,
    Min,
    Model,
    OrderBy,
    Q,
    Value,
    When,
)

from ..databases import database
from ..databases.tables import pk_names
from ..errors import InvalidOption
from ..graph.discover import column_references, references_to
from ..graph.meta import concrete
from ..keys import is_text
from ..suggest import nearest

if TYPE_CHECKING:
    from ..graph.references import Reference

SurvivorRule = str | Sequence[Any]

_EXTREMES: dict[str, type[Min] | type[Max]] = {"oldest": Min, "newest": Max}


def survivor_ordering(model: type[Model], rule: SurvivorRule, using: str) -> list[Any]:
    """The ordering in which the first row of a group survives; ties go to the lowest key.

    ``rule`` is the name of a rule, field names as in ``order_by()`` separated by commas, or
    ordering expressions. Rows without a value in an ordering field come last, either way up.

    Raises `InvalidOption` for a name that is neither a rule nor a field.
    """
    lowest = [F(name).asc() for name in pk_names(model)]
    if not isinstance(rule, str):
        return [*rule, *lowest]
    if rule in RULES:
        return [*RULES[rule](model, using), *lowest]
    return [*by_fields(model, rule), *lowest]


def extreme_key(rule: SurvivorRule) -> type[Min] | type[Max] | None:
    """The aggregate of a group's keys that is its survivor's, if the rule looks at nothing else."""
    return _EXTREMES.get(rule) if isinstance(rule, str) else None


def by_fields(model: type[Model], rule: str) -> list[OrderBy]:
    """The ordering that field names say. Raises `InvalidOption` for one that does not exist."""
    return [_by_field(model, name.strip(), rule) for name in rule.split(",")]


def _oldest(model: type[Model], using: str) -> list[OrderBy]:
    return []


def _newest(model: type[Model], using: str) -> list[OrderBy]:
    return [F(name).desc() for name in pk_names(model)]


def _most_complete(model: type[Model], using: str) -> list[OrderBy]:
    blanks: Any = Value(0)
    for field in model._meta.concrete_fields:
        blank = Q(**{f"{field.name}__isnull": True})
        if is_text(field):
            blank |= Q(**{field.name: ""})
        if field.null or is_text(field):
            blanks += Case(When(blank, then=1), default=0, output_field=IntegerField())
    return [OrderBy(blanks)]


def _most_referenced(model: type[Model], using: str) -> list[OrderBy]:
    count: Any = Value(0)
    for ancestor in (concrete(model), *model._meta.get_parent_list()):
        for reference in column_references(references_to(ancestor, using)):
            count += ReferenceCount(reference)
    return [OrderBy(count, descending=True)]


class ReferenceCount(Func):
    """The number of rows that point at a row by one reference."""

    output_field = IntegerField()

    def __init__(self, reference: Reference) -> None:
        fields = {field.column: field.attname for field in reference.target._meta.concrete_fields}
        super().__init__(*(F(fields[column]) for column in reference.targets))
        self.reference = reference

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> Any:  # type: ignore[override]  # nothing here takes the options of Func
        dialect = database(connection.alias)
        keys = [compiler.compile(expression)[0] for expression in self.source_expressions]
        if self.reference.is_text:
            keys = [dialect.as_python_text(keys[0], self.reference.target._meta.pk)]
        return self.reference.count_sql(dialect, keys), ()


RULES: dict[str, Callable[[type[Model], str], list[OrderBy]]] = {
    "oldest": _oldest,
    "newest": _newest,
    "most-complete": _most_complete,
    "most-referenced": _most_referenced,
}


def _by_field(model: type[Model], name: str, rule: str) -> OrderBy:
    bare = name.removeprefix("-")
    try:
        field = model._meta.get_field(bare)
    except FieldDoesNotExist:
        known = [*RULES, *(field.name for field in model._meta.concrete_fields)]
        raise InvalidOption(
            f"{rule!r} is no survivor rule ({', '.join(RULES)}) and {model._meta.label} has no"
            f" field {bare!r} to order by{nearest(bare, known)}"
        ) from None
    if not field.concrete:
        raise InvalidOption(f"{model._meta.label}.{bare} has no column to order survivors by")
    return OrderBy(F(bare), descending=name.startswith("-"), nulls_last=True)
