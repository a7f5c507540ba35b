"""What columns hold: the kinds of keys and values, as fields and as the proof writes them down."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import connection, models

from tests.situations.spelled.models import PrefixedKey, Token, TokenField

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import Field


PICKING = ("survivor", "fill", "newest", "oldest")
ORDERED = (*PICKING, "min", "max")
ADDED = (*ORDERED, "sum")
JOINED = (*PICKING, "longest", "concat")


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Kind:
    """How a field of ``make`` stands for what the proof writes down: ``write`` makes the field's
    value of it, ``read`` takes it back, also from the text of that value.
    """

    name: str
    make: Callable[..., Field[Any, Any]] = models.BigIntegerField
    write: Callable[[Any], Any] = _same
    read: Callable[[Any], Any] = _same
    values: tuple[Any, ...] = ()
    rules: tuple[str, ...] = PICKING
    converts: bool = False
    """Whether only Python can tell which row a key in another table means."""
    is_moment: bool = False
    plain: Callable[..., Field[Any, Any]] | None = None
    """Makes a field that holds such a key without being one."""
    is_amount: bool = False
    joint: str = "; "
    """What stands between texts that are joined."""
    fold: Callable[[Any], Any] = _same
    """What the column's collation compares."""
    default: Any = None
    """What the field holds if nobody has said anything."""

    @property
    def label(self) -> str:
        return f"<{self.name}>"


# keys: numbers in the proof, and in the order of these numbers in every database

_UUID = 0x5EED_0000_0000_4000_8000_0000_0000_0000


def _uuid(number: int) -> uuid.UUID:
    return uuid.UUID(int=_UUID + number)


def _number(found: Any) -> int:
    return (found if isinstance(found, uuid.UUID) else uuid.UUID(found)).int - _UUID


def _token_number(found: Any) -> int:
    token = found if isinstance(found, Token) else TokenField().to_python(found)
    return int(token.value.int - _UUID)


def _exact_text(length: int, **options: Any) -> Field[Any, Any]:
    """A text that is compared to the letter, as a key must be that differs by its case."""
    exact = {"postgresql": "C", "mysql": "utf8mb4_bin"}.get(connection.vendor)
    return models.CharField(max_length=length, db_collation=exact, **options)


_LETTERS = tuple(
    sorted(f"{a}{b}{c}" for a in ("K", "k", "é") for b in ("'", "%s", "Z", "z") for c in "Xx")
)
"""Texts that differ by case, by an accent, or by what SQL must quote."""

NUMBER = Kind("number", models.BigAutoField, read=int, plain=models.BigIntegerField)
KEYS = (
    NUMBER,
    Kind(
        "prefixed",
        PrefixedKey,
        "usr_{}".format,
        lambda text: int(text.removeprefix("usr_")),
        converts=True,
        plain=models.BigIntegerField,
    ),
    Kind("uuid", models.UUIDField, _uuid, _number),
    Kind("token", TokenField, lambda number: Token(_uuid(number)), _token_number, converts=True),
    Kind("letters", lambda **o: _exact_text(20, **o), _LETTERS.__getitem__, _LETTERS.index),
    Kind("digits", lambda **o: _exact_text(20, **o), "{:05}".format, int),
)
IDS = (
    Kind("id", partial(models.CharField, max_length=40)),
    Kind("number id", models.BigIntegerField),
)
"""Of object ids: what they hold is of their target's kind."""


def is_loose(kind: Kind | None) -> bool:
    """Whether columns of this kind call keys equal that differ by case."""
    return kind is IDS[0] and connection.vendor == "mysql"


EXACT_ID = Kind("exact id", partial(_exact_text, 40))
"""One that a unique rule tells apart as the keys are, or no row could name the second of two."""

_FIVE = range(1, 6)
CODES = (
    Kind("code", partial(models.CharField, max_length=90), values=tuple(f"c{n}" for n in _FIVE)),
    Kind("count", models.IntegerField, values=tuple(_FIVE)),
    Kind("letters", KEYS[4].make, values=_LETTERS[:5]),
    Kind("uuid code", models.UUIDField, values=tuple(map(_uuid, _FIVE))),
    Kind(
        "price",
        partial(models.DecimalField, max_digits=9, decimal_places=2),
        values=tuple(Decimal(n) / 4 for n in _FIVE),
    ),
)
"""Of unique columns at which rows may point in place of the key."""

# values: as many as are needed to meet, and to differ

_LONG = "so long that some databases sort by its beginning only " * 20
_ODD = ("", "a'b\"c\\\\d", "%s {x}\n\t", "\u00e9\U0001f600;")


def _texts(*values: str, rules: tuple[str, ...], length: int = 500) -> dict[str, Any]:
    return {"make": partial(models.CharField, max_length=length), "values": values, "rules": rules}


def _in_any_case(**options: Any) -> Field[Any, Any]:
    """A text that is equal to the same in another case, for unique rules as well."""
    collation = {"sqlite": "NOCASE", "postgresql": FOLDING}.get(connection.vendor)
    return models.CharField(
        max_length=90, db_collation=collation or "utf8mb4_general_ci", **options
    )


FOLDING = "proof_in_any_case"
"""The collation that PostgreSQL does not have by itself."""

TEXT = Kind("text", **_texts("", "u", "vv", "w", rules=(*JOINED, "min", "max")))
WHOLE = Kind("whole", models.IntegerField, values=(0, 1, 2), rules=ADDED, is_amount=True)
SPACED = Kind(
    "spaced",
    partial(_exact_text, 90),
    values=("a b", "A b", " a b", "a \t b", "a  b", "A  b", "ab", ""),
)
"""Texts that are the same in another case, or but for white space."""
EXACT = Kind("exact", partial(_exact_text, 90), values=("u", "U", "v"))
"""Texts that are the same in another case."""
FOLDED = Kind("folded", _in_any_case, values=("u", "U", "v", ""), fold=str.lower)
_NUL = Kind("nul", models.TextField, values=("a", "a\0b", "\0", "a\0"))
KINDS = (
    TEXT,
    WHOLE,
    FOLDED,
    *((_NUL,) if connection.vendor != "postgresql" else ()),
    Kind("odd", **_texts(*_ODD, rules=JOINED)),
    Kind(
        "long",
        models.TextField,
        values=("", f"{_LONG}b", f"{_LONG}a", _LONG),
        rules=(*JOINED, "min", "max"),
        joint="\n",
    ),
    Kind(
        "decimal",
        partial(models.DecimalField, max_digits=12, decimal_places=3),
        values=tuple(map(Decimal, ("0.100", "-2.500", "1234567.125", "0.000"))),
        rules=ADDED,
        is_amount=True,
    ),
    Kind(
        "float",
        models.FloatField,
        values=(0.1, -2.5, 1e-9, 3.0e18),
        rules=ORDERED,
        is_amount=True,
    ),
    Kind("binary", models.BinaryField, read=bytes, values=(b"\0\xff'", b"%s\\", b"\0" * 1100)),
    Kind(
        "json",
        models.JSONField,
        write=json.loads,
        read=partial(json.dumps, sort_keys=True),
        values=('{"a": [1, "\\u00e9"]}', "[]", '"x"', "0.1", "false"),
    ),
    Kind("flag", models.BooleanField, values=(False, True), rules=(*PICKING, "any", "all")),
    Kind(
        "span",
        models.DurationField,
        values=(timedelta(0), timedelta(days=-1, microseconds=1), timedelta(days=4000)),
        rules=ADDED,
    ),
    Kind("mark", TokenField, lambda number: Token(_uuid(number)), _token_number, values=(1, 2)),
)
AMOUNT = next(kind for kind in KINDS if kind.name == "decimal")
CURRENCY = Kind(
    "currency",
    partial(models.CharField, max_length=3, default="EUR"),
    values=("EUR", "JPY", ""),
    default="EUR",
)
MOMENTS = (
    Kind("date", models.DateField, values=(date(2, 1, 3), date(2024, 2, 29)), is_moment=True),
    Kind("time", models.TimeField, values=(time(0), time(23, 59, 59, 999999)), is_moment=True),
    Kind(
        "moment",
        models.DateTimeField,
        values=(datetime(2024, 3, 31, 1, 30, tzinfo=UTC), datetime(1970, 1, 1, 0, 0, 0, 1, UTC)),
        rules=ORDERED,
        is_moment=True,
    ),
)
