"""Keys as the journal names them, from those that models hold, and back. Only reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import DatabaseError, DataError, ProgrammingError, connections
from django.db.models import CharField, DurationField, IntegerField, TextField, UUIDField
from django.db.transaction import atomic

from ..databases import database
from ..databases.tables import last_field, pk_fields, python_key
from ..errors import InvalidMatchKey
from ..keys import no_key, primary_key
from ..references.spellings import converts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from django.db.models import Field, Model

    from ..databases import Database
    from ..databases.tables import Column

_PLAIN = (CharField, IntegerField, TextField, UUIDField)
"""Of whose values Python's text is that of every database."""
_UNREADABLE = (
    ArithmeticError,
    AttributeError,
    DatabaseError,
    InvalidMatchKey,
    TypeError,
    ValidationError,
    ValueError,
)
"""What databases raise, and the converters of fields, of which some know nothing but what is right.
"""
_CHUNK = 100
"""Keys in one statement: each is a column of its answer."""


def key_text(model: type[Model], pk: Any, using: str) -> str:
    """A primary key as the journal names it; taken as text, too, and composite as a JSON list.

    Raises `InvalidMatchKey` for what cannot be a key of the model.
    """
    (text,) = key_texts(model, [pk], using)
    return text


def key_texts(model: type[Model], pks: Sequence[Any], using: str) -> list[str]:
    """The same of many keys, in their order."""
    keys = [prepared_key(model, pk, using) for pk in pks]
    if _is_plain(model):
        return [str(value) for (value,) in keys]
    columns = database(using).table(model).pk
    try:
        # what fits no column is an error, which takes the transaction with it
        with atomic(using=using):
            return _written(columns, keys, using)
    except (DataError, ProgrammingError):
        pass
    if len(pks) == 1:
        raise no_key(model, pks[0])
    return [key_text(model, pk, using) for pk in pks]


def _written(columns: Sequence[Column], keys: Sequence[Sequence[Any]], using: str) -> list[str]:
    """The texts that the database has for keys of which Python's are others."""
    dialect = database(using)
    # by a name, for an image may need them more than once
    given = {f"v{number}": dialect.placeholder(column) for number, column in enumerate(columns)}
    values = [
        dialect.unless_rounded(f"k.{name}", column)
        for name, column in zip(given, columns, strict=True)
    ]
    return [*map(str, _answers(dialect, dialect.key_text(columns, values), given, keys))]


def key_of(model: type[Model], text: str, using: str) -> Any:
    """The primary key of which the journal has this text, as models hold it.

    Raises `InvalidMatchKey` for what cannot be one.
    """
    (key,) = keys_of(model, [text], using)
    return key


def keys_of(model: type[Model], texts: Sequence[str], using: str) -> list[Any]:
    """The same of many keys, in their order."""
    if _is_plain(model) and not converts(last_field(pk_fields(model)[0])):
        return [primary_key(model, text) for text in texts]
    try:
        # an error takes the transaction with it that it comes up in
        with atomic(using=using):
            keys = [python_key(model, key, using) for key in _held(model, texts, using)]
            # some databases make a key of anything: 0 of words
            if _is_plain(model) or key_texts(model, keys, using) == list(texts):
                return keys
    except _UNREADABLE:
        pass
    if len(texts) == 1:
        raise no_key(model, texts[0])
    return [key_of(model, text, using) for text in texts]


def prepared_key(model: type[Model], pk: Any, using: str) -> list[Any]:
    """The values of a primary key as Django passes them. Asks no database.

    Raises `InvalidMatchKey` for what cannot be passed.
    """
    fields, key = pk_fields(model), primary_key(model, pk)
    try:
        return [
            _passed(field, value, using)
            for field, value in zip(fields, key if len(fields) > 1 else [key], strict=True)
        ]
    except _UNREADABLE:
        raise no_key(model, pk) from None


def _passed(field: Field[Any, Any], value: Any, using: str) -> Any:
    connection = connections[using]
    # prepared: MySQL takes no 0 for a key that it numbers, and a row of that key is asked for
    passed = field.get_db_prep_value(field.get_prep_value(value), connection, prepared=True)
    if isinstance(last_field(field), DurationField) and isinstance(passed, int):
        passed.to_bytes(8, signed=True)  # SQLite's driver ends the statement of a longer one
    return passed


def _is_plain(model: type[Model]) -> bool:
    field, *more = pk_fields(model)
    return not more and isinstance(last_field(field), _PLAIN)


def _held(model: type[Model], texts: Sequence[str], using: str) -> Iterator[tuple[Any, ...]]:
    """The columns of each key, as the database returns them."""
    dialect = database(using)
    columns = dialect.table(model).pk
    given = [[text] for text in texts]
    parts = (
        _answers(dialect, dialect.from_key_text("k.t", number, columns), {"t": "%s"}, given)
        for number in range(len(columns))
    )
    return zip(*parts, strict=True)


def _answers(
    dialect: Database, sql: str, given: Mapping[str, str], keys: Sequence[Sequence[Any]]
) -> list[Any]:
    """What SQL says of each of the keys, whose values (``k``) are given under these names."""
    named = ", ".join(f"{value} AS {name}" for name, value in given.items())
    one, found = f"(SELECT {sql} FROM (SELECT {named}) k)", list[Any]()
    for start in range(0, len(keys), _CHUNK):
        some = keys[start : start + _CHUNK]
        params = [value for values in some for value in values]
        found += dialect.fetch(f"SELECT {', '.join([one] * len(some))}", params)[0]
    return found
