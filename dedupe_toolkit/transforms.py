"""Text transforms for match keys that mean the same on every database.

They are written with functions that SQLite, PostgreSQL, MariaDB and MySQL all have and all
call deterministic, so the unique constraint made later can use the very same expression.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import CharField, TextField, Transform, Value
from django.db.models.functions import Lower, Replace, Trim, Upper

if TYPE_CHECKING:
    from django.db.models.expressions import Combinable

# What keyboards and word processors write: controls, then the no-break, en, em, thin, narrow
# no-break and ideographic spaces. Not all of Unicode's: SQLite nests only about twenty functions.
WHITE_SPACE = (*"\t\n\v\f\r", *"\u00a0\u2002\u2003\u2009\u202f\u3000")
_MARK = "\x01"


class Collapse(Transform):
    """Text with each run of white space made one space, and the ends trimmed."""

    lookup_name = "collapse"

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> Any:  # type: ignore[override]  # nothing here takes the options of Func
        return compiler.compile(_collapsed(self.lhs))


def _collapsed(text: Combinable) -> Trim:
    for character in WHITE_SPACE:
        text = Replace(text, Value(character), Value(" "))
    # "a  b" -> "a ~ ~b" -> "a ~b" -> "a b": runs of any length shrink without a loop
    text = Replace(text, Value(" "), Value(f" {_MARK}"))
    text = Replace(text, Value(f"{_MARK} "), Value(""))
    return Trim(Replace(text, Value(_MARK), Value("")))


def register() -> None:
    """Make lower, upper, trim and collapse usable in lookups, unless the project has its own."""
    for field in (CharField, TextField):
        for transform in (Lower, Upper, Trim, Collapse):
            if transform.lookup_name not in field().get_lookups():
                field.register_lookup(transform)
