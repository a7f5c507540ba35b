"""What drawn tables need beside themselves: what stamps rows that change, and a collation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.apps import apps
from django.db import connection

from .kinds import FOLDING

if TYPE_CHECKING:
    from .tables import Schema

CREATE = {
    "sqlite": (
        "CREATE TRIGGER {name} AFTER UPDATE ON {table} FOR EACH ROW BEGIN"
        " UPDATE {table} SET {column} = OLD.{column} + 1 WHERE {same}; END",
    ),
    "mysql": (
        "CREATE TRIGGER {name} BEFORE UPDATE ON {table} FOR EACH ROW"
        " SET NEW.{column} = OLD.{column} + 1",
    ),
    "postgresql": (
        "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " NEW.{column} := OLD.{column} + 1; RETURN NEW; END $$",
        "CREATE TRIGGER {name} BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()",
    ),
}
TOUCH = "ALTER TABLE {table} MODIFY {column} datetime(6) NULL ON UPDATE CURRENT_TIMESTAMP(6)"
DROP = {"postgresql": "DROP FUNCTION IF EXISTS {name} CASCADE"}


@dataclass(frozen=True)
class Stamps:
    """What stamps the rows of a schema's tables that have a column for it."""

    schema: Schema

    def add(self) -> None:
        for table in self.schema.tables:
            if table.stamped:
                for statement in CREATE[connection.vendor]:
                    _run(statement.format(**self._names(table.name, table.stamped)))
            if table.touched and connection.vendor == "mysql":
                _run(TOUCH.format(**self._names(table.name, table.touched)))

    def remove(self) -> None:
        statement = DROP.get(connection.vendor, "DROP TRIGGER IF EXISTS {name}")
        for table in self.schema.tables:
            if table.stamped:
                _run(statement.format(name=trigger_of(table.name)))

    def _names(self, name: str, column: str) -> dict[str, str]:
        meta = apps.get_model(self.schema.app, name)._meta
        quote = connection.ops.quote_name
        keys = [quote(str(field.column)) for field in meta.pk_fields]
        return {
            "name": trigger_of(name),
            "table": quote(meta.db_table),
            "column": quote(str(meta.get_field(column).column)),
            "same": " AND ".join(f"{key} = NEW.{key}" for key in keys),
        }


def trigger_of(name: str) -> str:
    return f"proof_stamp_{name}"


def add_collation() -> None:
    """One in which case does not count; the other databases have it."""
    if connection.vendor == "postgresql":
        _run(
            f"CREATE COLLATION IF NOT EXISTS {FOLDING}"
            " (provider = icu, locale = 'und-u-ks-level2', deterministic = false)"
        )


def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
