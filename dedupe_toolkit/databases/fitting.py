"""Which values a column of a server's type can hold, and a type that can hold what is computed.

Types are as the catalogues of PostgreSQL, MariaDB and MySQL write them.
"""

from __future__ import annotations

import re

_TEXT = re.compile(r"^(?:character varying|varchar|character|char)\((\d+)\)")
_DECIMAL = re.compile(r"^(?:numeric|decimal)\((\d+),(\d+)\)")
_INTEGER = re.compile(r"^(tinyint|smallint|mediumint|integer|int|bigint)\b(?:\(\d+\))?( unsigned)?")
_LONG_TEXT = re.compile(r"^(tinytext|text|mediumtext) CHARACTER SET")
_BYTES = {"tinytext": 2**8 - 1, "text": 2**16 - 1, "mediumtext": 2**24 - 1}
_BITS = {"tinyint": 8, "smallint": 16, "mediumint": 24, "integer": 32, "int": 32, "bigint": 64}


def fitting(sql: str, definition: str) -> str:
    """SQL that is true for a value that fits into a column; empty if any does."""
    if found := _TEXT.match(definition):
        return f"CHAR_LENGTH({sql}) <= {found[1]}"
    if found := _LONG_TEXT.match(definition):
        return f"OCTET_LENGTH({sql}) <= {_BYTES[found[1]]}"
    if found := _DECIMAL.match(definition):
        digits, places = int(found[1]), int(found[2])
        return f"ABS(ROUND({sql}, {places})) < {10 ** (digits - places)}"
    if found := _INTEGER.match(definition):
        bits, is_unsigned = _BITS[found[1]], bool(found[2])
        low, high = (0, 2**bits - 1) if is_unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        return f"{sql} BETWEEN {low} AND {high}"
    return ""


def widened(definition: str, text: str, number: str) -> str:
    """The type, or that for long texts or large numbers in its place."""
    if _TEXT.match(definition):
        return _TEXT.sub(text, definition)
    if found := _LONG_TEXT.match(definition):
        return definition.replace(found[1], text, 1)
    is_number = _DECIMAL.match(definition) or _INTEGER.match(definition)
    return number if is_number else definition
