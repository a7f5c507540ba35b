"""Undo brings every column back to the letter, whatever its type, known to the model or not."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection

from dedupe_toolkit import match_key, merge, plan_merge, row_set, undo
from dedupe_toolkit.errors import MergeRefused, UndoRefused
from dedupe_toolkit.reviewing.preview import preview_merge
from tests.kit import merged
from tests.references.naming import called, made, rows_of, run
from tests.situations.keyed.models import Account, Settings, Shortcut
from tests.situations.named.models import Plain, PlainText

if TYPE_CHECKING:
    from collections.abc import Iterator


pytestmark = pytest.mark.django_db(transaction=not connection.features.can_rollback_ddl)
only = pytest.mark.skipif
VENDOR = connection.vendor

MYSQL = [
    ("FLOAT", "1.1, 3.4028234e38, 1.1754944e-38, 16777217, -0.1, 1e-45"),
    ("FLOAT(7,3)", "1234.567, 0.001"),
    ("DOUBLE", "0.1, 1.7976931348623157e308, 5e-324, 123456789.123456789"),
    ("DECIMAL(65,30)", "12345678901234567890123456789012345.123456789012345678901234567891"),
    ("TIMESTAMP(6) NULL", "'2026-10-25 02:30:00.000001', NULL, 0"),
    ("TIMESTAMP", "'2026-03-29 01:59:59', '1970-01-01 12:00:01', '2038-01-18 03:14:07'"),
    ("DATETIME(6)", "'0000-00-00', '2026-02-31 10:00:00', '9999-12-31 23:59:59.999999'"),
    ("DATE", "'0000-00-00', '2026-00-00', '2026-02-30'"),
    ("TIME(6)", "'-838:59:59', '838:59:59.999999', '00:00:00.000001'"),
    ("YEAR", "1901, 0, 2155"),
    ("BIT(9)", "b'0', b'111111111', b'100000001'"),
    ("BIGINT UNSIGNED", "18446744073709551615, 0"),
    ("ENUM('a', 'b,''c', '')", "'a', 'b,''c', ''"),
    ("SET('a', 'b')", "'a,b', '', 'b'"),
    ("BINARY(4)", "x'00ff0000', x'20202020', ''"),
    ("VARBINARY(9)", "x'00ff00', '', x'5c27'"),
    ("CHAR(5)", "'a', '', 'a b'"),
    ("VARCHAR(9) CHARACTER SET latin1", "'\u00e9 ', ' x  ', '\\0x'"),
    ("LONGTEXT", "CONCAT('a', CHAR(0 USING utf8mb4), 'b'), REPEAT('x', 70000)"),
    ("LONGBLOB", "x'00ff275c', ''"),
    ("POINT", "ST_GeomFromText('POINT(1.1 -0.3)'), ST_GeomFromText('POINT(0 0)', 4326)"),
    ("GEOMETRY", "ST_GeomFromText('POLYGON((0 0, 0 3.3, 3 0, 0 0))'), NULL"),
    ("JSON", "'{\"b\": 1,  \"a\": 1.50}', '[]'"),
]
POSTGRESQL = [
    ("real", "1.1, 'NaN', '-Infinity', 3.4028235e38, 1e-45, '-0'"),
    ("double precision", "0.1, 'NaN', 5e-324, '-0'"),
    ("numeric", "'NaN', 1.500, 1e-30, 'Infinity'"),
    ("timestamptz", "'infinity', '0044-03-15 12:00:00 BC', '2026-10-25 00:30:00.000001+00'"),
    ("date", "'-infinity', '0001-01-01 BC', '2026-02-03'"),
    ("interval", "'-1 year +2 days -03:04:05.000006', '1 mon -1 day', '00:00:00'"),
    ("time with time zone", "'24:00:00+05:30', '00:00:00.000001-12'"),
    ("money", "'-1234.56', '0.01'"),
    ("point", "'(1.1,-0.3)', '(NaN,0)'"),
    ("polygon", "'((0,0),(0,3.3),(3,0))', '((1,1))'"),
    ("circle", "'<(0.1,0.2),0.3>'"),
    ("json", '\'{"b": 1,  "a": 1.50, "b": null}\', \'[]\''),
    ("jsonb", "'{\"a\": 1.50}', '\"x\"'"),
    ("bytea", "'\\x00ff275c', ''"),
    ("text[]", '\'{NULL,"NULL","a,\\"b",""}\', \'{{a,b},{c,d}}\', \'{}\''),
    ("int4range", "'[1,5)', 'empty', '(,)'"),
    ("bit varying(9)", "B'101', B''"),
    ("character(5)", "'a', '', 'a b'"),
    ('"char"', "'a', ''"),
    ("tsvector", "'a:1A fat:2,4 cat'::tsvector"),
    ("inet", "'10.0.0.1/8', '::1'"),
    ("xml", "'<a b=\"c\">d</a>'"),
    ("named_pair", "ROW(1, 'a,\"b'), ROW(NULL, '')"),
]
SQLITE = [
    ("text", "'a' || char(0) || 'b', char(0), 'a' || char(0), '', 'plain'"),
    ("text", "1, 1.5, x'00ff', NULL, '1'"),
    ("integer", "9223372036854775807, -9223372036854775808, 'x', 1.5"),
    ("real", "0.1, 9e999, -9e999, -0.0, 5e-324, 1e22"),
    ("blob", "x'', x'00', 'text', 1"),
    ("", "'1', 1, 1.0, x'31'"),
]
TYPES = {"mysql": MYSQL, "postgresql": POSTGRESQL, "sqlite": SQLITE}[VENDOR]


@contextmanager
def plain(extra: str, of_text: str = "", key: str = "integer") -> Iterator[None]:
    """Tables with columns that their models do not know, after those that they know."""
    id_ = f"id {key} PRIMARY KEY"
    with made(
        ("named_plain", f"({id_}, name varchar(9) NOT NULL, note varchar(9){extra})"),
        ("named_plaintext", f"({id_}, plain_id integer NOT NULL{of_text})"),
    ):
        yield


def dumped(extra: str = "''") -> list[Any]:
    """Both tables, and the text of a column that Python may not be able to hold."""
    columns = {
        # with the class in which each value is stored
        "sqlite": f"typeof({extra}), hex({extra}), quote({extra})",
        "postgresql": f"({extra})::text",
        # its text of a FLOAT is short
        "mysql": f"HEX({extra}), CAST({extra} AS DOUBLE), HEX(CAST({extra} AS BINARY))",
    }[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id, name, note, {columns} FROM named_plain")
        return [sorted(map(repr, cursor.fetchall())), rows_of("named_plaintext")]


@contextmanager
def lax() -> Iterator[None]:
    """Inside, the session takes what does not fit."""
    if connection.vendor != "mysql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@SESSION.sql_mode")
        (before,) = cursor.fetchone()
        cursor.execute("SET SESSION sql_mode = 'ALLOW_INVALID_DATES'")
        try:
            yield
            cursor.execute("SELECT @@SESSION.sql_mode")
            assert cursor.fetchone() == ("ALLOW_INVALID_DATES",)
        finally:
            cursor.execute("SET SESSION sql_mode = %s", [before])


@pytest.mark.parametrize("is_lax", [False, True], ids=["strict", "lax"])
@pytest.mark.parametrize(("kind", "values"), TYPES, ids=lambda text: text[:30])
def test_a_deleted_row_comes_back_to_the_letter(kind: str, values: str, is_lax: bool) -> None:
    if kind == "named_pair":
        run("CREATE TYPE named_pair AS (a integer, b text)")
    with plain(f", extra {kind}"):
        with lax():
            run("INSERT INTO named_plain (id, name) VALUES (1, 'x')")
            for number, value in enumerate(values_of(values), start=2):
                run(f"INSERT INTO named_plain VALUES ({number}, 'x', NULL, {value})")
        # a shape is neither number nor text
        extra = "HEX(extra)" if kind in ("POINT", "GEOMETRY") else "extra"
        before = dumped(extra)
        if is_lax:
            with lax():
                done = merged(Plain, "name")
        else:
            done = merged(Plain, "name")
        assert Plain.objects.count() == 1
        undo(done)
        assert dumped(extra) == before


def values_of(text: str) -> list[str]:
    """The values of a list in SQL; those in brackets or quotes may have commas."""
    values, depth, quoted = [""], 0, False
    for letter in text:
        quoted ^= letter == "'"
        depth += 0 if quoted else (letter == "(") - (letter == ")")
        if letter == "," and not quoted and not depth:
            values.append("")
        else:
            values[-1] += letter
    return values


def test_a_row_whose_key_is_zero_comes_back() -> None:
    auto = " AUTO_INCREMENT" if connection.vendor == "mysql" else ""
    with plain("", key=f"integer{auto}"):
        with lax():
            run("INSERT INTO named_plain VALUES (1, 'x', NULL)")
            run("INSERT INTO named_plain VALUES (2, 'x', NULL)")
            run("UPDATE named_plain SET id = 0 WHERE id = 2")
        before = rows_of("named_plain")
        done = merge(plan_merge(match_key(Plain, ["name"])))
        assert Plain.objects.count() == 1
        undo(done)
        assert rows_of("named_plain") == before


@only(VENDOR != "postgresql", reason="the database has no identity columns")
@pytest.mark.parametrize("always", ["ALWAYS", "BY DEFAULT"])
def test_keys_that_only_the_database_gives_come_back(always: str) -> None:
    number = f", serial integer GENERATED {always} AS IDENTITY (START WITH 50)"
    with made(
        (
            "named_plain",
            f"(id integer GENERATED {always} AS IDENTITY PRIMARY KEY, name text, note text)",
        ),
        ("named_plaintext", f"(id integer PRIMARY KEY, plain_id integer{number})"),
    ):
        run("INSERT INTO named_plain (name) VALUES ('x'), ('x'), ('x')")
        run("INSERT INTO named_plaintext VALUES (1, 2), (2, 3)")
        before = dumped()
        done = merged(Plain, "name")
        assert set(PlainText.objects.values_list("plain_id", flat=True)) == {1}
        undo(done)
        assert dumped() == before


@only(VENDOR != "mysql", reason="no column changes by itself")
@pytest.mark.parametrize("kind", ["TIMESTAMP", "DATETIME(6)"])
def test_columns_that_stamp_themselves_keep_what_they_had(kind: str) -> None:
    digits = kind.partition("(")[2] and "(6)"
    now = f"CURRENT_TIMESTAMP{digits}"
    stamped = f", touched {kind} NOT NULL DEFAULT {now} ON UPDATE {now}"
    with plain(stamped, stamped):
        run(
            "INSERT INTO named_plain VALUES (1, 'x', '', '2001-01-01'), (2, 'x', 'n', '2002-02-02')"
        )
        run("INSERT INTO named_plaintext VALUES (1, 2, '2003-03-03'), (2, 1, '2004-04-04')")
        before, stamps = dumped("touched"), rows_of_stamps()
        done = merged(Plain, "name")
        assert Plain.objects.get().note == "n"
        assert rows_of_stamps() <= stamps
        undo(done)
        assert dumped("touched") == before


def rows_of_stamps() -> set[Any]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 'a', id, touched FROM named_plain"
            " UNION SELECT 'b', id, touched FROM named_plaintext"
        )
        return set(cursor.fetchall())


@only(VENDOR != "mysql", reason="the database has no such limit")
def test_a_row_too_large_for_the_journal_holds_its_group_back() -> None:
    with plain(", extra LONGTEXT, more LONGTEXT"), connection.cursor() as cursor:
        cursor.execute("SELECT @@max_allowed_packet")
        (limit,) = cursor.fetchone()
        half = f"REPEAT('x', {limit // 2})"
        run("INSERT INTO named_plain (id, name) VALUES (1, 'x'), (3, 'y'), (4, 'y')")
        run(f"INSERT INTO named_plain VALUES (2, 'x', NULL, {half}, {half})")
        done = merge(plan_merge(match_key(Plain, ["name"])))
        assert (done.merged, done.groups_held_back) == (1, 1)
        assert done.held_back[0]["reason"] == (
            "named.Plain: extra, more of row 2 is longer than the journal can keep: raise"
            " max_allowed_packet of the server and of the connection, or shorten it"
        )
        assert set(Plain.objects.values_list("id", flat=True)) == {1, 2, 3}


@pytest.mark.parametrize("value", ["CAST('1.50' AS DECIMAL(9, 2))", "CAST('10:00' AS TIME)"])
def test_json_that_its_text_does_not_give_back_holds_its_group_back(value: str) -> None:
    if connection.display_name != "MySQL":
        pytest.skip("JSON is what its text says")
    with plain(", extra JSON"):
        run("INSERT INTO named_plain VALUES (1, 'x', '', NULL), (3, 'y', '', '1.5')")
        run("INSERT INTO named_plain VALUES (4, 'y', '', '[null, 1e300, -0.0, \"10:00\"]')")
        run(f"INSERT INTO named_plain VALUES (2, 'x', '', JSON_OBJECT('a', {value}))")
        before = dumped("extra")
        done = merged(Plain, "name")
        assert "row 2 as it is: extra holds JSON" in done.held_back[0]["reason"]
        assert done.merged == 1
        undo(done)
        assert dumped("extra") == before


@only(VENDOR != "postgresql", reason="no table inherits from another")
def test_rows_of_a_table_that_inherits_hold_their_groups_back() -> None:
    with plain(""):
        run("CREATE TABLE named_heir (more integer) INHERITS (named_plain)")
        run("INSERT INTO named_plain VALUES (1, 'x', ''), (3, 'y', ''), (4, 'y', '')")
        run("INSERT INTO named_heir VALUES (2, 'x', '', 7)")
        run("INSERT INTO named_plaintext VALUES (1, 2), (2, 4)")
        before = [rows_of("named_heir"), *dumped()]
        rows = row_set(Plain, [1, 2])
        assert preview_merge(rows) == plan_merge(rows)
        done = merged(Plain, "name")
        assert "row 2 as it is: it stands in a table that" in done.held_back[0]["reason"]
        assert done.merged == 1
        undo(done)
        assert [rows_of("named_heir"), *dumped()] == before
        run("DROP TABLE named_heir")


def _retyped(kind: str) -> None:
    change = {"mysql": "MODIFY extra", "postgresql": "ALTER COLUMN extra TYPE"}[VENDOR]
    run(f"ALTER TABLE named_plain {change} {kind}")


@only(VENDOR == "sqlite", reason="a column's type rounds and cuts nothing")
@pytest.mark.parametrize(
    ("kind", "value", "narrow"),
    [
        ("varchar(20)", "'longer  '", "char(9)"),
        ("varchar(20)", "'longer'", "varchar(3)"),
        ("numeric(9, 3)", "1.239", "numeric(9, 1)"),
        ("timestamp(6)", "'2026-01-02 03:04:05.678901'", "timestamp(0)"),
        ("integer", "70000", "smallint"),
    ],
)
def test_what_no_longer_fits_into_its_column_is_in_the_way_of_an_undo(
    kind: str, value: str, narrow: str
) -> None:
    null = " NULL" if VENDOR == "mysql" else ""
    with plain(f", extra {kind}{null}"):
        run(f"INSERT INTO named_plain VALUES (1, 'x', NULL, {value}), (2, 'x', NULL, {value})")
        run("INSERT INTO named_plaintext VALUES (5, 2)")
        before = dumped("extra")
        done = merge(plan_merge(match_key(Plain, ["name"])))
        run("UPDATE named_plain SET extra = NULL")
        _retyped(narrow + null)
        after = dumped("extra")
        for is_dry in (True, False):
            with pytest.raises(UndoRefused, match="Plain"):
                undo(done, dry_run=is_dry)
        assert dumped("extra") == after
        _retyped(kind + null)
        run(f"UPDATE named_plain SET extra = {value}")
        undo(done)
        assert dumped("extra") == before


@only(VENDOR == "sqlite", reason="a column's type rounds and cuts nothing")
@pytest.mark.parametrize(
    ("kind", "value", "wide"),
    [
        ("varchar(9)", "'a '", "text"),
        ("numeric(9, 3)", "1.239", "numeric(12, 6)"),
        ("timestamp(0)", "'2026-01-02 03:04:05'", "timestamp(6)"),
        ("integer", "70000", "bigint"),
        ("integer", "70000", "varchar(9)"),
    ],
)
def test_a_column_that_has_been_widened_lets_a_run_be_undone(
    kind: str, value: str, wide: str
) -> None:
    null = " NULL" if VENDOR == "mysql" else ""
    with plain(f", extra {kind}{null}"):
        run(f"INSERT INTO named_plain VALUES (1, 'x', '', {value}), (2, 'x', '', {value})")
        before = dumped("extra")
        done = merge(plan_merge(match_key(Plain, ["name"])))
        _retyped(wide + null)
        undo(done)
        using = "" if VENDOR == "mysql" else f" USING extra::{kind}"
        _retyped(f"{kind}{null}{using}")
        assert dumped("extra") == before


def test_a_column_that_is_gone_refuses_an_undo_and_is_named() -> None:
    with plain(", extra integer"):
        run("INSERT INTO named_plain VALUES (1, 'x', '', 1), (2, 'x', '', 2)")
        done = merge(plan_merge(match_key(Plain, ["name"])))
        run("ALTER TABLE named_plain DROP COLUMN extra")
        with pytest.raises(UndoRefused, match=r"named\.Plain has no column extra any more"):
            undo(done)


@only(VENDOR != "sqlite", reason="a column holds values of its own type alone")
def test_a_column_of_any_type_keeps_the_type_of_each_value() -> None:
    with made(
        ("named_plain", "(id integer PRIMARY KEY, name text, note text, extra ANY) STRICT"),
        ("named_plaintext", "(id integer PRIMARY KEY, plain_id integer)"),
    ):
        run("INSERT INTO named_plain VALUES (1, 'x', '', NULL), (2, 'x', 'n', '005')")
        run("INSERT INTO named_plain VALUES (3, 'x', 'n', 7), (4, 'x', 'n', '1e3')")
        before = dumped("extra")
        done = merged(Plain, "name")
        assert "'005'" in dumped("extra")[0][0]
        undo(done)
        assert dumped("extra") == before


@only(VENDOR != "sqlite", reason="a column holds values of its own type alone")
@pytest.mark.parametrize(("key", "of_texts"), [("int", False), ("", False), ("", True)])
def test_a_key_of_a_type_that_its_column_does_not_declare_holds_its_group_back(
    key: str, of_texts: bool
) -> None:
    odd = "'x'" if key else "2"
    keys = ("integer", key) if of_texts else (key, "integer")
    with made(
        ("named_plain", f"(id {keys[0]} PRIMARY KEY, name text, note text)"),
        ("named_plaintext", f"(id {keys[1]} PRIMARY KEY, plain_id)"),
    ):
        run("INSERT INTO named_plain VALUES (1, 'x', ''), (3, 'y', ''), (4, 'y', '')")
        run(f"INSERT INTO named_plain VALUES ({2 if of_texts else odd}, 'x', '')")
        run("INSERT INTO named_plaintext VALUES (2, 2)" if of_texts else "SELECT 1")
        before = rows_of("named_plain"), rows_of("named_plaintext")
        plan = plan_merge(match_key(Plain, ["name"]))
        told = str(plan.held_back[0].reason)
        assert f"{'named.PlainText' if of_texts else 'named.Plain'}: id of row" in told
        done = merge(plan)
        assert done.merged == plan.mergeable == (0 if keys[0] == "" else 1)
        undo(done) if done.merged else None
        assert (rows_of("named_plain"), rows_of("named_plaintext")) == before


@only(VENDOR != "mysql", reason="the database has no such setting")
def test_a_session_that_looks_at_no_foreign_keys_is_left_as_it_was() -> None:
    first, second = (Account.objects.create(name="Ann") for _ in range(2))
    Shortcut.objects.create(settings=Settings.objects.create(account=second))
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION foreign_key_checks = 0")
        try:
            undo(merged(Account, "name"))
            cursor.execute("SELECT @@SESSION.foreign_key_checks")
            assert cursor.fetchone() == (0,)
        finally:
            cursor.execute("SET SESSION foreign_key_checks = 1")
    assert Shortcut.objects.get().settings_id == second.pk != first.pk


@only(VENDOR != "postgresql", reason="values have one text")
def test_settings_of_the_session_do_not_round_what_is_journaled() -> None:
    with plain(", extra double precision, span interval, paid money, bytes bytea, open tstzrange"):
        days = "'[2026-01-02 03:04:05+00, 2026-02-03 04:05:06+00)'"
        run(
            f"INSERT INTO named_plain VALUES (1, 'x', NULL, 0.1, '1 day', 1, NULL, {days}),"
            " (2, 'x', NULL, 0.30000000000000004, '-1 year +2 days -03:04:05', 1234.56,"
            f" '\\x00ff', {days})"
        )
        before = rows_of("named_plain")
        run("SET extra_float_digits = -3", "SET intervalstyle = 'sql_standard'")
        run("SET bytea_output = 'escape'", "SET timezone = 'Asia/Tokyo'")
        done = merged(Plain, "name")
        with connection.cursor() as cursor:
            cursor.execute("SHOW intervalstyle")
            assert cursor.fetchone() == ("sql_standard",)
        run("RESET extra_float_digits", "RESET intervalstyle", "RESET bytea_output")
        run("RESET timezone")
        undo(done)
        assert rows_of("named_plain") == before


@pytest.mark.parametrize("held", ["varchar(9)", "text"])
def test_a_number_that_is_held_as_text_refuses_the_merge_before_anything_is_written(
    held: str,
) -> None:
    columns = f"(id integer PRIMARY KEY, plain_id {held})"
    with plain(""), made(("named_made", columns)), called(PlainText, "named_made"):
        run("INSERT INTO named_plain (id, name) VALUES (1, 'x'), (2, 'x')")
        run("INSERT INTO named_made VALUES (1, '02'), (2, 'none')")
        with pytest.raises(MergeRefused, match=r"named\.PlainText\.plain is .*: give both columns"):
            plan_merge(match_key(Plain, ["name"]))
        assert len(rows_of("named_plain")) == 2


@pytest.mark.parametrize("held", ["decimal(20, 2)", "decimal(20, 0)", "double precision", "bigint"])
def test_a_number_that_is_held_with_decimal_places_goes_back_to_what_it_was(held: str) -> None:
    columns = f"(id integer PRIMARY KEY, plain_id {held})"
    with plain(""), made(("named_made", columns)), called(PlainText, "named_made"):
        run("INSERT INTO named_plain (id, name) VALUES (1, 'x'), (2, 'x')")
        run("INSERT INTO named_made VALUES (1, 1), (2, 2)")
        before = rows_of("named_made")
        done = merged(Plain, "name")
        assert PlainText.objects.filter(plain=1).count() == 2
        undo(done)
        assert rows_of("named_made") == before
