"""SQL for values on PostgreSQL: each type has a text that reads back exact."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .expressions import Expressions
from .fitting import fitting
from .places import place_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .tables import Column, Table

_ROUNDING = re.compile("numeric|time|interval|tstz")
_MOMENT = re.compile(r"timestamp(\(\d\))? with time zone")
_OF_MOMENTS = re.compile("timestamp.* with time zone|tstz")
_ARRAY, _INTEGER, _UUID = r"'^\[.*\]$'", "'^-?[0-9]+$'", "'^[0-9a-f-]{36}$'"
_MOST = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}
_DIGITS = re.compile(r"\(\d+(,-?\d+)?\)")


class PostgreSQLExpressions(Expressions):
    def fits(self, column: Column, field: Any) -> str:
        return fitting(self.q(column.name), column.undemanding)

    def as_stored(self, column: Column, sql: str) -> str:
        is_decimal = column.undemanding.startswith("numeric(")
        return f"CAST({sql} AS {column.undemanding})" if is_decimal else sql

    def image(self, columns: Sequence[tuple[Column, str]]) -> str:
        if all(column.is_integer for column, _ in columns):
            # digits need no escaping
            digits = (f"COALESCE('\"' || ({sql}) || '\"', 'null')" for _, sql in columns)
            return "('[' || " + " || ',' || ".join(digits) + " || ']')"
        values = ", ".join(_text(column, sql) for column, sql in columns)
        return f"array_to_json(ARRAY[{values}]::text[])::text"

    def unkept(self, table: Table, alias: str) -> Mapping[str, str]:
        place = place_of(table.model, self.using)
        if place is None or not place.has_heirs:
            return {}
        why = "it stands in a table that inherits from its own, and would come back without that"
        return {why: f"{alias}.tableoid <> {place.identity}"}

    def sharing_keys(self, table: Table, alias: str) -> Mapping[str, str]:
        if not self.unkept(table, alias):
            return {}
        # a key is unique in its own table, and not among what inherits from it
        why = "another has the same key, in a table that inherits from its own"
        same = self.join_on("o", table.key, alias, table.key)
        is_other = f"(o.tableoid, o.ctid) <> ({alias}.tableoid, {alias}.ctid)"
        return {why: f"EXISTS (SELECT 1 FROM {self.q(table.name)} o WHERE {same} AND {is_other})"}

    def from_image(self, image: str, position: int, column: Column) -> str:
        return f"({image}::json ->> {position})::{column.definition.split(' COLLATE ')[0]}"

    def is_kept(self, image: str, position: int, column: Column, value: str) -> str:
        text = f"({image}::json ->> {position})"
        # more decimal places show more zeros, and another time zone shows other hours
        is_rounding = _ROUNDING.match(column.undemanding)
        kind = _DIGITS.sub("", column.undemanding) if is_rounding else ""
        return _is_text_of(text, column, value, kind)

    def is_image(self, image: str, columns: Sequence[tuple[Column, str]]) -> str:
        if not any(_OF_MOMENTS.match(column.undemanding) for column, _ in columns):
            return super().is_image(image, columns)
        same = []
        for place, (column, sql) in enumerate(columns):
            # ranges and lists of moments show the hours of the session's time zone
            kind = column.undemanding if _OF_MOMENTS.match(column.undemanding) else ""
            same.append(_is_text_of(f"({image}::json ->> {place})", column, sql, kind))
        return " AND ".join(same)

    def key_text(self, columns: Sequence[Column], values: Sequence[str]) -> str:
        if len(columns) == 1:
            return _text(columns[0], values[0])
        return self.image(list(zip(columns, values, strict=True)))

    def as_held(self, sql: str, column: Column) -> str:
        return f"({sql})::{column.definition.split(' COLLATE ')[0]}"

    def from_key_text(self, text: str, position: int, columns: Sequence[Column]) -> str:
        if len(columns) == 1:
            return self.as_held(text, columns[0])
        return self.from_image(text, position, columns[position])

    def is_key_text(self, text: str, columns: Sequence[Column]) -> str:
        column, *more = columns
        if more:
            return f"{text} ~ {_ARRAY}"
        if column.is_integer:
            most = _MOST.get(column.undemanding, _MOST["bigint"])
            fits = f"{text}::numeric BETWEEN -{most} AND {most}"
            return f"CASE WHEN {text} ~ {_INTEGER} THEN {fits} END"
        return f"{text} ~ {_UUID}" if column.undemanding == "uuid" else ""

    def as_python_text(self, sql: str, field: Any) -> str:
        return f"({sql})::text"

    def alike_if_equal(self, column: Column) -> bool:
        # a collation that is named may call equal what differs, and the type citext does
        is_plain = column.definition.startswith(("character", "text"))
        return not column.is_text or (is_plain and " COLLATE " not in column.definition)

    def same(self, left: str, right: str, column: Column) -> str:
        return f'({left})::text COLLATE "C" IS NOT DISTINCT FROM ({right})::text COLLATE "C"'

    def exact(self, sql: str, column: Column) -> str:
        return f'({sql})::text COLLATE "C"'

    def join_texts(self, rows: str, keys: str, separator: str) -> str:
        joined = f"string_agg(y.value, '{separator}' ORDER BY y.place)"
        return f"SELECT {keys}, {joined} AS value FROM {rows} GROUP BY {keys}"

    def json_text(self, sql: str, path: Sequence[str]) -> str:
        return f"({sql} #>> {_path(path)})"

    def json_replaced(self, sql: str, path: Sequence[str], text: str) -> str:
        return (
            f"jsonb_set({sql}, {_path(path)}, CASE jsonb_typeof({sql} #> {_path(path)})"
            f" WHEN 'number' THEN to_jsonb({text}::numeric) ELSE to_jsonb({text}::text) END)"
        )

    def array_replaced(self, sql: str, source: str) -> str:
        return (
            "ARRAY(SELECT d.v FROM (SELECT COALESCE(a.survivor_0, u.e) AS v, MIN(u.o) AS o"
            f" FROM unnest({sql}) WITH ORDINALITY u(e, o)"
            f" LEFT JOIN {self.q(source)} a ON a.member_0 = u.e GROUP BY 1) d ORDER BY d.o)"
        )


def _text(column: Column, sql: str) -> str:
    """The text of a value, the same whatever a session's time zone is and how it shows bytes."""
    if column.undemanding == "bytea":
        return f"(E'\\\\x' || encode({sql}, 'hex'))"
    if not _MOMENT.fullmatch(column.undemanding):
        return f"({sql})::text"
    utc = f"concat(({sql}) AT TIME ZONE 'UTC', '+00')"
    return f"CASE WHEN isfinite({sql}) THEN {utc} ELSE ({sql})::text END"


def _is_text_of(text: str, column: Column, sql: str, kind: str) -> str:
    """SQL that says whether a text is that of a value, also where one of both is NULL.

    Where there is a ``kind``, the text of any value of that type is that is equal to this one.
    """
    is_same = f"{text} IS NOT DISTINCT FROM {_text(column, sql)}"
    return f"({is_same} OR {text}::{kind} IS NOT DISTINCT FROM {sql})" if kind else is_same


def _path(path: Sequence[str]) -> str:
    return "ARRAY[" + ", ".join("'" + name.replace("'", "''") + "'" for name in path) + "]"
