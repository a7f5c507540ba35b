"""Rows with values that a project's own code cannot read: all others are shown. Only reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import DatabaseError
from django.db.models import ExpressionWrapper, F, Field, TextField
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from ..field_rules.fillers import exact_text
from ..keys import is_text

if TYPE_CHECKING:
    from django.db.models import QuerySet

CANNOT_BE_SHOWN = _("(cannot be shown)")
"""What stands in place of a value, wherever one is shown."""

_HELD = "dedupe_held"


@dataclass(frozen=True)
class Unreadable:
    """Stands for such a value: ``text`` is what the database has, so that two can be compared."""

    text: str

    def __str__(self) -> str:
        return str(CANNOT_BE_SHOWN)


def read_rows(rows: QuerySet[Any]) -> list[Any]:
    """The rows. A value that cannot be read is `Unreadable`; two statements more for each field.

    What they point at is not read with them then. Raises what the database says, and what a key
    that cannot be read raises.
    """
    try:
        return list(rows)
    except DatabaseError:
        raise
    except Exception:  # fields of a project raise what they like
        rows = rows.select_related(None)
        fields = [field for field in rows.model._meta.concrete_fields if not field.primary_key]
        odd = [field for field in fields if not _can_be_read(rows.values_list(field.attname))]
        return _each_by_itself(rows, odd)


def _can_be_read(rows: QuerySet[Any, Any]) -> bool:
    try:
        list(rows)
    except DatabaseError:
        raise
    except Exception:  # as above
        return False
    return True


def _each_by_itself(rows: QuerySet[Any], fields: list[Field[Any, Any]]) -> list[Any]:
    found = list(rows.defer(*(field.attname for field in fields)))
    for field in fields:
        held = _held(rows, field)
        for row in found:
            value = held.get(row.pk)
            if isinstance(value, Unreadable):
                row.__dict__[field.attname] = value  # what a field does when it is set is its own
            else:
                setattr(row, field.attname, value)
    return found


def _held(rows: QuerySet[Any], field: Field[Any, Any]) -> dict[Any, Any]:
    """The values of a field by the keys of their rows."""
    column = ExpressionWrapper(F(field.attname), output_field=_Each(field))
    found = rows.annotate(**{_HELD: column}).values_list("pk", _HELD)
    if not _can_be_read(found):
        # the driver itself reads dates and times, unless they are of no type
        text: Any = Cast(F(field.attname), TextField())
        column = ExpressionWrapper(text, output_field=_EachText(field))
        found = rows.annotate(**{_HELD: column}).values_list("pk", _HELD)
    return dict(found)


class _Each(Field):  # type: ignore[type-arg]  # generic to type checkers only
    """Reads values as a field does, each by itself."""

    def __init__(self, field: Field[Any, Any]) -> None:
        super().__init__()
        self.field = field

    def select_format(self, compiler: Any, sql: str, params: Any) -> tuple[str, Any]:
        return self.field.select_format(compiler, sql, params)

    def get_db_converters(self, connection: Any) -> list[Any]:
        return [self._read]

    def _read(self, value: Any, wrapper: Any, connection: Any) -> Any:
        try:
            return self.read(value, wrapper.expression, connection)
        except DatabaseError:
            raise
        except Exception:  # as above
            if value is None or (is_text(self.field) and value == ""):
                return value
            return Unreadable(exact_text(bytes(value) if isinstance(value, memoryview) else value))

    def read(self, value: Any, column: Any, connection: Any) -> Any:
        own = column.get_db_converters(connection)
        for convert in [*connection.ops.get_db_converters(column), *own]:
            value = convert(value, column, connection)
        return value


class _EachText(_Each):
    """The same from a text."""

    def read(self, value: Any, column: Any, connection: Any) -> Any:
        column = ExpressionWrapper(column, output_field=self.field)
        return self.field.to_python(super().read(value, column, connection))
