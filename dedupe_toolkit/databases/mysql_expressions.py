"""SQL for values on MariaDB and MySQL: their texts compare as bytes where it must be exact."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from django.db.models import UUIDField

from .expressions import Expressions, json_path
from .fitting import fitting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .tables import Column

_LONG = ("mediumtext", "longtext", "mediumblob", "longblob", "json")
_SHORT = 2_000_000
_ROUNDING = {"decimal": "DECIMAL(65,30)", "datetime": "DATETIME(6)", "timestamp": "DATETIME(6)"}
_ROUNDING |= {"time": "TIME(6)"}


class MySQLExpressions(Expressions):
    def fits(self, column: Column, field: Any) -> str:
        return fitting(self.q(column.name), column.definition)

    def placeholder(self, column: Column) -> str:
        # bytes are no text of the connection's character set
        return "_binary %s" if column.is_binary else "%s"

    def as_stored(self, column: Column, sql: str) -> str:
        is_decimal = column.definition.startswith("decimal")
        return f"CAST({sql} AS {column.definition.split()[0]})" if is_decimal else sql

    def image(self, columns: Sequence[tuple[Column, str]]) -> str:
        if all(column.is_integer for column, _ in columns):
            # digits need no escaping
            digits = (f"COALESCE(CONCAT('\"', {sql}, '\"'), 'null')" for _, sql in columns)
            return "CONCAT('[', " + ", ', ', ".join(digits) + ", ']')"
        return f"JSON_ARRAY({', '.join(_exact(column, sql) for column, sql in columns)})"

    joined_at_most = ("group_concat_max_len", "max_allowed_packet")

    def is_too_long(self, columns: Sequence[Column], alias: str) -> str:
        sizes = self.sizes(columns, alias)
        if not sizes:
            return ""
        size = " + ".join(f"COALESCE({size}, 0)" for size in sizes.values())
        image = self.image([(c, f"{alias}.{self.q(c.name)}") for c in columns])
        # of JSON it is the text that has a limit, and what is longer has none
        jsons = [f"{alias}.{self.q(c.name)}" for c in columns if c.definition == "json"]
        cut = [f"WHEN {sql} IS NOT NULL AND {_has_no_text(sql)} THEN 1" for sql in jsons]
        # escaping makes six characters of one at most; the other columns are short
        return (
            f"CASE WHEN ({size}) * 6 + {_SHORT} < @@max_allowed_packet THEN 0 {' '.join(cut)}"
            f" ELSE {_has_no_text(image)} END = 1"
        )

    def sizes(self, columns: Sequence[Column], alias: str) -> Mapping[str, str]:
        return {
            column.name: _size(column, f"{alias}.{self.q(column.name)}")
            for column in columns
            if column.definition.startswith(_LONG)
        }

    def is_kept(self, image: str, position: int, column: Column, value: str) -> str:
        text = self.image_text(image, position)
        is_same = f"CAST({text} AS BINARY) <=> CAST({_exact(column, value)} AS BINARY)"
        # more decimal places show more zeros
        for kind, widest in _ROUNDING.items():
            if column.definition.startswith(kind):
                return f"({is_same} OR CAST({text} AS {widest}) = {value})"
        return is_same

    @abstractmethod
    def image_text(self, image: str, position: int) -> str:
        """SQL for the text that an image has of one value."""

    def from_image(self, image: str, position: int, column: Column) -> str:
        return typed(self.image_text(image, position), column)

    def key_text(self, columns: Sequence[Column], values: Sequence[str]) -> str:
        if len(columns) == 1:
            return _exact(columns[0], values[0])
        return self.image(list(zip(columns, values, strict=True)))

    def as_held(self, sql: str, column: Column) -> str:
        # compares as the column does, and by its index
        return self.as_text(_cast(sql, column), column.definition)

    def from_key_text(self, text: str, position: int, columns: Sequence[Column]) -> str:
        column = columns[position]
        key = text if len(columns) == 1 else self.image_text(text, position)
        held = self.as_held(f"UNHEX({key})" if column.is_binary else key, column)
        if not column.definition.startswith("timestamp"):
            return held
        # compares as the session shows it; zero has no zone
        return f"COALESCE(CONVERT_TZ({held}, '+00:00', @@SESSION.time_zone), {held})"

    def as_python_text(self, sql: str, field: Any) -> str:
        if isinstance(field, UUIDField) and not self.connection.features.has_native_uuid_field:
            cuts = [(1, 8), (9, 4), (13, 4), (17, 4), (21, 12)]
            parts = ", ".join(f"SUBSTR({sql}, {start}, {size})" for start, size in cuts)
            return f"CONCAT_WS('-', {parts})"
        # a CAST has a collation of its own, which does not compare with that of every column
        return f"CONCAT({sql}, '')"

    def same(self, left: str, right: str, column: Column) -> str:
        # as bytes: collations call 'Ann' and 'ann ' equal
        return f"CAST({left} AS BINARY) <=> CAST({right} AS BINARY)"

    def exact(self, sql: str, column: Column) -> str:
        # a long value would be sorted by its beginning
        is_long = column.definition.startswith(_LONG)
        return f"SHA2({sql}, 256)" if is_long else f"CAST({sql} AS BINARY)"

    def same_text(self, left: str, right: str) -> str:
        return f"CAST({left} AS BINARY) = CAST({right} AS BINARY)"

    def characters(self, sql: str) -> str:
        return f"CHAR_LENGTH({sql})"  # its LENGTH counts bytes

    def join_texts(self, rows: str, keys: str, separator: str) -> str:
        joined = f"GROUP_CONCAT(y.value ORDER BY y.place SEPARATOR '{separator}')"
        return f"SELECT {keys}, {joined} AS value FROM {rows} GROUP BY {keys}"

    def json_text(self, sql: str, path: Sequence[str]) -> str:
        return f"JSON_UNQUOTE(JSON_EXTRACT({sql}, {json_path(path)}))"

    def json_replaced(self, sql: str, path: Sequence[str], text: str) -> str:
        at = json_path(path)
        return (
            f"CASE JSON_TYPE(JSON_EXTRACT({sql}, {at})) WHEN 'INTEGER'"
            f" THEN JSON_SET({sql}, {at}, CAST({text} AS SIGNED))"
            f" ELSE JSON_SET({sql}, {at}, {text}) END"
        )

    def as_text(self, sql: str, definition: str) -> str:
        # columns of different collations compare with an error
        _, _, declared = definition.partition(" CHARACTER SET ")
        charset, collate, collation = declared.partition(" COLLATE ")
        return f"CONVERT({sql} USING {charset}){collate}{collation}" if charset else sql


def _size(column: Column, sql: str) -> str:
    """SQL for the bytes of a long value; of JSON those that its text has at most."""
    is_json = column.definition == "json"
    return f"JSON_STORAGE_SIZE({sql}) * 6" if is_json else f"OCTET_LENGTH({sql})"


def _has_no_text(json: str) -> str:
    """SQL that is true for JSON whose text is longer than the server allows."""
    return f"COALESCE(OCTET_LENGTH(CAST({json} AS CHAR)), 0) = 0"


def _exact(column: Column, sql: str) -> str:
    if column.is_binary:
        return f"HEX({sql})"
    if column.definition.startswith("timestamp"):
        # in no zone's time, in which an hour comes twice a year; zero is no moment
        moment = f"DATE_ADD('1970-01-01', INTERVAL UNIX_TIMESTAMP({sql}) SECOND)"
        return f"IF({sql} = 0, CAST({sql} AS CHAR), CAST({moment} AS CHAR))"
    # the text of a FLOAT has six digits, that of the DOUBLE it fits into has all
    value = f"CAST({sql} AS DOUBLE)" if column.definition.startswith("float") else sql
    return f"CAST({value} AS CHAR)"


def typed(text: str, column: Column) -> str:
    """Text as a value that compares with the column by its index, not as floating point."""
    if column.is_binary:
        return f"UNHEX({text})"
    return _cast(text, column) if column.is_integer else text


def _cast(sql: str, column: Column) -> str:
    """A value of the type that the column's have, as far as a text is not of it."""
    kind, *_ = column.definition.split()
    name, _, _ = kind.partition("(")
    if column.is_integer:
        kind = "UNSIGNED" if "unsigned" in column.definition else "SIGNED"
    elif name == "timestamp":
        kind = kind.replace(name, "datetime")
    elif name in ("float", "double"):
        kind = "DOUBLE"
    elif name not in ("decimal", "date", "datetime", "time"):
        return sql
    return f"CAST({sql} AS {kind})"
