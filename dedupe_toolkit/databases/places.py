"""Which table a name means: what the catalogue finds under it, never what the name looks like.

Two names may mean one table: with its schema or without, in another case where the server does
not tell cases apart. Only reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from django.apps import apps
from django.db import connections

from .caching import cached, recalled
from .identities import (
    identities,
    mysql_fold,
    mysql_identity,
    sqlite_identity,
    sqlite_literal,
    sqlite_schemas,
)
from .names import ascii_lower, parts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from django.db.models import Model

PlaceFinder: TypeAlias = "Callable[[Any, Iterable[str]], Iterator[tuple[str, Place]]]"

FINDERS: dict[str, PlaceFinder] = {}
"""How the catalogue is asked, by the name that Django has for a kind of database."""

TABLE, VIEW, MIRROR = "table", "view", "mirror"


@dataclass(frozen=True, kw_only=True)
class Place:
    """A table or view; two names of one table have the same ``identity``.

    ``wholes`` are the identities of the tables that show its rows among theirs, as a partitioned
    table does those of its partitions; one that ``has_heirs`` stores rows of its own and shows
    those of others; one that ``is_foreign`` shows what a file or another server stores. The rows of
    a mirror (a virtual table of SQLite) mirror
    others', and its columns are no columns of the database. A ``secured`` one may hide rows from
    the user of the connection.
    """

    identity: Any
    kind: str = TABLE
    wholes: frozenset[Any] = frozenset()
    secured: bool = False
    has_heirs: bool = False
    is_foreign: bool = False


def place_of(model: type[Model], using: str) -> Place | None:
    """The table or view of a model in the database ``using``; None if it has none there."""
    # a migration has models of its own
    name = model._meta.db_table
    known = _places_of_project(using)
    return known[name] if name in known else _places(using, (name,)).get(name)


def named_places(names: Iterable[str], using: str) -> dict[str, Place]:
    """The places of those of these tables, as models name them, that are there."""
    known = _places_of_project(using)
    unknown = tuple(name for name in names if name not in known)
    found = _places(using, unknown) if unknown else {}
    return {name: place for name in names if (place := known.get(name) or found.get(name))}


def has_table(model: type[Model], using: str) -> bool:
    """Whether the model has a table in the database, or a view."""
    return place_of(model, using) is not None


def stores_rows(model: type[Model], using: str) -> bool:
    """Whether the model has a table that stores rows of its own: no view, no mirror."""
    place = place_of(model, using)
    return place is not None and place.kind == TABLE


def is_view(model: type[Model], using: str) -> bool:
    """Whether the model shows what tables hold."""
    place = place_of(model, using)
    return place is not None and place.kind == VIEW


@cached
def _places_of_project(using: str) -> dict[str, Place | None]:
    """The places of all models of the project, by the names of their tables: asked at once."""
    models = apps.get_models(include_auto_created=True)
    names = tuple(dict.fromkeys(model._meta.db_table for model in models))
    return {**dict.fromkeys(names), **_places(using, names)}


@cached
def _places(using: str, names: tuple[str, ...]) -> dict[str, Place]:
    connection: Any = connections[using]
    find = FINDERS.get(connection.vendor, introspected)
    return recalled(connection, ("places", names), lambda: dict(find(connection, names)))


def introspected(connection: Any, names: Iterable[str]) -> Iterator[tuple[str, Place]]:
    """Of a database this package has no SQL for, what Django says of it."""
    with connection.cursor() as cursor:
        found = {info.name: info for info in connection.introspection.get_table_list(cursor)}
    for name in names:
        if name in found:
            yield name, Place(identity=name, kind=VIEW if found[name].type == "v" else TABLE)


_POSTGRESQL = """
SELECT v.name, c.oid, c.relkind IN ('v', 'm'), ARRAY(
    WITH RECURSIVE up (number) AS (
        SELECT i.inhparent FROM pg_inherits i WHERE i.inhrelid = c.oid
        UNION SELECT i.inhparent FROM up JOIN pg_inherits i ON i.inhrelid = up.number)
    SELECT number FROM up), row_security_active(c.oid), c.relkind <> 'p' AND c.relhassubclass,
    c.relkind = 'f'
FROM (VALUES {tables}) AS v (name, number)
JOIN pg_class c ON c.oid = v.number AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
"""


def of_postgresql(connection: Any, names: Iterable[str]) -> Iterator[tuple[str, Place]]:
    # as its own statements find them: by the search path, where no schema is named
    quoted = {name: connection.ops.quote_name(name) for name in names}
    params = [text for pair in quoted.items() if parts_of(pair[1]) for text in pair]
    if not params:
        return
    listed = ", ".join(["(%s, to_regclass(%s))"] * (len(params) // 2))
    with connection.cursor() as cursor:
        cursor.execute(_POSTGRESQL.format(tables=listed), params)
        for name, number, is_view, wholes, secured, has_heirs, is_foreign in cursor.fetchall():
            yield (
                name,
                Place(
                    identity=number,
                    kind=VIEW if is_view else TABLE,
                    wholes=frozenset(wholes),
                    secured=secured,
                    has_heirs=has_heirs,
                    is_foreign=is_foreign,
                ),
            )


_MYSQL = """
SELECT table_schema, table_name, table_type FROM information_schema.tables
WHERE table_schema = {schemas}
"""
_KINDS = {"VIEW": VIEW, "SYSTEM VIEW": VIEW, "SEQUENCE": MIRROR}


def of_mysql(connection: Any, names: Iterable[str]) -> Iterator[tuple[str, Place]]:
    wanted = identities(connection, names, mysql_identity)
    fold = mysql_fold(connection)
    if not wanted:
        return
    # an equality is looked up, where a list is searched for in all schemas
    schemas = list({schema for schema, _ in wanted.values()})
    sql = _MYSQL.format(schemas=" OR table_schema = ".join(["%s"] * len(schemas)))
    with connection.cursor() as cursor:
        cursor.execute(sql, schemas)
        found = {(fold(row[0]), fold(row[1])): row[2] for row in cursor.fetchall()}
    for name, identity in wanted.items():
        if identity in found:
            yield name, Place(identity=identity, kind=_KINDS.get(found[identity], TABLE))


_SQLITE = """
SELECT {schema}, name, CASE WHEN type = 'view' THEN 'view'
       WHEN sql LIKE 'CREATE VIRTUAL TABLE%%' THEN 'mirror' ELSE 'table' END
FROM {quoted}.sqlite_master WHERE type IN ('table', 'view')
"""


def of_sqlite(connection: Any, names: Iterable[str]) -> Iterator[tuple[str, Place]]:
    wanted = identities(connection, names, sqlite_identity)
    schemas = sorted({schema for schema, _ in wanted.values()} & set(sqlite_schemas(connection)))
    sql = " UNION ALL ".join(
        _SQLITE.format(schema=sqlite_literal(schema), quoted=connection.ops.quote_name(schema))
        for schema in schemas
    )
    if not schemas:
        return
    with connection.cursor() as cursor:
        cursor.execute(sql, [])
        found = {(schema, ascii_lower(name)): kind for schema, name, kind in cursor.fetchall()}
    for name, identity in wanted.items():
        if identity in found:
            yield name, Place(identity=identity, kind=found[identity])
