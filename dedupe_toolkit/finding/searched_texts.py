"""Keys that look inside texts, where a collation lets them be compared only as a whole.

PostgreSQL calls such collations nondeterministic. Only reads.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from django.db.models.expressions import Col
from django.db.models.functions import Replace, StrIndex
from django.db.models.lookups import PatternLookup, Regex

from ..databases import Database, database, dialect_of
from ..errors import InvalidMatchKey
from ..transforms import Collapse
from .key_rows import candidates, key_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..values import MatchKey

_SEARCHES = (Collapse, Replace, StrIndex, PatternLookup, Regex)
_ADVICE = {
    Collapse: "trim needs no search: leave --ignore-space out, and name {field}__trim",
    None: "compare whole texts (exact, in), or another field",
}


def require_searchable(key: MatchKey, using: str) -> None:
    """Raises `InvalidMatchKey` for a key that searches a text which cannot be searched.

    Asks the database only of a key that searches.
    """
    searched = {(_table(col), col.target.column): (col, by) for col, by in _searched(key, using)}
    if not searched or dialect_of(using) is Database:
        return
    for column, collation in database(using).unsearchable(list(searched)).items():
        col, by = searched[column]
        field = col.target.name
        advice = _ADVICE.get(type(by), _ADVICE[None]).format(field=field)
        raise InvalidMatchKey(
            f"{key.label}: {by.lookup_name} looks inside {col.target.model._meta.label}.{field},"
            f" and the database {using!r} compares texts in its collation {collation} only as a"
            f" whole; {advice}"
        )


def _searched(key: MatchKey, using: str) -> Iterator[tuple[Any, Any]]:
    """Every column whose texts the key searches, with what searches them."""
    query = candidates(key, using).query
    values = [query.annotations[name] for name in key_columns(key)]
    for whole in chain(values, query.where.leaves()):
        for by in whole.flatten():
            if isinstance(by, _SEARCHES):
                yield from ((col, by) for col in by.flatten() if isinstance(col, Col))


def _table(col: Any) -> str:
    table: str = col.target.model._meta.db_table
    return table
