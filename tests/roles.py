"""Roles of a server's users: what each may do is for a test to grant."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from django.db import connection

from tests.commands.terminal import in_pipe
from tests.merging.killing import database_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

KEY = ("links.Author", "--fields", "name")
on_a_server = pytest.mark.skipif(connection.vendor == "sqlite", reason="a file knows no roles")


def refused(url: str, key: Sequence[str] = KEY) -> str:
    """The line on standard error of a merge by whom the database refuses something."""
    line = ("merge_duplicates", *key, "--no-input")
    done = in_pipe(*line, DATABASE_URL=url)
    assert done.returncode == 1, done.stdout + done.stderr
    (error,) = done.stderr.splitlines()
    return error


@pytest.fixture
def somebody(pair: None) -> Iterator[str]:
    """A role that may read, and its URL; what more it may is for the test to grant."""
    name = f"reader_{os.getpid()}"
    tables = connection.introspection.table_names()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"CREATE ROLE {name} LOGIN")
            cursor.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}")
            cursor.execute(f'REVOKE TEMPORARY ON DATABASE "{database_name()}" FROM PUBLIC')
        else:
            cursor.execute(f"CREATE USER {name}@'%%' IDENTIFIED BY ''")
            for table in tables:
                cursor.execute(f"GRANT SELECT ON `{table}` TO {name}@'%%'")
    yield name
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f'GRANT TEMPORARY ON DATABASE "{database_name()}" TO PUBLIC')
            cursor.execute(f"DROP OWNED BY {name}")
            cursor.execute(f"DROP ROLE {name}")
        else:
            cursor.execute(f"DROP USER {name}@'%%'")


def database_name() -> str:
    return str(connection.settings_dict["NAME"])


def let_make_work_tables(name: str) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f'GRANT TEMPORARY ON DATABASE "{database_name()}" TO {name}')
        else:
            cursor.execute(f"GRANT CREATE TEMPORARY TABLES ON `{database_name()}`.* TO {name}@'%%'")


def whom(name: str) -> str:
    return name if connection.vendor == "postgresql" else f"{name}@'%%'"


def let_write(name: str, *, but_for: tuple[str, str] | None = None) -> None:
    """Let a role write all tables; but for one right, and the table that it is not given for."""
    right, kept = but_for or ("", "")
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            writes = {"INSERT", "UPDATE", "DELETE"} - ({right} if table == kept else set())
            quoted = connection.ops.quote_name(table)
            cursor.execute(f"GRANT {', '.join(sorted(writes))} ON {quoted} TO {whom(name)}")
        if connection.vendor == "postgresql":
            cursor.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {name}")


def as_role(name: str) -> str:
    before, _, after = database_url().partition("@")
    return f"{before.partition('://')[0]}://{name}@{after}"


def regrant(name: str, table: str, rights: str) -> None:
    """Let a role do this to a table, and nothing else any more."""
    quoted = connection.ops.quote_name(table)
    with connection.cursor() as cursor:
        cursor.execute(f"REVOKE ALL ON {quoted} FROM {whom(name)}")
        if rights:
            cursor.execute(f"GRANT {rights} ON {quoted} TO {whom(name)}")
