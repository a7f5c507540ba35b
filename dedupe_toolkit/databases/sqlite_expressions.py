"""SQL for values on SQLite: images keep the storage class of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import DecimalField, UUIDField

from .expressions import Expressions, json_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .tables import Column

_HALF = 2**32
# SQLite's functions take 127 at most, unless it was built otherwise
_ARGUMENTS = 100
# what quote() makes of bytes
_QUOTED = "'X''*'''"


class SQLiteExpressions(Expressions):
    def as_stored(self, column: Column, sql: str) -> str:
        is_real = column.definition.partition(" ")[0].lower() in ("real", "float", "double")
        return f"CAST({sql} AS REAL)" if is_real else sql

    def image(self, columns: Sequence[tuple[Column, str]]) -> str:
        elements = [_element(sql) for _, sql in columns]
        arrays = [
            f"json_array({', '.join(elements[start : start + _ARGUMENTS])})"
            for start in range(0, len(elements), _ARGUMENTS)
        ]
        if len(arrays) == 1:
            return arrays[0]
        bare = " || ',' || ".join(f"substr({array}, 2, length({array}) - 2)" for array in arrays)
        return f"('[' || {bare} || ']')"

    def from_image(self, image: str, position: int, column: Column) -> str:
        at = f"'$[{position}]'"
        real, blob, text = (f"'$[{position}].{kind}'" for kind in ("real", "blob", "text"))
        return (
            f"CASE WHEN json_type({image}, {at}) <> 'object' THEN json_extract({image}, {at})"
            f" WHEN json_type({image}, {real}) = 'text'"
            f" THEN dedupe_text_float(json_extract({image}, {real}))"
            f" WHEN json_type({image}, {text}) = 'text'"
            f" THEN CAST(dedupe_unhex(json_extract({image}, {text})) AS TEXT)"
            f" ELSE dedupe_unhex(json_extract({image}, {blob})) END"
        )

    def is_kept(self, image: str, position: int, column: Column, value: str) -> str:
        # by itself: beside a column a text would be made a number, as the column makes it one
        before, now = self.from_image(image, position, column), f"+{value}"
        return f"({before} IS {now} OR CAST({before} AS TEXT) IS CAST({now} AS TEXT))"

    def key_text(self, columns: Sequence[Column], values: Sequence[str]) -> str:
        (column, *more), (value, *_) = columns, values
        if more:
            return self.image(list(zip(columns, values, strict=True)))
        text = f"CAST({value} AS TEXT)"
        if _affinity(column) in ("INTEGER", "TEXT"):
            return text
        return (
            f"CASE typeof({value}) WHEN 'real' THEN dedupe_real_text({value})"
            f" WHEN 'blob' THEN quote({value}) ELSE {text} END"
        )

    def as_held(self, sql: str, column: Column) -> str:
        kind = _affinity(column)
        if kind in ("TEXT", "BLOB"):
            return sql
        cast = f"CAST({sql} AS {kind})"
        if kind == "INTEGER":
            return cast
        number = f"CASE typeof({cast}) WHEN 'real' THEN dedupe_text_real({sql}) ELSE {cast} END"
        # beside a number a text that reads as one is one: that of a date is none
        return f"CASE WHEN {cast} = {sql} THEN {number} ELSE {sql} END"

    def unless_rounded(self, sql: str, column: Column) -> str:
        return self.as_held(sql, column)  # Django rounds by itself here, and columns do not

    def from_key_text(self, text: str, position: int, columns: Sequence[Column]) -> str:
        column, *more = columns
        if more:
            return self.from_image(text, position, columns[position])
        if _affinity(column) != "BLOB":
            return self.as_held(text, column)
        digits = f"substr({text}, 3, length({text}) - 3)"
        return f"CASE WHEN {text} GLOB {_QUOTED} THEN dedupe_unhex({digits}) ELSE {text} END"

    def is_key_text(self, text: str, columns: Sequence[Column]) -> str:
        if len(columns) == 1:
            return ""
        has_all = f"json_type({text}) = 'array' AND json_array_length({text}) = {len(columns)}"
        return f"CASE WHEN json_valid({text}) THEN {has_all} END"

    def is_unnamed(self, columns: Sequence[Column], values: Sequence[str]) -> str:
        (column, *more), (value, *_) = columns, values
        if more or column.definition.lower() == "integer":
            return ""
        if _affinity(column) == "BLOB":
            is_plain = f"typeof({value}) = 'text' AND {value} NOT GLOB {_QUOTED}"
            return f"NOT (typeof({value}) = 'blob' OR {is_plain})"
        # by itself: a column would make what is beside it a number
        return f"{self.from_key_text(self.key_text(columns, values), 0, columns)} IS NOT +{value}"

    def as_python_text(self, sql: str, field: Any) -> str:
        if not isinstance(field, UUIDField):
            return f"CAST({sql} AS TEXT)"
        # stored as 32 digits, but str(uuid) has hyphens
        cuts = [(1, 8), (9, 4), (13, 4), (17, 4), (21, 12)]
        return " || '-' || ".join(f"substr({sql}, {start}, {size})" for start, size in cuts)

    def same(self, left: str, right: str, column: Column) -> str:
        return f"({left} IS {right} COLLATE BINARY AND typeof({left}) = typeof({right}))"

    def blank(self, sql: str, column: Column) -> str:
        # LENGTH ends at a NUL character, and a collation may call blanks equal to nothing
        empty = f" OR CAST({sql} AS BLOB) = x''" if column.is_text else ""
        return f"({sql} IS NULL{empty})"

    def total(self, sql: str, column: Column, places: int | None) -> str:
        if column.is_integer:
            # SUM fails where it overflows, while two terms become a floating point number
            return f"(SUM({sql} / {_HALF}) * {_HALF} + SUM({sql} % {_HALF}))".replace("%", "%%")
        # decimals are floats here: 0.1 + 0.2 would be stored as what no look-up for 0.3 finds
        total = super().total(sql, column, places)
        return total if places is None else f"ROUND({total}, {places})"

    def exact(self, sql: str, column: Column) -> str:
        # quote() ends a text at its first NUL
        return f"(quote({sql}) || CASE typeof({sql}) WHEN 'text' THEN hex({sql}) ELSE '' END)"

    def fits(self, column: Column, field: Any) -> str:
        name = self.q(column.name)
        if column.is_integer:
            return f"typeof({name}) <> 'real'"
        if isinstance(field, DecimalField):
            # more digits than the field has cannot be read any more
            whole = 10 ** (field.max_digits - field.decimal_places)
            return f"ABS(ROUND({name}, {field.decimal_places})) < {whole}"
        return ""

    def join_texts(self, rows: str, keys: str, separator: str) -> str:
        # an aggregate takes no ORDER BY before SQLite 3.44, its window does
        window = (
            f"(PARTITION BY {keys} ORDER BY y.place"
            " ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)"
        )
        joined = f"group_concat(y.value, '{separator}') OVER {window}"
        return f"SELECT DISTINCT {keys}, {joined} AS value FROM {rows}"

    def json_text(self, sql: str, path: Sequence[str]) -> str:
        return f"CAST(json_extract({sql}, {json_path(path)}) AS TEXT)"

    def json_replaced(self, sql: str, path: Sequence[str], text: str) -> str:
        at = json_path(path)
        return (
            f"CASE json_type({sql}, {at}) WHEN 'integer'"
            f" THEN json_set({sql}, {at}, CAST({text} AS INTEGER))"
            f" ELSE json_set({sql}, {at}, {text}) END"
        )


def _affinity(column: Column) -> str:
    """What the column would rather have values be: see "Type Affinity" in SQLite's manual."""
    kind = column.definition.lower()
    if column.is_integer or column.is_text or "blob" in kind:
        return "INTEGER" if column.is_integer else "TEXT" if column.is_text else "BLOB"
    return "REAL" if any(word in kind for word in ("real", "floa", "doub")) else "NUMERIC"


def _element(sql: str) -> str:
    """One element of an image. SQLite's columns hold any type, so each value says its own.

    JSON keeps 15 digits of a float, takes no bytes at all, and a text is read to its first NUL.
    """
    return (
        f"CASE WHEN typeof({sql}) = 'real' THEN json_object('real', dedupe_float_text({sql}))"
        f" WHEN typeof({sql}) = 'blob' THEN json_object('blob', hex({sql}))"
        f" WHEN typeof({sql}) = 'text' AND instr({sql}, char(0)) > 0"
        f" THEN json_object('text', hex({sql})) ELSE {sql} END"
    )
