"""The keys of a group's rows as one value of a GROUP BY."""

from __future__ import annotations

from typing import Any

from django.db.models import Aggregate, Func, TextField

_DIGITS = 20
LONGEST_LIST = f"LEAST(@@group_concat_max_len, @@max_allowed_packet) / {_DIGITS + 2}"
"""SQL for the number of keys that MariaDB can collect in one list."""


class CollectedKeys(Aggregate):
    """The keys of a group's rows, in no order, for `Database.unpacked` or `ListedKeys`.

    None if they are too many for a list.
    """

    function = "JSON_ARRAYAGG"
    name = "CollectedKeys"
    output_field = TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, function="JSON_GROUP_ARRAY", **extra)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        # JSON takes a kilobyte for each group, however few keys it has
        return self.as_sql(compiler, connection, function="ARRAY_AGG", **extra)

    def as_mysql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        # what is longer than the server's limit is cut without an error, in mid-number
        template = f"IF(COUNT(*) <= {LONGEST_LIST}, %(function)s(%(expressions)s), NULL)"
        return self.as_sql(compiler, connection, template=template, **extra)


class ListedKeys(Func):
    """Keys that are whole numbers, collected, as the text of a JSON list."""

    template = "%(expressions)s"
    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        # as text: a driver may read JSON on its own, or leave that to the field
        template = "ARRAY_TO_JSON(%(expressions)s)::text"
        return self.as_sql(compiler, connection, template=template, **extra)
