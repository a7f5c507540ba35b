"""What a user of MariaDB or MySQL may do: to have a statement explained takes the rights for it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from django.db import DatabaseError

from .caching import recalled
from .mysql_catalogue import MySQLCatalogue
from .rights import Right, Rights

if TYPE_CHECKING:
    from collections.abc import Sequence

# those on everything, or on the whole database; a user that has them by a role is asked further
_WIDE = """
SELECT privilege_type FROM information_schema.user_privileges WHERE grantee = {user} AND {kept}
UNION SELECT privilege_type FROM information_schema.schema_privileges
WHERE grantee = {user} AND table_schema = DATABASE()
"""
_USER = "CONCAT(CHAR(39), REPLACE(CURRENT_USER(), '@', CONCAT(CHAR(39), '@', CHAR(39))), CHAR(39))"
_ENOUGH = {"LOCK": {"UPDATE", "DELETE", "LOCK TABLES"}}
# for a command on a table, for a column
DENIED = (1142, 1143)


class MySQLRights(MySQLCatalogue, Rights):
    rights_kept = "1 = 1"
    """SQL that is true where a right on everything is one on each database."""

    def lacking(self, rights: Sequence[Right]) -> list[Right]:
        if not rights:
            return []
        found = self.look_up(_WIDE.format(user=_USER, kept=self.rights_kept))
        wide = {action for (action,) in found}
        asked = [
            one
            for one in rights
            if "." in one.table or wide.isdisjoint(_ENOUGH.get(one.action, {one.action}))
        ]
        return [self._narrowed(right) for right in asked if self._is_known_denied(right)]

    def _narrowed(self, right: Right) -> Right:
        """Of a right to columns, those that the user may not."""
        if len(right.columns) < 2:
            return right
        each = [replace(right, columns=(column,)) for column in right.columns]
        denied = [one.columns[0] for one in each if self._is_known_denied(one)]
        return replace(right, columns=tuple(denied))

    def _is_known_denied(self, right: Right) -> bool:
        return recalled(self.connection, right, lambda: self._is_denied(right))

    def _is_denied(self, right: Right) -> bool:
        table, names = self.q(right.table), right.columns
        if right.action == "UPDATE" and not names:
            names = tuple(c.name for c in self.columns([right.table])[right.table][:1])
        statement = _STATEMENTS[right.action](table, list(map(self.q, names)))
        try:
            # a lock is explained to who may not have it
            self.run(statement if right.action == "LOCK" else f"EXPLAIN {statement}")
        except DatabaseError as error:
            return bool(error.args) and error.args[0] in DENIED
        return False


def _insert(table: str, columns: Sequence[str]) -> str:
    listed = ", ".join(columns)
    return f"INSERT INTO {table} ({listed}) SELECT {listed or 'NULL'} FROM {table} WHERE 1 = 0"


def _select(table: str, columns: Sequence[str]) -> str:
    return f"SELECT * FROM {table} WHERE 1 = 0"


def _lock(table: str, columns: Sequence[str]) -> str:
    return f"SELECT 1 FROM {table} WHERE 1 = 0 FOR UPDATE"


def _update(table: str, columns: Sequence[str]) -> str:
    return f"UPDATE {table} SET {', '.join(f'{one} = {one}' for one in columns)} WHERE 1 = 0"


def _delete(table: str, columns: Sequence[str]) -> str:
    return f"DELETE FROM {table} WHERE 1 = 0"


_STATEMENTS = {"SELECT": _select, "LOCK": _lock}
_STATEMENTS |= {"INSERT": _insert, "UPDATE": _update, "DELETE": _delete}
