"""What drawn tables need beside themselves: triggers that stamp rows, and a collation."""

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
DROP = {"postgresql": "DROP FUNCTION IF EXISTS {name} CASCADE"}


@dataclass(frozen=True)
class Stamps:
    """The triggers of a schema's tables that have a column for them."""

    schema: Schema

    def add(self) -> None:
        for table in self.schema.tables:
            if table.stamped:
                for statement in CREATE[connection.vendor]:
                    _run(statement.format(**self._names(table.name)))

    def remove(self) -> None:
        statement = DROP.get(connection.vendor, "DROP TRIGGER IF EXISTS {name}")
        for table in self.schema.tables:
            if table.stamped:
                _run(statement.format(name=trigger_of(table.name)))

    def _names(self, name: str) -> dict[str, str]:
        meta = apps.get_model(self.schema.app, name)._meta
        quote = connection.ops.quote_name
        keys = [quote(str(field.column)) for field in meta.pk_fields]
        stamped = self.schema.by_name[name].stamped
        return {
            "name": trigger_of(name),
            "table": quote(meta.db_table),
            "column": quote(str(meta.get_field(stamped).column)),
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
