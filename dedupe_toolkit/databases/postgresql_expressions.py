"""SQL for values on PostgreSQL: each type has a text that reads back exact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .expressions import Expressions
from .fitting import fitting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .tables import Column


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
        values = ", ".join(f"({sql})::text" for _, sql in columns)
        return f"array_to_json(ARRAY[{values}]::text[])::text"

    def from_image(self, image: str, position: int, column: Column) -> str:
        return f"({image}::json ->> {position})::{column.definition.split(' COLLATE ')[0]}"

    def key_text(self, columns: Sequence[Column], values: Sequence[str]) -> str:
        if len(columns) == 1:
            return f"({values[0]})::text"
        return self.image(list(zip(columns, values, strict=True)))

    def from_key_text(self, text: str, position: int, columns: Sequence[Column]) -> str:
        if len(columns) == 1:
            return f"({text})::{columns[0].definition.split(' COLLATE ')[0]}"
        return self.from_image(text, position, columns[position])

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


def _path(path: Sequence[str]) -> str:
    return "ARRAY[" + ", ".join("'" + name.replace("'", "''") + "'" for name in path) + "]"
