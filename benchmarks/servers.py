"""The databases under test: made once per size, copied for every repetition, dropped afterwards."""

from __future__ import annotations

import shutil
import tempfile
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence

PREFIX = "bench_"


class Server(ABC):
    """Where databases named ``bench_…`` are made; ``url`` names one that is there already."""

    name: str

    def __init__(self, url: str) -> None:
        self.base = url

    def url(self, database: str) -> str:
        """The URL of one of our databases on this server."""
        return urlsplit(self.base)._replace(path=f"/{PREFIX}{database}").geturl()

    @abstractmethod
    def create(self, database: str) -> None:
        """An empty database, in place of any that is left from before."""

    @abstractmethod
    def copy(self, source: str, target: str) -> None:
        """A copy of a database, in place of any that is left from before."""

    @abstractmethod
    def drop(self, database: str) -> None: ...

    def close(self) -> None:  # noqa: B027  # a server needs no tidying
        """Remove what the databases leave behind."""


class PostgreSQL(Server):
    name = "postgresql"

    def create(self, database: str) -> None:
        self.drop(database)
        self._run(f"CREATE DATABASE {PREFIX}{database}")

    def copy(self, source: str, target: str) -> None:
        self.drop(target)
        # files, not write-ahead log: a copy must not make the server busy later
        self._run(
            f"CREATE DATABASE {PREFIX}{target} TEMPLATE {PREFIX}{source} STRATEGY file_copy",
            "CHECKPOINT",
        )

    def drop(self, database: str) -> None:
        self._run(f"DROP DATABASE IF EXISTS {PREFIX}{database} WITH (FORCE)")

    def _run(self, *statements: str) -> None:
        import psycopg

        url = urlsplit(self.base)._replace(scheme="postgresql").geturl()
        with psycopg.connect(url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())


class MySQL(Server):
    name = "mysql"

    def create(self, database: str) -> None:
        self.drop(database)
        self._run(f"CREATE DATABASE {PREFIX}{database} CHARACTER SET utf8mb4")

    def copy(self, source: str, target: str) -> None:
        self.create(target)
        tables = [row[0] for row in self._run(f"SHOW TABLES FROM {PREFIX}{source}")]
        statements = ["SET foreign_key_checks = 0", "SET unique_checks = 0", "SET sql_log_bin = 0"]
        statements += [f"USE {PREFIX}{target}"]
        for table in tables:
            ((_, create),) = self._run(f"SHOW CREATE TABLE {PREFIX}{source}.{table}")
            statements += [create, f"INSERT INTO {table} SELECT * FROM {PREFIX}{source}.{table}"]
            statements += [f"ANALYZE TABLE {table}"]
        self._run(*statements)

    def drop(self, database: str) -> None:
        self._run(f"DROP DATABASE IF EXISTS {PREFIX}{database}")

    def _run(self, *statements: str) -> Sequence[Any]:
        import MySQLdb

        url = urlsplit(self.base)
        options: dict[str, Any] = {"host": url.hostname, "user": url.username or "root"}
        options |= {"port": url.port or 3306, "passwd": url.password or ""}
        connection = MySQLdb.connect(**options, charset="utf8mb4", autocommit=True)
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return cursor.fetchall()
        finally:
            connection.close()


class SQLite(Server):
    name = "sqlite"

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX))

    def url(self, database: str) -> str:
        return f"sqlite:///{self._path(database)}"

    def create(self, database: str) -> None:
        self.drop(database)

    def copy(self, source: str, target: str) -> None:
        self.drop(target)
        shutil.copyfile(self._path(source), self._path(target))

    def drop(self, database: str) -> None:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self._path(database)}{suffix}").unlink(missing_ok=True)

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, database: str) -> Path:
        return self.folder / f"{PREFIX}{database}.sqlite3"


def server(url: str) -> Server:
    """The server that a database URL, or the mere name of a database, speaks of."""
    scheme = urlsplit(url).scheme or url
    if scheme.startswith(("postgres", "pgsql")):
        return PostgreSQL(url)
    if scheme.startswith("mysql"):
        return MySQL(url)
    return SQLite(url)
