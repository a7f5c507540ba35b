"""An index that is built while others write: it waits, fails, is killed, and goes on."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connections

from tests.concurrency_kit import until
from tests.source.kit import ITEM
from tests.source.project import CONCURRENTLY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.source.project import Project


def test_a_concurrent_build_drops_the_invalid_index_of_an_earlier_try(project: Project) -> None:
    if not project.has(CONCURRENTLY):
        pytest.skip("the database builds no index concurrently")
    project.must("make_unique", ITEM, "--fields", "name", "--concurrently", "--name", "my_uniq")
    project.python(
        """
for name in 'aa': make('shop.Item', name=name)
try:
    connection.cursor().execute('CREATE UNIQUE INDEX CONCURRENTLY my_uniq ON shop_item (name)')
except IntegrityError:
    apps.get_model('shop.Item').objects.last().delete()
"""
    )
    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'my_uniq'::regclass"
    ask = f"c = connection.cursor(); c.execute({valid!r}); print(c.fetchone())"
    assert project.python(ask) == "(False,)\n"
    project.must("migrate", "-v", "0")
    assert project.python(ask) == "(True,)\n"
    assert project.python("print(fails('shop.Item', name='a'))") == "True\n"
    project.must("migrate", "shop", "0001", "-v", "0")


def test_a_concurrent_build_that_fails_leaves_nothing_behind(project: Project) -> None:
    project.must("make_unique", ITEM, "--fields", "name", "--concurrently", "--name", "my_uniq")
    path = project.folder / "shop" / "migrations" / "0002_item_unique_name.py"
    text = path.read_text()
    guard = text[text.index("        dedupe_toolkit.operations.Check") :]
    unguarded = text.replace(guard[: guard.index("),\n") + 3], "")
    path.write_text(unguarded)
    project.python("for name in 'aa': make('shop.Item', name=name)")
    assert project.manage("migrate", "-v", "0").returncode == 1
    project.python("apps.get_model('shop.Item').objects.last().delete()")
    left = project.python(
        "print([t for t in connection.introspection.table_names() if t.startswith('new__')],"
        " 'my_uniq' in connection.introspection.get_constraints(connection.cursor(), 'shop_item'))"
    )
    assert left == "[] False\n"
    project.must("migrate", "-v", "0")
    assert project.python("print(fails('shop.Item', name='a'))") == "True\n"


def session(project: Project) -> Any:
    """Another session of the project's database."""
    import psycopg

    settings = connections["default"].settings_dict
    name = project.python("print(connection.settings_dict['NAME'])").strip()
    given = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
    options = {key: settings[name] for key, name in given.items() if settings[name]}
    return psycopg.connect(dbname=name, autocommit=True, **options)


@contextmanager
def blocking(project: Project, statement: str) -> Iterator[None]:
    """Another session that has run a statement in a transaction and leaves it open."""
    with session(project) as other:
        other.execute("BEGIN")
        other.execute(statement)
        yield
        other.execute("ROLLBACK")


WRITER = "INSERT INTO shop_item (name, code, is_gone) VALUES ('z', '', false)"

READER = "LOCK TABLE shop_item IN ACCESS SHARE MODE"

LEFT = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'my_uniq'::regclass"


@pytest.mark.parametrize(
    ("statement", "is_built"),
    [(WRITER, False), (READER, True)],
    ids=["while_it_is_built", "while_it_is_attached"],
)
def test_a_concurrent_build_that_waits_too_long_for_a_lock_goes_on_when_migrated_again(
    project: Project, statement: str, is_built: bool
) -> None:
    if not project.has(CONCURRENTLY):
        pytest.skip("the database builds no index concurrently")
    project.must("make_unique", ITEM, "--fields", "name", "--concurrently", "--name", "my_uniq")
    with (project.folder / "settings.py").open("a") as settings:
        settings.write(
            'DATABASES["default"].setdefault("OPTIONS", {})["options"] = "-c lock_timeout=300ms"\n'
        )
    with blocking(project, statement):
        for _ in range(2):
            said = project.refuses("migrate", "-v", "0")
            assert said == (
                "shop.Item: my_uniq is not there yet (canceling statement due to lock timeout);"
                " migrate again, it goes on where it stopped"
            )
        ask = f"c = connection.cursor(); c.execute({LEFT!r}); print(c.fetchone())"
        assert project.python(ask) == f"({is_built},)\n"
    project.must("migrate", "-v", "0")
    assert project.python("print(fails('shop.Item', name='a'), fails('shop.Item', name='a'))") == (
        "False True\n"
    )
    project.must("migrate", "shop", "0001", "-v", "0")
    assert project.python("print(fails('shop.Item', name='a'))") == "False\n"


def test_a_concurrent_build_that_is_killed_before_its_end_goes_on_when_migrated_again(
    project: Project,
) -> None:
    if not project.has(CONCURRENTLY):
        pytest.skip("the database builds no index concurrently")
    project.must("make_unique", ITEM, "--fields", "name", "--concurrently", "--name", "my_uniq")
    waiting = (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        " AND wait_event_type = 'Lock' AND query LIKE 'ALTER TABLE%'"
    )
    with session(project) as watcher, blocking(project, READER):
        process = project.start("migrate", "-v", "0")
        until(lambda: watcher.execute(waiting).fetchone())
        process.kill()
        process.wait()
        watcher.execute(f"SELECT pg_terminate_backend(pid) FROM ({waiting}) w")
    project.must("migrate", "-v", "0")
    attached = (
        "c = connection.cursor();"
        " c.execute(\"SELECT contype FROM pg_constraint WHERE conname = 'my_uniq'\");"
        " print(c.fetchall())"
    )
    assert project.python(attached) == "[('u',)]\n"
    project.must("migrate", "shop", "0001", "-v", "0")


def test_an_index_of_another_meaning_is_not_taken_for_the_constraints(project: Project) -> None:
    if not project.has(CONCURRENTLY):
        pytest.skip("the database builds no index concurrently")
    project.must("make_unique", ITEM, "--fields", "name", "--concurrently", "--name", "my_uniq")
    project.python("connection.cursor().execute('CREATE UNIQUE INDEX my_uniq ON shop_item (code)')")
    assert project.refuses("migrate", "-v", "0") == (
        "shop.Item: there is another index of the name my_uniq; drop it, or give the constraint"
        " another name"
    )
