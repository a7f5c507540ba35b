"""How columns hold the keys of a model: as its own column does, or as a field writes them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db.models import Field, IntegerField, UUIDField

from ..databases.caching import cached
from ..databases.tables import from_database, last_field, pk_fields
from ..keys import is_text

if TYPE_CHECKING:
    from django.db.models import Model

_CONVERSIONS = (
    "from_db_value",
    "get_db_converters",
    "get_db_prep_save",
    "get_db_prep_value",
    "get_prep_value",
    "to_python",
)


class Written(Enum):
    """How keys stand in a column beside that of their own model."""

    SAME = auto()
    """As they are."""
    TEXT = auto()
    """As text that SQL can make of them."""
    SPELLED = auto()
    """In one or several spellings of their own: see `Spelling`."""
    NEVER = auto()
    """The column's type holds no key of this model."""
    UNKNOWN = auto()
    """In a way that Django itself could not read: a key of several columns."""


@dataclass(frozen=True, kw_only=True)
class Spelling:
    """The field of a key, and the field that holds it in another spelling.

    A field converts what it is given by methods of its own, which only Python can run.
    """

    key: Field[Any, Any]
    held: Field[Any, Any]

    @property
    def is_uuid(self) -> bool:
        """Whether the keys are UUIDs in text: with hyphens or, as some write them, without."""
        key = last_field(self.key)
        return isinstance(key, UUIDField) and not converts(key) and is_text(self.held)

    @property
    def is_converted(self) -> bool:
        """Whether methods of the project's own fields write the keys."""
        return converts(last_field(self.key)) or converts(self.held)

    @property
    def is_certain(self) -> bool:
        """Whether a key that has no such spelling can stand in no row."""
        return not self.is_converted

    def of(self, column: Any, connection: Any) -> Any:
        """What the holding column has of a key, from what the database has of it in its own.

        None if it has no spelling, or one that would be read as another key.
        """
        key = from_database(self.key, column, connection)
        try:
            held = self.held.get_db_prep_save(key, connection)
            if isinstance(self.held, IntegerField):
                _require_range(self.held, held, connection)
            read = self.key.to_python(self.held.to_python(held))
            back = self.key.get_db_prep_value(read, connection)
            own = self.key.get_db_prep_value(key, connection)
        except (ValidationError, ValueError, TypeError, OverflowError, AttributeError):
            return None
        # what drivers take in place of bytes compares as nothing
        return held if read == key or back == own else None


def written(model: type[Model], held: Field[Any, Any]) -> Written:
    """How a column holds the primary keys of a model."""
    keys = pk_fields(model)
    if len(keys) > 1:
        return Written.UNKNOWN
    key = last_field(keys[0])
    if converts(key) or converts(held):
        return Written.SPELLED
    for kind in (IntegerField, UUIDField):
        if isinstance(held, kind) and isinstance(key, kind):
            return Written.SAME
    if is_text(held) and (is_text(key) or isinstance(key, IntegerField)):
        return Written.TEXT
    if {isinstance(field, IntegerField) for field in (held, key)} == {True, False} and any(
        isinstance(field, UUIDField) for field in (held, key)
    ):
        return Written.NEVER  # of 128 bits
    if isinstance(held, IntegerField) and is_text(key):
        return Written.NEVER  # that a text is a number is chance
    return Written.SPELLED


def converts(field: Field[Any, Any]) -> bool:
    """Whether a field converts its values by methods that are not Django's own."""
    return _converts(type(field))


@cached
def _converts(kind: type[Field[Any, Any]]) -> bool:
    return any(
        not getattr(method, "__module__", "").startswith("django.")
        for name in _CONVERSIONS
        if (method := getattr(kind, name, None)) is not None
    )


def _require_range(field: Field[Any, Any], value: int, connection: Any) -> None:
    """Raises `OverflowError` for a number that the column cannot hold."""
    least, most = connection.ops.integer_field_range(field.get_internal_type())
    least, most = (-(2**63) if least is None else least), (2**63 - 1 if most is None else most)
    if not least <= value <= most:
        raise OverflowError(value)
