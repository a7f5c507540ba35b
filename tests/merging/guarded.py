"""A row that a trigger guards."""

from __future__ import annotations

from typing import Any

from django.db import connection


class guarded_book:  # noqa: N801  # used like a function
    """A trigger that lets nobody change one book, as real databases have them."""

    SQLITE = (
        "CREATE TRIGGER guard BEFORE UPDATE ON links_book WHEN OLD.id = {pk}"
        " BEGIN SELECT RAISE(ABORT, 'this book stays'); END",
    )
    POSTGRESQL = (
        "CREATE FUNCTION guard() RETURNS trigger AS $$ BEGIN"
        " RAISE EXCEPTION 'this book stays'; END $$ LANGUAGE plpgsql",
        "CREATE TRIGGER guard BEFORE UPDATE ON links_book FOR EACH ROW"
        " WHEN (OLD.id = {pk}) EXECUTE FUNCTION guard()",
    )
    MYSQL = (
        "CREATE TRIGGER guard BEFORE UPDATE ON links_book FOR EACH ROW BEGIN"
        " IF OLD.id = {pk} THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'this book stays';"
        " END IF; END",
    )

    def __init__(self, pk: int) -> None:
        self.pk = pk

    def __enter__(self) -> None:
        statements = {"sqlite": self.SQLITE, "postgresql": self.POSTGRESQL, "mysql": self.MYSQL}
        self._run(*statements[connection.vendor])

    def __exit__(self, *_: Any) -> None:
        on = " ON links_book" if connection.vendor == "postgresql" else ""
        self._run(f"DROP TRIGGER guard{on}")
        if connection.vendor == "postgresql":
            self._run("DROP FUNCTION guard()")

    def _run(self, *statements: str) -> None:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement.format(pk=self.pk))
