"""A table is what the catalogue finds under a name, however the name is written."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from datetime import date
from typing import TYPE_CHECKING

import pytest
from django.db import connection, connections

from dedupe_toolkit import match_key, merge, plan_merge, undo
from dedupe_toolkit.databases import database
from dedupe_toolkit.databases.names import bounded, parts_of
from dedupe_toolkit.planning.reasons.undeclared_keys import find_undeclared_keys
from tests.kit import counts, merged, planned
from tests.references.naming import called, made, quoted, rows_of, run
from tests.situations.named.models import (
    LEVELS,
    QUOTE,
    Folder,
    Letter,
    LetterAgain,
    Text,
    TextAgain,
    Writer,
    WriterAgain,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

# where a transaction takes tables back
pytestmark = pytest.mark.django_db(transaction=not connection.features.can_rollback_ddl)

Q = QUOTE
NAMES = [
    ("named_writer", "named_text"),
    ("NamedWriter", "Named_TEXT"),
    ("select", "table"),
    ("named writer", "na-med text"),
    ("named.writer", "Named.Text"),
    (f"named{Q}{Q}writer", f"{Q}{Q}named{Q}{Q} text"),
    (f"{Q}Named Writer{Q}", f"{Q}named text{Q}"),
    ("n" * 63, "ñamed_té" * 6),
    # as short as an alias
    ("r", "b"),
    ("b", "n"),
    ("d", "again"),
]
VENDOR = connection.vendor
only = pytest.mark.skipif


def writer_table() -> tuple[str, str]:
    key, name, note = (quoted(str(field.column)) for field in Writer._meta.concrete_fields)
    columns = f"{key} integer NOT NULL PRIMARY KEY, {name} varchar(50) NOT NULL"
    return Writer._meta.db_table, f"({columns}, {note} varchar(50) NOT NULL)"


def text_columns() -> str:
    key, writer = (quoted(str(field.column)) for field in Text._meta.concrete_fields[:2])
    return (
        f"{key} integer NOT NULL, {writer} integer NOT NULL, title varchar(50) NOT NULL,"
        f" {quoted('From Note')} varchar(50),"
        f" UNIQUE ({key}, title), UNIQUE ({writer}, title), {points_at_writer(writer)}"
    )


def points_at_writer(column: str) -> str:
    key, table = quoted(str(Writer._meta.pk.column)), Writer._meta.db_table
    if connection.vendor == "mysql" and len(parts_of(quoted(table))) == 1:
        # or it is sought beside the table that points
        table = f"{quoted(connection.settings_dict['NAME'])}.{quoted(table)}"
    return f"FOREIGN KEY ({column}) REFERENCES {quoted(table)} ({key})"


@contextmanager
def tables(writer: str, text: str) -> Iterator[None]:
    """Both tables under these names, two writers of one name, each with a text, and another."""
    with ExitStack() as stack:
        stack.enter_context(called(Writer, writer))
        stack.enter_context(called(Text, text))
        stack.enter_context(made(writer_table(), (text, f"({text_columns()})")))
        fill()
        yield


def fill() -> None:
    for key, name in ((1, "Ann"), (2, "Ann"), (3, "Bob")):
        Writer.objects.create(key=key, name=name, note="x" if key == 2 else "")
    for key, writer, title in ((1, 1, "A"), (2, 2, "B"), (3, 3, "C")):
        Text.objects.create(key=key, writer_id=writer, title=title)


def assert_merges_and_comes_back(reference: str = "named.Text.writer") -> None:
    before = [rows_of(model._meta.db_table) for model in (Writer, Text)]
    run_ = merged(Writer, "name")
    assert run_.held_back == []
    assert counts(run_, reference) == (1, 0, 0)
    assert Writer.objects.get(name="Ann").note == "x"
    moved = Text.objects.order_by("key").values_list("key", "writer_id")
    assert dict(moved).items() <= {1: 1, 2: 1, 3: 3}.items()
    undo(run_)
    assert [rows_of(model._meta.db_table) for model in (Writer, Text)] == before


@pytest.mark.parametrize(("writer", "text"), NAMES, ids=lambda name: name)
def test_whatever_tables_and_columns_are_called_they_are_found(writer: str, text: str) -> None:
    with tables(writer, text):
        assert_merges_and_comes_back()
        assert_a_collision_is_seen()
        with called(Text, "named_elsewhere"):
            (stranger,) = find_undeclared_keys(database("default"), [Writer])[Writer]
            (held,) = planned(Writer, "name").held_back
            assert held.reason.startswith(f"{stranger.label} points at row 2, and no model")


def assert_a_collision_is_seen() -> None:
    Text.objects.create(key=4, writer_id=2, title="A", note="other")
    before = [rows_of(model._meta.db_table) for model in (Writer, Text)]
    assert len(planned(Writer, "name").held_back) == 1
    run_ = merged(Writer, "name", on_collision="discard")
    assert counts(run_, "named.Text.writer") == (1, 1, 0)
    undo(run_)
    assert [rows_of(model._meta.db_table) for model in (Writer, Text)] == before


def test_hidden_rows_are_counted_whatever_their_key_is_called() -> None:
    key, name, closed = (quoted(str(field.column)) for field in Folder._meta.concrete_fields)
    columns = f"{key} integer NOT NULL PRIMARY KEY, {name} varchar(9) NOT NULL, {closed} date"
    with made((Folder._meta.db_table, f"({columns})")):
        for number, day in ((1, date(2024, 1, 3)), (2, None)):
            Folder.everything.create(key=number, name="Ann", closed=day)
        plan = planned(Folder, "name")
        assert plan.warnings[0].startswith("named.Folder: 1 of these rows is hidden")
        merged(Folder, "name")
        assert Folder.everything.get().key == 2


@contextmanager
def elsewhere() -> Iterator[str]:
    """Another schema, or another database of the server, as it stands before a table's name."""
    if connection.vendor == "postgresql":
        run('DROP SCHEMA IF EXISTS "Named.Else" CASCADE', 'CREATE SCHEMA "Named.Else"')
        yield 'Named.Else"."'
        run('DROP SCHEMA "Named.Else" CASCADE')
    elif connection.vendor == "mysql":
        yield f"{connections['other'].settings_dict['NAME']}`.`"
    else:
        run("ATTACH ':memory:' AS \"Named.Else\"")
        yield 'named.else"."'
        run('DETACH "Named.Else"')


@pytest.mark.django_db(transaction=True, databases=["default", "other"])
@only(VENDOR == "sqlite", reason="no foreign key leads from one file to another")
def test_a_model_in_another_schema_has_references() -> None:
    with elsewhere() as schema, tables("named_writer", f"{schema}Named Text"):
        assert_merges_and_comes_back()


@pytest.mark.django_db(transaction=True, databases=["default", "other"])
@only(VENDOR == "sqlite", reason="no foreign key leads from one file to another")
def test_a_table_without_a_model_in_another_schema_holds_groups_back() -> None:
    with elsewhere() as schema, tables("named_writer", f"{schema}named_text"):
        with called(Text, "named_elsewhere"):
            (held,) = planned(Writer, "name").held_back
        assert "named_text" in held.reason
        assert "no model of the project has this table" in held.reason


@pytest.mark.django_db(transaction=True, databases=["default", "other"])
def test_both_tables_may_be_in_another_schema() -> None:
    with elsewhere() as schema, ExitStack() as stack:
        stack.enter_context(called(Writer, f"{schema}Named Writer"))
        stack.enter_context(called(Text, f"{schema}Named Text"))
        # within an attached file the target is named without it
        target = "Named Writer" if connection.vendor == "sqlite" else Writer._meta.db_table
        with called(Writer, target):
            columns = text_columns()
        stack.enter_context(made(writer_table(), (Text._meta.db_table, f"({columns})")))
        fill()
        assert_merges_and_comes_back()
        assert_a_collision_is_seen()


@only(VENDOR != "sqlite", reason="other servers tell cases apart")
def test_cases_are_not_told_apart_where_the_database_does_not() -> None:
    with tables("named_writer", "named_text"), called(Text, "NAMED_Text"):
        assert_merges_and_comes_back()


@only(VENDOR != "sqlite", reason="other servers want the column")
def test_a_foreign_key_that_names_no_column_points_at_the_primary_key() -> None:
    note = ("named_note", "(writer integer REFERENCES Named_Writer ON DELETE CASCADE)")
    with tables("named_writer", "named_text"), made(note):
        run("INSERT INTO named_note VALUES (2)")
        (held,) = planned(Writer, "name").held_back
        assert held.reason.startswith("named_note.writer points at row 2")


def same_table(name: str) -> str:
    """The table under another name than that."""
    if connection.vendor == "postgresql":
        return f'public"."{name}'
    if connection.vendor == "mysql":
        return f"{connection.settings_dict['NAME']}`.`{name}"
    return f'main"."{name.upper()}'


def test_two_models_of_one_table_are_one_reference() -> None:
    with tables("named_writer", "named_text"), called(TextAgain, same_table("named_text")):
        assert_merges_and_comes_back()


@contextmanager
def letters(*rows: tuple[int, int, int]) -> Iterator[None]:
    """Letters with writer and reader; both tables have two models, under different names."""
    column = quoted("READER_ID" if connection.vendor == "postgresql" else "reader_id")
    columns = f"(id integer NOT NULL PRIMARY KEY, writer_id integer NOT NULL, {column} integer)"
    with (
        tables("named_writer", "named_text"),
        called(WriterAgain, same_table("named_writer")),
        called(Letter, "named_letter"),
        called(LetterAgain, same_table("named_letter")),
        made(("named_letter", columns)),
    ):
        for row in rows:
            run(f"INSERT INTO named_letter VALUES {row}")
        yield


def test_what_points_at_another_model_of_the_table_follows_as_well() -> None:
    with letters((1, 2, 3), (2, 3, 2)):
        assert_merges_and_comes_back()
        before = rows_of("named_letter")
        run_ = merged(Writer, "name")
        assert counts(run_, "named.Letter.writer") == (1, 0, 0)
        assert counts(run_, "named.LetterAgain.reader") == (1, 0, 0)
        assert rows_of("named_letter") == ["(1, 1, 3)", "(2, 3, 1)"]
        undo(run_)
        assert rows_of("named_letter") == before


def test_a_row_whose_columns_two_models_know_ties_as_if_one_knew_both() -> None:
    with letters((1, 1, 2)):
        (held,) = planned(Writer, "name").held_back
        assert "named.Letter" in held.reason
        assert merged(Writer, "name").merged == 0


@contextmanager
def partitioned() -> Iterator[None]:
    """The texts in two partitions, by title."""
    with called(Writer, "named_writer"), called(Text, "named_text"):
        whole = f"({text_columns()}) PARTITION BY LIST (title)"
        with made(writer_table(), ("named_text", whole)):
            run(
                "CREATE TABLE named_part_a PARTITION OF named_text FOR VALUES IN ('A', 'C')",
                "CREATE TABLE named_part_b PARTITION OF named_text DEFAULT",
            )
            fill()
            yield


@only(VENDOR != "postgresql", reason="the database has no partitions that foreign keys see")
def test_the_partitions_of_a_table_are_no_strangers() -> None:
    with partitioned():
        assert_merges_and_comes_back()


@only(VENDOR != "postgresql", reason="the database has no partitions that foreign keys see")
def test_a_model_of_one_partition_has_references_and_the_others_are_strangers() -> None:
    with partitioned(), called(Text, "named_part_b"):
        assert_merges_and_comes_back()
        run('UPDATE named_part_a SET """Writer.Id" = 2 WHERE title = \'A\'')
        (held,) = planned(Writer, "name").held_back
        assert held.reason.startswith('named_part_a."""Writer.Id" points at row 2')


@only(VENDOR != "postgresql", reason="the database has no partitions that foreign keys see")
def test_a_partition_and_its_whole_are_one_reference() -> None:
    with partitioned(), called(TextAgain, "named_part_b"):
        assert_merges_and_comes_back()


@only(VENDOR != "postgresql", reason="the database has no partitions that foreign keys see")
def test_what_points_at_a_partition_holds_the_group_of_a_partitioned_row_back() -> None:
    with called(Writer, "named_writer"), called(Text, "named_text"):
        key, name, note = (quoted(str(f.column)) for f in Writer._meta.concrete_fields)
        columns = f"{key} integer PRIMARY KEY, {name} varchar(50), {note} varchar(50)"
        with made(
            ("named_writer", f"({columns}) PARTITION BY RANGE ({key})"),
            ("named_low", "PARTITION OF named_writer FOR VALUES FROM (0) TO (2)"),
            ("named_high", "PARTITION OF named_writer DEFAULT"),
            ("named_text", f"({text_columns()})"),
            ("named_note", f"(writer integer REFERENCES named_high ({key}))"),
        ):
            fill()
            assert_merges_and_comes_back()
            run("INSERT INTO named_note VALUES (2)")
            (held,) = planned(Writer, "name").held_back
            assert held.reason.startswith("named_note.writer points at row 2")
            with called(Writer, "named_high"):
                Writer.objects.create(key=4, name="Bob", note="")
                Text.objects.create(key=5, writer_id=4, title="D")
                run_ = merge(plan_merge(match_key(Writer, ["name"])))
                assert counts(run_, "named.Text.writer") == (1, 0, 0)


def level_table(number: int) -> tuple[str, str]:
    above = "named_writer" if number == 0 else f"named_level{number - 1}"
    key = quoted(str(Writer._meta.pk.column)) if number == 0 else "id"
    columns = "id integer PRIMARY KEY, above_id integer, label varchar(5), note varchar(5)"
    points = f"FOREIGN KEY (above_id) REFERENCES {above} ({key})"
    return f"named_level{number}", f"({columns}, UNIQUE (above_id, label), {points})"


def test_rivals_many_levels_deep_do_not_get_into_each_others_way() -> None:
    with called(Writer, "named_writer"), ExitStack() as stack:
        levels = [level_table(number) for number in range(len(LEVELS))]
        stack.enter_context(made(writer_table(), *levels))
        for key in (1, 2):
            Writer.objects.create(key=key, name="Ann", note="")
            for model in LEVELS:
                model._base_manager.create(pk=key, above_id=key, label="x", note=str(key))
        before = [rows_of(name) for name, _ in levels]
        run_ = merged(Writer, "name", on_collision="merge")
        assert [rows_of(name) for name, _ in levels] == [["(1, 1, 'x', '1')"]] * len(levels)
        undo(run_)
        assert [rows_of(name) for name, _ in levels] == before


@pytest.mark.parametrize(
    ("quoted_name", "parts"),
    [
        ('"a"', ("a",)),
        ('"a"."b"', ("a", "b")),
        ('"a""b"."c.d"', ('a"b', "c.d")),
        ("`a`.`b``c`", ("a", "b`c")),
        ('"a"b"', ()),
        ('""', ()),
    ],
)
def test_a_quoted_name_is_taken_apart(quoted_name: str, parts: tuple[str, ...]) -> None:
    assert parts_of(quoted_name) == parts


def test_names_that_are_too_long_stay_apart() -> None:
    long = "dedupe_plan_map" + "_12" * 20
    names = {bounded(long + end) for end in ("", "_1", "_2", "_in_1")}
    assert len(names) == 4
    assert all(len(name) <= 63 for name in names)
    assert bounded("dedupe_plan_map") == "dedupe_plan_map"
