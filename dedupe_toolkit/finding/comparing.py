"""Keys and orderings over values that the database cannot compare: told in one line. Only reads."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import DatabaseError, IntegrityError

from ..databases import Database, database, dialect_of
from ..errors import InvalidMatchKey
from ..values import MatchKey

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..values import RowSet


@contextmanager
def comparing(source: MatchKey | RowSet, using: str) -> Iterator[None]:
    """Inside, rows are grouped by a key and put in the order of a survivor rule.

    Raises `InvalidMatchKey` where the database has no way to compare what these name, or takes for
    one what differs.
    """
    try:
        yield
    except IntegrityError as error:  # of work tables: nothing else is written in here
        raise InvalidMatchKey(
            f"{_label(source)}: the database {using!r} does not tell two rows, or two groups, apart"
            f" ({' '.join(str(error).split())}); give the rows of a table that inherits keys of"
            " their own, and where moments of an hour that comes twice are keys, let the session's"
            " time zone be UTC"
        ) from error
    except DatabaseError as error:
        if dialect_of(using) is Database or not database(using).is_incomparable(error):
            raise
        words = str(error).splitlines()[0]
        raise InvalidMatchKey(
            f"{_label(source)}: the database {using!r} cannot compare what the key, or the survivor"
            f" rule, names ({words}); name other fields, or give the column a type that has"
            " an order"
        ) from error


def _label(source: MatchKey | RowSet) -> str:
    return source.label if isinstance(source, MatchKey) else source.model._meta.label
