"""Field rules: which value a field of the survivor gets. Declarations and checks; no SQL is run.

A rule picks one row of the group, the first in some order whose value is not blank, and takes
its value; or it computes a value from all of them, in the database or by a Python function.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import BooleanField, Field, Model, TextField

from ..errors import InvalidOption
from ..keys import is_text
from ..references.meta import column_of
from ..references.telling import is_moment
from ..suggest import nearest
from ..values import Taken, rule_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ..databases import Database
    from ..mapping.mapping import MergeMap
    from ..values import FieldRule

    Fits = Callable[[Field[Any, Any]], bool]


@dataclass(frozen=True, kw_only=True)
class Pick:
    """Takes the value of the first row, in an order given as SQL, that has one.

    ``fits`` says for which fields it can be named.
    """

    order: Callable[[str, MergeMap, Database], str]
    fits: Fits
    sorts: bool = False
    """Whether the order is that of the values, which not every type of a column has."""
    nothing: None = None


@dataclass(frozen=True, kw_only=True)
class Compute:
    """Computes the value from those of all rows, or only from those that differ.

    ``query`` turns rows (SQL, aliased ``y``, with ``value`` and ``place``) and their grouping
    columns into a query for the computed value of each group. ``nothing`` turns SQL for a value
    into SQL that is true if having it twice is like having it once; None if that is always so.
    ``fits`` says for which fields it can be named.
    """

    query: Callable[[str, str, Database, Field[Any, Any]], str]
    fits: Fits
    is_distinct: bool = False
    nothing: Callable[[str], str] | None = None


@dataclass(frozen=True, kw_only=True)
class Follow:
    """Takes what the row has from which ``leaders`` get their value: they belong together.

    ``rule`` is the leaders' own: it picks the row among those that have a value in any of them.
    """

    leaders: tuple[str, ...]
    rule: Pick
    nothing: None = None


@dataclass(frozen=True, kw_only=True)
class Call:
    """Takes what a Python function makes of the values of all rows, the survivor's first."""

    function: Callable[[list[Any]], Any]

    @staticmethod
    def fits(field: Field[Any, Any]) -> bool:
        """Keys of other rows are none of its business: a merge repoints them meanwhile."""
        return not field.is_relation

    @staticmethod
    def nothing(value: str) -> str:
        """Nobody can say what the function makes of two equal values."""
        return "1 = 0"


def any_field(field: Field[Any, Any]) -> bool:
    return True


def _is_boolean(field: Field[Any, Any]) -> bool:
    return isinstance(field, BooleanField)


def is_number(field: Field[Any, Any]) -> bool:
    return field.get_internal_type().endswith(_NUMBERS)


_NUMBERS = ("IntegerField", "DecimalField", "FloatField", "DurationField")


def _picked_by(direction: str, fits: Fits) -> Pick:
    return Pick(
        order=lambda value, mapping, database: f"{value} {direction}, m.place",
        fits=fits,
        sorts=True,
    )


def _picked_by_key(direction: str) -> Pick:
    return Pick(
        order=lambda value, mapping, database: ", ".join(
            f"{member} {direction}" for member in database.qualified("m", mapping.members)
        ),
        fits=any_field,
    )


def _from_row(taken: Taken) -> Pick:
    is_it = f"CASE WHEN m.place = {taken.place:d} THEN 0 ELSE 1 END, m.place"
    return Pick(order=lambda value, mapping, database: is_it, fits=any_field)


def _sum(rows: str, keys: str, database: Database, field: Field[Any, Any]) -> str:
    column = database.table(field.model).column(column_of(field))
    total = database.total("y.value", column, getattr(field, "decimal_places", None))
    return f"SELECT {keys}, {total} AS value FROM {rows} GROUP BY {keys}"


def _is_zero(value: str) -> str:
    return f"({value} IS NULL OR {value} = {value} - {value})"  # intervals compare with no number


def _concat(rows: str, keys: str, database: Database, field: Field[Any, Any]) -> str:
    return database.join_texts(rows, keys, separator(field))


def separator(field: Field[Any, Any]) -> str:
    """What stands between texts that are joined."""
    return "\n" if isinstance(field, TextField) else "; "


FILL = Pick(order=lambda value, mapping, database: "m.place", fits=any_field)
CONCAT = Compute(query=_concat, fits=is_text, is_distinct=True)
LONGEST = Pick(
    order=lambda value, mapping, database: f"{database.characters(value)} DESC, m.place",
    fits=is_text,
)
RULES: dict[str, Pick | Compute | None] = {
    "survivor": None,
    "fill": FILL,
    "newest": _picked_by_key("DESC"),
    "oldest": _picked_by_key("ASC"),
    "min": _picked_by("ASC", any_field),
    "max": _picked_by("DESC", any_field),
    "longest": LONGEST,
    "any": _picked_by("DESC", _is_boolean),
    "all": _picked_by("ASC", _is_boolean),
    "sum": Compute(query=_sum, fits=is_number, nothing=_is_zero),
    "concat": CONCAT,
}
"""The field rules by name: what is added here can be named everywhere. None changes nothing."""


def fitting_rules(field: Field[Any, Any]) -> list[str]:
    """The names of the field rules that can be named for a field."""
    return [name for name, rule in RULES.items() if rule is None or rule.fits(field)]


@dataclass(frozen=True, kw_only=True)
class NamedRule:
    """A field, and the rule that was named for it; None leaves the survivor its own value.

    A function is known by its own name, and what follows other fields by that of their rule.
    """

    field: Field[Any, Any]
    rule: Pick | Compute | Call | Follow | None
    name: str


def settling_rule(field: Field[Any, Any]) -> str:
    """The rule that comes first to mind where rows differ in a field."""
    if is_moment(field):
        return "survivor"
    if field.choices or field.is_relation:
        return "newest"
    if _is_boolean(field):
        return "any"
    return "sum" if is_number(field) else "newest"


def refuse_functions(model: type[Model], rules: Mapping[str, Any]) -> None:
    """Raises `InvalidOption` for a rule that is a Python function.

    Functions are for groups that a person looks at: for all groups of a key each would be called
    by itself, and its mistakes seen by nobody.
    """
    for name, rule in rules.items():
        if callable(rule):
            raise InvalidOption(
                f"{model._meta.label}.{name}: the field rule {rule_name(rule)} is a Python"
                " function, which only merges of rows named one by one can use (--pks, row_set(),"
                f" the admin); name another rule to merge by a key: --field-rule {name}=fill"
            )


def refuse_unsorted(database: Database, rules: Iterable[NamedRule]) -> None:
    """Raises `InvalidOption` for a rule that would sort values which the database cannot sort."""
    for named in rules:
        rule = named.rule.rule if isinstance(named.rule, Follow) else named.rule
        if isinstance(rule, Pick) and rule.sorts:
            columns = {column.name: column for column in database.table(named.field.model).columns}
            column = columns.get(column_of(named.field))
            for kind in database.unsorted([column.undemanding] if column else []):
                label = f"{named.field.model._meta.label}.{named.field.name}"
                raise InvalidOption(
                    f"field rule {named.field.name}={named.name}: the database {database.using!r}"
                    f" cannot put values of {label} in order, as the type of its column is {kind};"
                    " name another rule (newest, oldest, fill)"
                )


def resolve_rules(model: type[Model], rules: Mapping[str, Any]) -> dict[tuple[str, str], NamedRule]:
    """The rules by table and column, checked.

    Raises `InvalidOption` for an unknown field or rule, and for a rule that does not fit its field.
    """
    return dict(_resolve(model, name, rule) for name, rule in rules.items())


def _resolve(model: type[Model], name: str, given: FieldRule) -> tuple[tuple[str, str], NamedRule]:
    label, rule = model._meta.label, rule_name(given)
    known = {field.name: field for field in model._meta.concrete_fields}
    try:
        field = known[model._meta.get_field(name).name]
    except (FieldDoesNotExist, KeyError):
        raise InvalidOption(
            f"field rule {name}={rule}: {label} has no field {name!r} with a column"
            f"{nearest(name, known)}"
        ) from None
    if getattr(field, "generated", False):
        raise InvalidOption(
            f"field rule {name}={rule}: {label}.{field.name} is computed by the database from other"
            " fields; name a rule for those"
        )
    if isinstance(given, str) and rule not in RULES:
        raise InvalidOption(
            f"field rule {name}={rule}: {rule!r} is no field rule ({', '.join(RULES)})"
            f"{nearest(rule, RULES)}"
        )
    resolved = _meant(given)
    if field.primary_key or not (resolved is None or resolved.fits(field)):
        raise InvalidOption(
            f"field rule {name}={rule}: {rule!r} does not fit {label}.{field.name},"
            f" a {type(field).__name__}{' and the primary key' if field.primary_key else ''}"
        )
    place = field.model._meta.db_table, column_of(field)
    return place, NamedRule(field=field, rule=resolved, name=rule)


def _meant(given: FieldRule) -> Pick | Compute | Call | None:
    if isinstance(given, Taken):
        return _from_row(given)
    return Call(function=given) if callable(given) else RULES[given]
