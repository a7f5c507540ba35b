"""The keys of a group's rows as one value of a GROUP BY."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Aggregate, CharField, Func, IntegerField, JSONField, Value
from django.db.models.functions import Cast, Concat, LPad

if TYPE_CHECKING:
    from django.db.models import F

_DIGITS = 20
LONGEST_LIST = f"LEAST(@@group_concat_max_len, @@max_allowed_packet) / {_DIGITS + 2}"
"""SQL for the number of keys that MariaDB can collect in one list."""


class CollectedKeys(Aggregate):
    """The whole numbers of a group's rows, in no order; None if they are too many for a list."""

    function = "JSON_ARRAYAGG"
    name = "CollectedKeys"
    output_field = JSONField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, function="JSON_GROUP_ARRAY", **extra)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        # as text: a driver may read JSON on its own, or leave that to the field
        template = "%(function)s(%(expressions)s)::text"
        return self.as_sql(compiler, connection, function="JSON_AGG", template=template, **extra)

    def as_mysql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        # what is longer than the server's limit is cut without an error, in mid-number
        template = f"IF(COUNT(*) <= {LONGEST_LIST}, %(function)s(%(expressions)s), NULL)"
        return self.as_sql(compiler, connection, template=template, **extra)


class SumOverGroups(Func):
    """The sum of an aggregate over all groups of a GROUP BY; goes into a window."""

    function = "SUM"
    window_compatible = True
    output_field = IntegerField()


def text_after_key(key: F, text: F) -> Concat:
    """A row's text behind its key, so that the least of a group is that of the lowest key.

    For texts that a collation calls equal though they differ: `without_key` takes it apart.
    """
    return Concat(
        LPad(Cast(key, CharField(max_length=_DIGITS)), _DIGITS, Value("0")),
        text,
        output_field=CharField(),
    )


def without_key(text: str) -> str:
    return text[_DIGITS:]
