"""A plan names the references that no index finds, and the index that would help."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dedupe_toolkit.planning.missing_indexes import FEW_ROWS
from tests.kit import passed_by, planned
from tests.situations.generic.models import Like, NumberNote, Page, TextNote, Vote
from tests.situations.indexes.models import (
    Card,
    Fine,
    Ledger,
    Loan,
    Reader,
    Reservation,
    Shift,
    Stamp,
    Visit,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model

pytestmark = pytest.mark.django_db

READS = "has no index, so each batch reads the whole table"
IS_MYSQL = connection.vendor == "mysql"


@pytest.fixture
def readers() -> list[Reader]:
    return [Reader.objects.create(name="Ann") for _ in range(2)]


@pytest.fixture
def pages() -> list[Page]:
    return [Page.objects.create(slug="home") for _ in range(2)]


def fill(model: type[Model], rows: int = FEW_ROWS, **values: Any) -> None:
    model._base_manager.bulk_create(model(**values) for _ in range(rows))


def fill_days(model: type[Model], reader: Reader, start: int = 0) -> None:
    model._base_manager.bulk_create(
        model(reader=reader, day=day)  # type: ignore[call-arg]
        for day in range(start, start + FEW_ROWS)
    )


def fill_notes(model: type[Model], page: Page, **values: Any) -> None:
    fill(
        model,
        content_type=ContentType.objects.get_for_model(Page),
        object_id=page.pk,
        **values,
    )


def reader_warnings(**options: Any) -> tuple[str, ...]:
    return planned(Reader, "name", **options).warnings


def test_a_column_without_an_index_is_named_with_the_one_that_helps(readers: list[Reader]) -> None:
    fill(Visit, reader=readers[0])
    assert reader_warnings() == (
        f"indexes.Visit.reader {READS}: give indexes.Visit.reader db_index=True",
    )


def test_a_foreign_key_that_the_database_checks_costs_a_scan_for_each_row_deleted(
    readers: list[Reader],
) -> None:
    fill(Loan, reader=readers[0])
    warnings = reader_warnings()
    if IS_MYSQL:  # it makes the index itself
        assert warnings == ()
    else:
        assert warnings == (
            f"indexes.Loan.reader {READS}, and so does the database for each row it deletes:"
            " give indexes.Loan.reader db_index=True",
        )


def test_tables_with_few_rows_are_left_in_peace(readers: list[Reader]) -> None:
    fill(Visit, rows=FEW_ROWS - 1, reader=readers[0])
    assert reader_warnings() == ()


def test_nothing_is_said_when_there_is_nothing_to_merge(readers: list[Reader]) -> None:
    fill(Visit, reader=readers[0])
    Reader.objects.filter(pk=readers[1].pk).update(name="Bob")
    assert reader_warnings() == ()


def test_an_index_counts_that_begins_with_the_column(readers: list[Reader]) -> None:
    fill_days(Reservation, readers[0])
    fill_days(Shift, readers[0])
    assert reader_warnings() == (
        f"indexes.Shift.reader {READS}: give indexes.Shift.reader db_index=True",
    )


def test_an_index_of_some_rows_does_not_count(readers: list[Reader]) -> None:
    fill(Fine, reader=readers[0])
    has_none = f"indexes.Fine.reader {READS}: give indexes.Fine.reader db_index=True"
    # MariaDB and MySQL have no such indexes, and Django makes a whole one there
    assert reader_warnings() == (() if IS_MYSQL else (has_none,))


def test_a_primary_key_needs_no_other_index(readers: list[Reader]) -> None:
    others = [Reader(name=str(number)) for number in range(FEW_ROWS)]
    Reader.objects.bulk_create(others)
    Card.objects.bulk_create(Card(reader=reader) for reader in Reader.objects.all())
    assert reader_warnings(on_collision="merge") == ()


def test_what_points_at_rows_that_lose_to_a_rival_is_looked_up_too(readers: list[Reader]) -> None:
    one, two = (Reservation.objects.create(reader=reader, day=1) for reader in readers)
    fill(Stamp, reservation=one)
    assert reader_warnings(on_collision="merge") == (
        f"indexes.Stamp.reservation {READS}: give indexes.Stamp.reservation db_index=True",
    )
    two.delete()
    assert reader_warnings(on_collision="merge") == ()


@pytest.fixture
def ledger(transactional_db: None, readers: list[Reader]) -> Iterator[None]:
    with connection.schema_editor() as editor:
        editor.create_model(Ledger)
    fill(Ledger, reader=readers[0])
    yield
    with connection.schema_editor() as editor:
        editor.delete_model(Ledger)


def execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def test_a_table_that_django_does_not_make_gets_its_index_by_sql(ledger: None) -> None:
    (warning,) = reader_warnings()
    start = f"indexes.Ledger.reader {READS}: "
    assert warning.startswith(f"{start}CREATE INDEX ")
    execute(warning.removeprefix(start))
    assert reader_warnings() == ()


def test_an_index_that_look_ups_pass_by_does_not_count(ledger: None) -> None:
    if not IS_MYSQL:
        pytest.skip("the database has no such indexes")
    table = connection.ops.quote_name(Ledger._meta.db_table)
    execute(f"CREATE INDEX by_hand ON {table} (reader_id)")
    assert reader_warnings() == ()
    execute(f"ALTER TABLE {table} ALTER INDEX by_hand {passed_by()}")
    (warning,) = reader_warnings()
    assert warning.startswith(f"indexes.Ledger.reader {READS}: ")


def test_a_generic_key_needs_an_index_on_both_columns(pages: list[Page]) -> None:
    fill_notes(NumberNote, pages[0])
    assert planned(Page, "slug").warnings == (
        f'generic.NumberNote.subject {READS}: add models.Index(fields=["content_type",'
        ' "object_id"]) to Meta.indexes of generic.NumberNote',
    )


def test_a_generic_key_is_found_by_its_object_id_or_by_the_pair(pages: list[Page]) -> None:
    fill_notes(TextNote, pages[0])
    content_type = ContentType.objects.get_for_model(Page)
    Vote.objects.bulk_create(
        Vote(content_type=content_type, object_id=number, who="Ann") for number in range(FEW_ROWS)
    )
    assert planned(Page, "slug").warnings == ()


def test_a_text_without_length_is_indexed_by_its_beginning_where_it_must(
    pages: list[Page],
) -> None:
    fill_notes(Like, pages[0])
    (warning,) = planned(Page, "slug").warnings
    if IS_MYSQL:
        assert warning.endswith("ON `generic_like` (`content_type_id`, `object_id`(64))")
    else:
        assert warning.endswith("to Meta.indexes of generic.Like")


def test_the_model_of_a_package_gets_its_index_by_sql(pages: list[Page]) -> None:
    user = User.objects.create_user("ann")
    fill_notes(LogEntry, pages[0], user=user, action_flag=1, object_repr="home")
    (warning,) = planned(Page, "slug").warnings
    assert warning.startswith(f"admin.LogEntry.object_id {READS}: CREATE INDEX ")
    assert "models.Index" not in warning


def test_the_number_of_statements_does_not_depend_on_the_tables_or_rows(
    readers: list[Reader],
) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            reader_warnings()
        return len(queries)

    none = asked()
    fill(Visit, reader=readers[0])
    one = asked()
    fill(Fine, reader=readers[0])
    fill_days(Shift, readers[0])
    assert none == one == asked()
