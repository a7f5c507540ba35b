"""By which schema and name a server other than PostgreSQL knows the tables of models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .names import ascii_lower, parts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def identities(
    connection: Any, names: Iterable[str], identity: Callable[..., tuple[str, str]]
) -> dict[str, tuple[str, str]]:
    """The schema and bare name by which a server other than PostgreSQL knows each table.

    Asks the server nothing, and so says nothing of whether a table is there.
    """
    parts = {name: parts_of(connection.ops.quote_name(name)) for name in names}
    return {
        name: identity(connection, *some) for name, some in parts.items() if len(some) in (1, 2)
    }


def mysql_identity(connection: Any, *parts: str) -> tuple[str, str]:
    fold = mysql_fold(connection)
    *schema, table = parts
    return fold(schema[0] if schema else str(connection.settings_dict["NAME"])), fold(table)


def mysql_fold(connection: Any) -> Callable[[str], str]:
    """The name of a schema or table as the server compares it."""
    return str.lower if connection.features.ignores_table_name_case else str


def sqlite_identity(connection: Any, *parts: str) -> tuple[str, str]:
    *schema, table = map(ascii_lower, parts)
    if schema:
        return schema[0], table
    attached = sqlite_schemas(connection)
    with_it = (one for one in attached if len(attached) > 1 and _has_sqlite(connection, one, table))
    return next(with_it, "main"), table


def sqlite_schemas(connection: Any) -> list[str]:
    """The main database and those attached to it, in the order in which a table is looked for."""
    connection.ensure_connection()
    found = connection.connection.execute("PRAGMA database_list").fetchall()
    return [ascii_lower(name) for _, name, _ in found if name != "temp"]


def _has_sqlite(connection: Any, schema: str, table: str) -> bool:
    quoted = connection.ops.quote_name(schema)
    sql = f"SELECT 1 FROM {quoted}.sqlite_master WHERE lower(name) = ? AND type <> 'index'"
    return connection.connection.execute(sql, [table]).fetchone() is not None


def sqlite_literal(text: str) -> str:
    return "'" + text.replace("'", "''").replace("%", "%%") + "'"
