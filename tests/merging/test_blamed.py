"""Whatever a database does to one row holds its group back, and the others merge."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection

from dedupe_toolkit import match_key, merge, plan_merge, undo
from dedupe_toolkit.errors import UndoRefused
from tests.commands.kit import run as told_by
from tests.kit import assert_undo_restores, planned, snapshot
from tests.situations.links.models import Author, Book
from tests.situations.objects.models import Book as Volume
from tests.situations.objects.models import Chapter, Footnote, Verse
from tests.situations.odd.models import Audit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dedupe_toolkit import MergeRun

pytestmark = pytest.mark.django_db(transaction=True)

KEPT = {
    "sqlite": "BEGIN SELECT RAISE(IGNORE) WHERE OLD.id = {pk}; END",
    "postgresql": "IF OLD.id = {pk} THEN RETURN NULL; END IF;",
    "mysql": "IF OLD.id = {pk} THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'kept'; END IF",
}
"""A row is kept without a word, but for MariaDB and MySQL, where that cannot be."""

BROKEN = {
    "sqlite": "WHEN OLD.id = {pk} BEGIN SELECT RAISE(FAIL, 'broken'); END",
    "postgresql": "IF OLD.id = {pk} THEN PERFORM count(*) FROM nowhere; END IF;",
    "mysql": "IF OLD.id = {pk} THEN SET @it = (SELECT 1 UNION SELECT 2); END IF",
}
"""A trigger that is wrong, in another way than by what it raises."""


STAMPING = {
    "sqlite": "WHEN OLD.id = {pk} BEGIN UPDATE links_book SET title = 'new' WHERE id = {pk}; END",
    "postgresql": "IF OLD.id = {pk} THEN NEW.title = 'new'; END IF;",
    "mysql": "IF OLD.id = {pk} THEN SET NEW.title = 'new'; END IF",
}
"""A trigger that changes what it was not asked to."""

IDLE = {"sqlite": "BEGIN SELECT 1; END", "postgresql": "", "mysql": "SET @it = 1"}


@contextmanager
def trigger(when: str, table: str, body: dict[str, str], pk: int) -> Iterator[None]:
    does = body[connection.vendor].format(pk=pk)
    create = f"CREATE TRIGGER guard BEFORE {when} ON {table}"
    if connection.vendor == "postgresql":
        result = "OLD" if when == "DELETE" else "NEW"
        execute(
            f"CREATE FUNCTION guard() RETURNS trigger AS $$ BEGIN {does} RETURN {result}; END $$"
            " LANGUAGE plpgsql"
        )
        execute(f"{create} FOR EACH ROW EXECUTE FUNCTION guard()")
    else:
        execute(f"{create} {'FOR EACH ROW ' if connection.vendor == 'mysql' else ''}{does}")
    try:
        yield
    finally:
        if connection.vendor == "postgresql":
            execute("DROP FUNCTION guard() CASCADE")
        else:
            execute("DROP TRIGGER guard")


def execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def pairs() -> list[Author]:
    """Duplicates of three names, each with a book."""
    found = [Author.objects.create(name=name) for name in "ABCABC"]
    for author in found:
        Book.objects.create(author=author, title=author.name)
    return found


def run() -> MergeRun:
    return merge(plan_merge(match_key(Author, ["name"])))


@pytest.mark.parametrize("body", [KEPT, BROKEN], ids=["kept", "broken"])
@pytest.mark.parametrize("when", ["DELETE", "UPDATE"])
def test_a_trigger_in_the_way_of_one_row_holds_its_group_back(
    when: str, body: dict[str, str]
) -> None:
    lost = pairs()[4]
    table, row = (
        ("links_author", lost)
        if when == "DELETE"
        else ("links_book", Book.objects.get(author=lost))
    )
    before = snapshot()
    with trigger(when, table, body, row.pk):
        done = run()
    assert (done.merged, done.status) == (2, done.Status.DONE)
    (held,) = done.held_back
    assert held["values"] == {"name": "B"}
    assert Author.objects.filter(name="B").count() == 2
    if body is KEPT and connection.vendor != "mysql":
        kind = "Author" if when == "DELETE" else "Book"
        assert held["reason"].startswith(f"links.{kind}: 1 rows were to change")
    assert_undo_restores(done, before)


@pytest.mark.parametrize("body", [KEPT, BROKEN], ids=["kept", "broken"])
def test_a_trigger_in_the_way_of_an_undo_is_told_and_nothing_is_written(
    body: dict[str, Any],
) -> None:
    lost = pairs()[4]
    book = Book.objects.get(author=lost)
    done = run()
    before = snapshot()
    with trigger("UPDATE", "links_book", body, book.pk):
        with pytest.raises(UndoRefused, match=r"links\.Book"):
            undo(done)
        assert snapshot() == before
        undo(done, survivors=[Author.objects.get(name="A").pk])
    assert Author.objects.filter(name="A").count() == 2
    undo(done)
    assert Author.objects.count() == 6


def test_what_triggers_may_change_beside_is_told_by_the_plan() -> None:
    kept, gone = (Author.objects.create(name="Ann") for _ in range(2))
    book = Book.objects.create(title="old", author=gone)
    assert planned(Author, "name").triggers == ()
    with trigger("UPDATE", "links_book", STAMPING, book.pk):
        plan = planned(Author, "name")
        assert plan.triggers == ("links.Book (guard)",)
        told = told_by("merge_duplicates", "links.Author", "--fields", "name", "--dry-run").out
        assert "Triggers fire as rows are written: links.Book (guard)." in told
        done = merge(planned(Author, "name"))
        book.refresh_from_db()
        assert (book.author, book.title) == (kept, "new")
        undo(done)
    book.refresh_from_db()
    assert (book.author, book.title) == (gone, "new")


def test_triggers_of_tables_with_keys_inside_larger_values_are_told_as_well(
    declare: Callable[..., None],
) -> None:
    declare(Author, references=["odd.Audit.payload__author"])
    _, gone = (Author.objects.create(name="Ann") for _ in range(2))
    audit = Audit.objects.create(payload={"author": None})
    with trigger("UPDATE", "odd_audit", IDLE, 0):
        assert planned(Author, "name").triggers == ()
        Audit.objects.filter(pk=audit.pk).update(payload={"author": gone.pk})
        assert planned(Author, "name").triggers == ("odd.Audit (guard)",)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "columns",
    [
        "",
        "ADD since TIMESTAMP(6) GENERATED ALWAYS AS ROW START,"
        " ADD till TIMESTAMP(6) GENERATED ALWAYS AS ROW END,"
        " ADD PERIOD FOR SYSTEM_TIME (since, till),",
    ],
)
def test_a_table_whose_history_the_database_keeps_is_told_by_the_plan(columns: str) -> None:
    if connection.display_name != "MariaDB":
        pytest.skip("MariaDB only")
    kept, gone = (Author.objects.create(name="Ann") for _ in range(2))
    book = Book.objects.create(title="old", author=gone)
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE links_book {columns} ADD SYSTEM VERSIONING")
        try:
            plan = planned(Author, "name")
            assert (plan.mergeable, plan.versioned) == (1, ("links.Book",))
            told = told_by("merge_duplicates", "links.Author", "--fields", "name", "--dry-run").out
            assert "The database keeps the history of links.Book" in told
            done = merge(planned(Author, "name"))
            assert Book.objects.get(pk=book.pk).author == kept
            undo(done)
            assert Book.objects.get(pk=book.pk).author == gone
        finally:
            cursor.execute("SET system_versioning_alter_history = KEEP")
            dropped = ", DROP since, DROP till" if columns else ""
            cursor.execute(f"ALTER TABLE links_book DROP SYSTEM VERSIONING{dropped}")
            cursor.execute("SET system_versioning_alter_history = DEFAULT")


def test_triggers_of_what_follows_a_key_that_moves_are_told_as_well() -> None:
    _, gone = (Volume.objects.create(title="A") for _ in range(2))
    Chapter.objects.create(book=gone, number=1)
    Verse.objects.create(book_id=gone.pk, chapter_number=1, number=7)
    Footnote.objects.create(book_id=gone.pk, chapter_number=1, number=7)
    for table in ("objects_verse", "objects_footnote"):
        with trigger("UPDATE", table, IDLE, 0):
            assert planned(Volume, "title").triggers == (
                f"objects.{table.removeprefix('objects_').capitalize()} (guard)",
            )
