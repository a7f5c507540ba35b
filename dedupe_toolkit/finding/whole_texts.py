"""Has texts compared as a unique index compares them: to the end. Only reads."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db.models import CharField, Func, IntegerField, JSONField, Max
from django.db.models.functions import Coalesce

from ..databases import Database, database, dialect_of
from ..errors import InvalidMatchKey
from ..keys import ends_in_text, key_field
from ..values import MatchKey, RowSet
from .key_rows import candidates, key_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

# no character of any text weighs more bytes than this
_HEAVIEST = 32


@contextmanager
def whole_texts(source: MatchKey | RowSet, using: str) -> Iterator[None]:
    """Inside, rows are grouped, numbered and told apart by whole values.

    Raises `InvalidMatchKey` for a key with values longer than the database can sort by.
    """
    if dialect_of(using) is Database:
        yield
        return
    known = database(using)
    longest = _longest(known, source) if known.sorted_bytes else 0
    texts = len(source.fields) if isinstance(source, MatchKey) else 1
    with known.sorting_whole(longest, texts + 1):
        yield


def _longest(known: Database, source: MatchKey | RowSet) -> int:
    """The weight of the longest value of the key in bytes; 0 where any is sorted by whole."""
    if isinstance(source, RowSet):
        return 0
    columns = zip(key_columns(source), source.fields, strict=True)
    asked = {name: column for column, name in columns if _may_be_longer(known, source, name)}
    if not asked:
        return 0
    # the weight is NULL where it is longer than max_allowed_packet
    weights = {
        f"of_{column}": Max(Coalesce(_Weight(column), _Bytes(column) * _HEAVIEST))
        for column in asked.values()
    }
    told = candidates(source, known.using).aggregate(**weights)
    found = {name: told[f"of_{column}"] or 0 for name, column in asked.items()}
    for name, weight in found.items():
        if weight > known.longest_sorted:
            raise InvalidMatchKey(
                f"{source.label}: {name} has a value of {weight:,} bytes, and"
                f" {known.connection.display_name} compares {known.longest_sorted:,} when it"
                " sorts; keep a hash of it in a column, and let the key name that"
            )
    return max(found.values())


def _may_be_longer(known: Database, key: MatchKey, lookup: str) -> bool:
    """Whether the key field may have values that are not sorted by whole in any case."""
    field = key_field(key.model, lookup)
    if isinstance(field, CharField) and field.max_length:
        return field.max_length * _HEAVIEST > known.sorted_bytes
    return isinstance(field, JSONField) or ends_in_text(key.model, lookup)


class _Weight(Func):
    template = "LENGTH(WEIGHT_STRING(%(expressions)s))"
    output_field = IntegerField()


class _Bytes(Func):
    function = "OCTET_LENGTH"
    output_field = IntegerField()
