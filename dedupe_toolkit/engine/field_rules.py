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
from ..graph.meta import column_of
from ..keys import is_text
from ..suggest import nearest
from ..values import rule_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Mapping as Dict

    from ..databases import Database
    from .mapping import Mapping


@dataclass(frozen=True, kw_only=True)
class Pick:
    """Takes the value of the first row, in an order given as SQL, that has one."""

    order: Callable[[str, Mapping, Database], str]


@dataclass(frozen=True, kw_only=True)
class Compute:
    """Computes the value from those of all rows, or only from those that differ.

    ``query`` turns rows (SQL, aliased ``y``, with ``value`` and ``place``) and their grouping
    columns into a query for the computed value of each group.
    """

    query: Callable[[str, str, Database, Field[Any, Any]], str]
    is_distinct: bool = False


@dataclass(frozen=True, kw_only=True)
class Call:
    """Takes what a Python function makes of the values of all rows, the survivor's first."""

    function: Callable[[list[Any]], Any]


def _by_key(direction: str) -> Pick:
    return Pick(
        order=lambda value, mapping, database: ", ".join(
            f"{member} {direction}" for member in database.qualified("m", mapping.members)
        )
    )


def _sum(rows: str, keys: str, database: Database, field: Field[Any, Any]) -> str:
    return f"SELECT {keys}, SUM(y.value) AS value FROM {rows} GROUP BY {keys}"


def _concat(rows: str, keys: str, database: Database, field: Field[Any, Any]) -> str:
    separator = "\n" if isinstance(field, TextField) else "; "
    return database.join_texts(rows, keys, separator)


FILL = Pick(order=lambda value, mapping, database: "m.place")
RULES: dict[str, Pick | Compute | None] = {
    "survivor": None,
    "fill": FILL,
    "newest": _by_key("DESC"),
    "oldest": _by_key("ASC"),
    "min": Pick(order=lambda value, mapping, database: f"{value} ASC, m.place"),
    "max": Pick(order=lambda value, mapping, database: f"{value} DESC, m.place"),
    "longest": Pick(order=lambda value, mapping, database: f"LENGTH({value}) DESC, m.place"),
    "any": Pick(order=lambda value, mapping, database: f"{value} DESC, m.place"),
    "all": Pick(order=lambda value, mapping, database: f"{value} ASC, m.place"),
    "sum": Compute(query=_sum),
    "concat": Compute(query=_concat, is_distinct=True),
}
_FITS: dict[str, Callable[[Field[Any, Any]], bool]] = {
    "any": lambda field: isinstance(field, BooleanField),
    "all": lambda field: isinstance(field, BooleanField),
    "longest": is_text,
    "concat": is_text,
    "sum": lambda field: field.get_internal_type().endswith(
        ("IntegerField", "DecimalField", "FloatField", "DurationField")
    ),
}


def _fits_all(field: Field[Any, Any]) -> bool:
    return True


def _fits_function(field: Field[Any, Any]) -> bool:
    """Keys of other rows are none of its business: a merge repoints them meanwhile."""
    return not field.is_relation


@dataclass(frozen=True, kw_only=True)
class NamedRule:
    """A field, and the rule that was named for it; None leaves the survivor its own value."""

    field: Field[Any, Any]
    rule: Pick | Compute | Call | None


def refuse_functions(model: type[Model], rules: Dict[str, Any]) -> None:
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


def resolve_rules(model: type[Model], rules: Dict[str, Any]) -> dict[tuple[str, str], NamedRule]:
    """The rules by table and column, checked.

    Raises `InvalidOption` for an unknown field or rule, and for a rule that does not fit its field.
    """
    return dict(_resolve(model, name, rule) for name, rule in rules.items())


def _resolve(
    model: type[Model], name: str, given: str | Callable[[list[Any]], Any]
) -> tuple[tuple[str, str], NamedRule]:
    label, rule = model._meta.label, rule_name(given)
    known = {field.name: field for field in model._meta.concrete_fields}
    try:
        field = known[model._meta.get_field(name).name]
    except (FieldDoesNotExist, KeyError):
        raise InvalidOption(
            f"field rule {name}={rule}: {label} has no field {name!r} with a column"
            f"{nearest(name, known)}"
        ) from None
    if not callable(given) and rule not in RULES:
        raise InvalidOption(
            f"field rule {name}={rule}: {rule!r} is no field rule ({', '.join(RULES)})"
            f"{nearest(rule, RULES)}"
        )
    fits = _fits_function if callable(given) else _FITS.get(rule, _fits_all)
    if field.primary_key or not fits(field):
        raise InvalidOption(
            f"field rule {name}={rule}: {rule!r} does not fit {label}.{field.name},"
            f" a {type(field).__name__}{' and the primary key' if field.primary_key else ''}"
        )
    resolved = Call(function=given) if callable(given) else RULES[rule]
    return (field.model._meta.db_table, column_of(field)), NamedRule(field=field, rule=resolved)
