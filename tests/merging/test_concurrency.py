"""Another session adds a reference to a duplicate during a merge: moved or refused, never lost.

PostgreSQL and MariaDB. SQLite lets nobody else write meanwhile: see ``test_concurrency_sqlite``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, connection, transaction

from dedupe_toolkit import match_key, merge, plan_merge, survivor_of
from dedupe_toolkit.databases import database
from tests.concurrency_kit import (
    PATIENCE,
    Session,
    before_a_row_changes,
    before_statement,
    committing,
    merge_equal,
    on_a_server,
    on_postgresql,
    run_sql,
    session,
    until,
)
from tests.kit import assert_undo_restores, planned, snapshot
from tests.situations.family.models import Meal, Restaurant
from tests.situations.generic.models import NumberNote, Page
from tests.situations.keyed.models import City, Country, Treaty
from tests.situations.links.models import Author, Book, Tag, Trace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future
    from typing import Any

pytestmark = [committing, on_a_server]


@pytest.fixture
def pair(transactional_db: None) -> tuple[Author, Author]:
    survivor, duplicate = (Author.objects.create(name="Ann") for _ in range(2))
    return survivor, duplicate


def write_book(author: Author) -> int:
    return Book.objects.create(author_id=author.pk, title="Late").pk


def check_constraints() -> None:
    """MariaDB has done so with the insert; PostgreSQL would not before the commit."""
    # MariaDB would read all tables of the project, one by one
    connection.check_constraints(table_names=[Book._meta.db_table])


def write_link(author: Author) -> None:
    Author.tags.through.objects.create(author_id=author.pk, tag_id=Tag.objects.get().pk)


def write_trace(author: Author) -> None:
    Trace.objects.create(author_id=author.pk)


def write_note(page: Page) -> None:
    kind = ContentType.objects.get_for_model(Page)
    NumberNote.objects.create(content_type_id=kind.pk, object_id=page.pk, text="late")


def write_meal(restaurant: Restaurant) -> None:
    Meal.objects.create(restaurant_id=restaurant.pk)


def refused_after_waiting(other: Session, write: Callable[..., Any], row: Any) -> None:
    """Merge, and meanwhile let the other session write; it must wait, and then be refused."""
    waiting: list[Future[Any]] = []

    def start() -> None:
        waiting.append(other.start(write, row))
        other.wait_until_blocked(waiting[0])

    with before_a_row_changes(start):
        run = merge_equal(type(row), "name")
    assert run.merged == 1
    with pytest.raises(IntegrityError):
        waiting[0].result(PATIENCE)


def test_a_foreign_key_to_a_duplicate_waits_for_the_batch_and_is_then_refused(
    other: Session, pair: tuple[Author, Author]
) -> None:
    refused_after_waiting(other, write_book, pair[1])
    assert not Book.objects.exists()


def test_a_many_to_many_link_to_a_duplicate_waits_for_the_batch_and_is_then_refused(
    other: Session, pair: tuple[Author, Author]
) -> None:
    Tag.objects.create(name="new")
    refused_after_waiting(other, write_link, pair[1])
    assert not Author.tags.through.objects.exists()


def test_a_reference_committed_after_the_plan_is_moved(
    other: Session, pair: tuple[Author, Author]
) -> None:
    plan = planned(Author, "name")
    book = other.do(write_book, pair[1])
    before = snapshot()
    run = merge(plan)
    assert Book.objects.get(pk=book).author_id == pair[0].pk
    assert_undo_restores(run, before)


@pytest.mark.parametrize("ends", ["commit", "rollback"])
def test_a_checked_reference_that_is_not_committed_yet_makes_the_batch_wait(
    other: Session, pair: tuple[Author, Author], ends: str
) -> None:
    with session() as merging:
        other.begin()
        other.do(write_book, pair[1])
        other.do(check_constraints)
        run = merging.start(merge_equal, Author, "name")
        merging.wait_until_blocked(run)
        other.commit() if ends == "commit" else other.rollback()
        assert run.result(PATIENCE).merged == 1
    assert [book.author_id for book in Book.objects.all()] == [pair[0].pk] * (ends == "commit")


@on_postgresql
def test_a_reference_that_is_checked_at_commit_is_refused_there_when_the_batch_was_first(
    other: Session, pair: tuple[Author, Author]
) -> None:
    """Django declares foreign keys as deferred: the insert itself locks nothing."""
    other.begin()
    other.do(write_book, pair[1])
    assert merge_equal(Author, "name").merged == 1
    with pytest.raises(IntegrityError):
        other.commit()
    other.rollback()
    assert not Book.objects.exists()


def test_a_reference_to_the_child_row_of_a_duplicate_is_moved_or_refused(other: Session) -> None:
    """The batch locks the parents' rows; the children's are locked when their turn comes."""
    first, second = (Restaurant.objects.create(name="Roma") for _ in range(2))
    with before_a_row_changes(lambda: other.do(write_meal, second)):
        merge_equal(Restaurant, "name")
    assert Meal.objects.get().restaurant_id == first.pk
    with pytest.raises(IntegrityError):
        other.do(write_meal, second)


def test_a_reference_by_a_value_that_the_survivor_may_take_over_waits(other: Session) -> None:
    first, second = (Country.objects.create(name="Peru", code=code) for code in (None, "PE"))
    City.objects.create(country=second)
    waiting: list[Future[Any]] = []

    def write() -> None:
        waiting.append(other.start(lambda: Treaty.objects.create(country=first)))
        other.wait_until_blocked(waiting[0])

    with before_a_row_changes(write):
        assert merge_equal(Country, "name").merged == 1
    assert waiting[0].result(PATIENCE).country_id == Treaty.objects.get().country_id
    assert City.objects.get().country == first


@pytest.mark.parametrize(
    ("words", "after"),
    [
        (("UPDATE", "links_trace"), ()),
        (("SELECT COUNT(*)", "links_trace"), ("UPDATE", "links_trace")),
    ],
    ids=["between journaling and moving", "between moving and deleting"],
)
def test_a_reference_without_a_constraint_that_comes_in_between_starts_the_batch_again(
    other: Session, pair: tuple[Author, Author], words: tuple[str, ...], after: tuple[str, ...]
) -> None:
    write_trace(pair[1])
    with before_statement(*words, after=after, act=lambda: other.do(write_trace, pair[1])):
        run = merge_equal(Author, "name")
    assert run.merged == 1
    assert list(Trace.objects.values_list("author_id", flat=True)) == [pair[0].pk] * 2


def test_a_reference_without_a_constraint_that_comes_too_late_can_be_led_to_the_survivor(
    other: Session, pair: tuple[Author, Author]
) -> None:
    """Only a constraint could refuse it: it dangles, as after any deletion, but not for good."""
    merge_equal(Author, "name")
    other.do(write_trace, pair[1])
    assert survivor_of(Author, Trace.objects.get().author_id) == pair[0].pk


@pytest.mark.django_db(transaction=True)
def test_a_generic_reference_that_comes_before_the_duplicate_goes_is_moved(other: Session) -> None:
    first, second = (Page.objects.create(slug="a") for _ in range(2))
    with before_a_row_changes(lambda: other.do(write_note, second)):
        merge_equal(Page, "slug")
    assert NumberNote.objects.get().object_id == first.pk


def test_a_transaction_knows_whether_others_wait_for_its_rows(other: Session) -> None:
    author = Author.objects.create(name="a")
    waited = database("default").is_waited_for
    with transaction.atomic():
        Author.objects.filter(pk=author.pk).update(name="b")
        assert not waited()
        waiting = other.start(run_sql, "UPDATE links_author SET name = 'c'")
        other.wait_until_blocked(waiting)
        # MariaDB's list is as old as the last look at it, unless that was a tenth of a second ago
        until(waited, every=0.2)
    waiting.result(PATIENCE)


@pytest.fixture(params=["FUNCTION pg_blocking_pids(integer)", "TABLE pg_locks"])
def blind(transactional_db: None, request: pytest.FixtureRequest) -> Iterator[str]:
    """A role with every right on the tables, which may not see who waits for whom."""
    name = "dedupe_blind"
    run_sql(f"CREATE ROLE {name}")
    try:
        for kind in ("TABLES", "SEQUENCES"):
            run_sql(f"GRANT ALL ON ALL {kind} IN SCHEMA public TO {name}")
        run_sql(f"REVOKE ALL ON {request.param} FROM PUBLIC")
        yield name
    finally:
        right = "SELECT" if request.param.startswith("TABLE") else "EXECUTE"
        run_sql(f"GRANT {right} ON {request.param} TO PUBLIC")
        run_sql(f"DROP OWNED BY {name}")
        run_sql(f"DROP ROLE {name}")


@on_postgresql
def test_who_may_not_see_who_waits_merges_in_batches_all_the_same(blind: str) -> None:
    Author.objects.bulk_create(Author(name=f"{number}") for number in [*range(250)] * 2)
    run_sql(f"SET ROLE {blind}")
    try:
        run = merge(plan_merge(match_key(Author, ["name"])))
    finally:
        run_sql("RESET ROLE")
    assert (run.status, run.merged) == ("done", 250)
    assert run.batches > 1
