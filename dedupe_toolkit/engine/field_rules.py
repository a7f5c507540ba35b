"""Field rules: which value a field of the survivor gets. Declarations and checks; no SQL is run.

A rule picks one row of the group, the first in some order whose value is not blank, and takes
its value; or it computes a value from all of them.
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


def resolve_rules(
    model: type[Model], rules: Dict[str, str]
) -> dict[tuple[str, str], tuple[str, Field[Any, Any]]]:
    """The rules by table and column, checked.

    Raises `InvalidOption` for an unknown field or rule, and for a rule that does not fit its field.
    """
    return dict(_resolve(model, name, rule) for name, rule in rules.items())


def _resolve(
    model: type[Model], name: str, rule: str
) -> tuple[tuple[str, str], tuple[str, Field[Any, Any]]]:
    label = model._meta.label
    known = {field.name: field for field in model._meta.concrete_fields}
    try:
        field = known[model._meta.get_field(name).name]
    except (FieldDoesNotExist, KeyError):
        raise InvalidOption(
            f"field rule {name}={rule}: {label} has no field {name!r} with a column"
            f"{nearest(name, known)}"
        ) from None
    if rule not in RULES:
        raise InvalidOption(
            f"field rule {name}={rule}: {rule!r} is no field rule ({', '.join(RULES)})"
            f"{nearest(rule, RULES)}"
        )
    if field.primary_key or not _FITS.get(rule, _fits_all)(field):
        raise InvalidOption(
            f"field rule {name}={rule}: {rule!r} does not fit {label}.{field.name},"
            f" a {type(field).__name__}{' and the primary key' if field.primary_key else ''}"
        )
    return (field.model._meta.db_table, column_of(field)), (rule, field)
