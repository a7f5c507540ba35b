"""Survivor rules: which row of a group stays. A rule is an ordering; its first row survives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
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

from ..arguments import shown
from ..databases import database
from ..databases.tables import last_field, pk_names
from ..errors import InvalidOption
from ..keys import is_text
from ..references.discover import column_references, references_to
from ..references.hidden import hiding_columns, live_first
from ..references.meta import concrete
from ..suggest import nearest

if TYPE_CHECKING:
    from ..references.kinds import Reference

SurvivorRule = str | Sequence[Any]

_NULLS = ("nulls-first", "nulls-last")
_EXTREMES: dict[str, type[Min] | type[Max]] = {"oldest": Min, "newest": Max}


def survivor_ordering(model: type[Model], rule: SurvivorRule, using: str) -> list[Any]:
    """The ordering in which the first row of a group survives; ties go to the lowest key.

    ``rule`` is the name of a rule, field names as in ``order_by()`` separated by commas, or
    ordering expressions. Rows without a value in an ordering field come last, either way up, unless
    ``nulls-first`` follows its name. Where the default manager hides rows, those that it shows
    survive before them, unless ordering expressions are given, or fields by which it hides.

    Raises `InvalidOption` for a name that is neither a rule nor a field.
    """
    lowest = [F(name).asc() for name in pk_names(model)]
    if not isinstance(rule, str):
        return [*_expressions(model, rule), *lowest]
    if rule in RULES:
        return [*live_first(model, using), *RULES[rule](model, using), *lowest]
    fields = by_fields(model, rule)
    live = [] if _says_who_is_live(model, rule) else live_first(model, using)
    return [*live, *fields, *lowest]


def _expressions(model: type[Model], rule: Any) -> list[Any]:
    """The ordering expressions of a rule; names of fields may be among them."""
    if not isinstance(rule, Iterable):
        raise _no_rule(rule)
    parts: list[Any] = []
    for part in rule:
        if isinstance(part, str):
            parts += by_fields(model, part)
        elif isinstance(part, type) or not hasattr(part, "resolve_expression"):
            raise _no_rule(part)
        else:
            parts.append(part)
    return parts


def _no_rule(given: Any) -> InvalidOption:
    return InvalidOption(
        "the survivor rule is the name of a rule, fields as in order_by() or a list of ordering"
        f" expressions, not {shown(given)}"
    )


def prefers_live(model: type[Model], rule: SurvivorRule) -> bool:
    """Whether, under a rule, rows that the default manager hides survive none that it shows."""
    if not isinstance(rule, str) or not hiding_columns(model):
        return False
    return rule in RULES or not _says_who_is_live(model, rule)


def _says_who_is_live(model: type[Model], rule: str) -> bool:
    """Whether an ordering is by a field by which the default manager hides rows."""
    hiding = {column for _, column in hiding_columns(model)}
    fields = {field.name: field.column for field in model._meta.concrete_fields}
    return any(fields.get(name.lstrip("-")) in hiding for name, _ in _parts(rule))


def extreme_key(model: type[Model], rule: SurvivorRule) -> type[Min] | type[Max] | None:
    """The aggregate of a group's keys that is its survivor's, if the rule looks at nothing else."""
    if not isinstance(rule, str) or hiding_columns(model):
        return None
    return _EXTREMES.get(rule)


def by_fields(model: type[Model], rule: str) -> list[OrderBy]:
    """The ordering that field names say. Raises `InvalidOption` for one that does not exist."""
    return [_by_field(model, name, nulls, rule) for name, nulls in _parts(rule)]


def _parts(rule: str) -> list[tuple[str, str]]:
    """The names that an ordering lists, each with what is said of rows without a value."""
    words = [[*part.split(), ""] for part in rule.split(",")]
    return [(name, " ".join(said[:-1])) for name, *said in words]


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
            if reference.is_countable:
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
            keys = [dialect.as_python_text(keys[0], last_field(self.reference.target._meta.pk))]
        return self.reference.count_sql(dialect, keys), ()


RULES: dict[str, Callable[[type[Model], str], list[OrderBy]]] = {
    "oldest": _oldest,
    "newest": _newest,
    "most-complete": _most_complete,
    "most-referenced": _most_referenced,
}


def _by_field(model: type[Model], name: str, nulls: str, rule: str) -> OrderBy:
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
    if nulls not in ("", *_NULLS):
        raise InvalidOption(
            f"{rule!r}: {nulls!r} after {bare} is not one of {', '.join(_NULLS)}"
            f"{nearest(nulls, _NULLS)}"
        )
    first = nulls == _NULLS[0]
    return OrderBy(
        F(bare),
        descending=name.startswith("-"),
        nulls_first=first or None,
        nulls_last=None if first else True,
    )
