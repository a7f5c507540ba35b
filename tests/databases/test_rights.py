"""What a database user may do: the plan says what is missing, and nothing that works is refused."""

from __future__ import annotations

import pytest
from django.db import connection

from dedupe_toolkit import MergeRun, undo
from dedupe_toolkit.models import MergeStep, RowChange
from tests.commands.terminal import in_pipe
from tests.kit import merged, snapshot
from tests.references.naming import made, rows_of, run
from tests.roles import (
    KEY,
    as_role,
    let_make_work_tables,
    let_write,
    on_a_server,
    refused,
    regrant,
    whom,
)
from tests.situations.links.models import Author, Book, Trace

pytestmark = on_a_server


def test_a_right_that_is_missing_for_work_tables_is_named(somebody: str) -> None:
    before = snapshot()
    error = refused(as_role(somebody))
    assert "TEMPORARY" in error
    assert snapshot() == before


@pytest.mark.parametrize(
    ("right", "table"),
    [
        ("INSERT", RowChange._meta.db_table),
        ("UPDATE", MergeStep._meta.db_table),
        ("UPDATE", Book._meta.db_table),
        ("DELETE", Author._meta.db_table),
        ("DELETE", "links_author_friends"),
    ],
)
def test_a_right_that_is_missing_is_named_before_anything_is_written(
    somebody: str, right: str, table: str
) -> None:
    let_make_work_tables(somebody)
    let_write(somebody, but_for=(right, table))
    first, *_ = Author.objects.order_by("pk")
    first.friends.add(*Author.objects.exclude(pk=first.pk))
    before = snapshot()
    line = ("merge_duplicates", *KEY)
    dry = in_pipe(*line, "--dry-run", DATABASE_URL=as_role(somebody))
    assert f"{right} on {table}" in dry.stdout, dry.stderr
    assert f"{right} on {table}" in refused(as_role(somebody))
    assert snapshot() == before
    assert not MergeRun.objects.exists()


def test_a_column_that_may_not_be_changed_is_named(somebody: str) -> None:
    table = Book._meta.db_table
    let_make_work_tables(somebody)
    let_write(somebody, but_for=("UPDATE", table))
    with connection.cursor() as cursor:
        cursor.execute(f"GRANT UPDATE (title) ON {table} TO {whom(somebody)}")
    assert f"UPDATE on {table} (author_id)" in refused(as_role(somebody))
    assert not MergeRun.objects.exists()


@pytest.mark.parametrize("right", ["INSERT", "UPDATE"])
def test_a_right_that_is_missing_for_an_undo_is_named(somebody: str, right: str) -> None:
    table = {"INSERT": Author, "UPDATE": Book}[right]._meta.db_table
    let_make_work_tables(somebody)
    let_write(somebody, but_for=(right, table))
    run = merged(Author, "name")
    before = snapshot()
    done = in_pipe("undo_merge", str(run.pk), "--no-input", DATABASE_URL=as_role(somebody))
    (error,) = done.stderr.splitlines()
    assert f"{right} on {table}" in error
    assert snapshot() == before


def test_a_right_that_is_missing_for_a_scratch_table_is_named(somebody: str) -> None:
    before = snapshot()
    done = in_pipe("prove_get_or_create", *KEY, DATABASE_URL=as_role(somebody))
    (error,) = done.stderr.splitlines()
    named = {"postgresql": "permission denied for schema", "mysql": "CREATE command denied"}
    assert named[connection.vendor] in error
    assert (done.returncode, done.stdout) == (1, "")
    assert snapshot() == before


def test_a_table_without_a_model_that_may_only_be_read_holds_its_group_back(somebody: str) -> None:
    let_make_work_tables(somebody)
    let_write(somebody)
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE readable (writer bigint NOT NULL,"
            " FOREIGN KEY (writer) REFERENCES links_author (id) ON DELETE CASCADE)"
        )
        cursor.execute(f"GRANT SELECT ON readable TO {whom(somebody)}")
        cursor.execute("INSERT INTO readable SELECT MAX(id) FROM links_author")
    try:
        done = in_pipe("merge_duplicates", *KEY, "--no-input", DATABASE_URL=as_role(somebody))
        assert done.returncode == 3, done.stdout + done.stderr
        assert "readable.writer points at row" in done.stdout + done.stderr
        with connection.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM readable")
            assert cursor.fetchone() == (1,)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE readable")


@pytest.mark.parametrize("granted", ["", "SELECT (id)"])
def test_a_reference_that_may_not_be_read_is_never_passed_over(somebody: str, granted: str) -> None:
    table = Trace._meta.db_table
    let_make_work_tables(somebody)
    let_write(somebody)
    regrant(somebody, table, granted)
    before = snapshot()
    assert table in refused(as_role(somebody))
    assert snapshot() == before


def merged_by(somebody: str, *line: str) -> str:
    """What a merge by a role says that lacks nothing."""
    done = in_pipe("merge_duplicates", *(line or KEY), "--no-input", DATABASE_URL=as_role(somebody))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_to_lock_rows_it_takes_the_right_to_change_any_of_their_columns(somebody: str) -> None:
    before = snapshot()
    let_make_work_tables(somebody)
    let_write(somebody)
    regrant(somebody, Author._meta.db_table, "SELECT, DELETE, UPDATE (name)")
    merged_by(somebody)
    undo(MergeRun.objects.get())
    assert snapshot() == before


def test_who_may_delete_rows_may_lock_them_where_the_server_says_so(somebody: str) -> None:
    before = snapshot()
    let_make_work_tables(somebody)
    let_write(somebody, but_for=("UPDATE", Author._meta.db_table))
    if connection.vendor == "postgresql":
        assert f"UPDATE on {Author._meta.db_table};" in refused(as_role(somebody))
        return
    merged_by(somebody)
    undo(MergeRun.objects.get())
    assert snapshot() == before


def test_a_column_that_a_survivor_takes_must_be_one_that_may_be_changed(somebody: str) -> None:
    table = Author._meta.db_table
    let_make_work_tables(somebody)
    let_write(somebody)
    regrant(somebody, table, "SELECT, DELETE, UPDATE (name)")
    Author.objects.filter(pk=Author.objects.latest("pk").pk).update(bio="x")
    assert f"UPDATE on {table} (bio);" in refused(as_role(somebody))
    run(f"GRANT UPDATE (bio) ON {table} TO {whom(somebody)}")
    merged_by(somebody)


def test_a_column_that_changes_by_itself_must_be_one_that_may_be_changed(somebody: str) -> None:
    if connection.vendor != "mysql":
        pytest.skip("no column changes by itself")
    stamped = "touched TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP"
    with made(
        ("named_plain", "(id integer PRIMARY KEY, name varchar(9), note varchar(9))"),
        ("named_plaintext", f"(id integer PRIMARY KEY, plain_id integer, {stamped})"),
    ):
        run("INSERT INTO named_plain VALUES (1, 'x', ''), (2, 'x', '')")
        run("INSERT INTO named_plaintext VALUES (5, 2, '2001-01-01')")
        before = rows_of("named_plaintext")
        let_make_work_tables(somebody)
        let_write(somebody)
        run(f"GRANT SELECT ON named_plain TO {whom(somebody)}")
        line = ("named.Plain", "--fields", "name")
        regrant(somebody, "named_plaintext", "SELECT, UPDATE (plain_id)")
        assert "UPDATE on named_plaintext (touched);" in refused(as_role(somebody), line)
        run(f"GRANT UPDATE (touched) ON named_plaintext TO {whom(somebody)}")
        merged_by(somebody, *line)
        run(f"REVOKE UPDATE (touched) ON named_plaintext FROM {whom(somebody)}")
        number = str(MergeRun.objects.get().pk)
        done = in_pipe("undo_merge", number, "--no-input", DATABASE_URL=as_role(somebody))
        assert "touched" in done.stderr
        undo(MergeRun.objects.get())
        assert rows_of("named_plaintext") == before


def test_columns_that_may_not_be_read_are_never_lost(somebody: str) -> None:
    table = Author._meta.db_table
    let_make_work_tables(somebody)
    let_write(somebody)
    run(f"ALTER TABLE {table} ADD secret varchar(9) DEFAULT 'x'")
    try:
        known = ", ".join(field.column for field in Author._meta.concrete_fields)
        regrant(somebody, table, f"SELECT ({known}), UPDATE ({known}), DELETE")
        before = snapshot()
        # PostgreSQL lets nobody read on that far
        said = {"mysql": f"SELECT on {table};", "postgresql": f"denied for table {table};"}
        assert said[connection.vendor] in refused(as_role(somebody))
        assert snapshot() == before
    finally:
        run(f"ALTER TABLE {table} DROP COLUMN secret")
