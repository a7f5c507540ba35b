"""Cases 41 and 42: the constraint keeps duplicates from coming back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dedupe_toolkit.prove.processes import run_in_step
from testproject.library.models import Author
from tests.prove.races import unique
from tests.source.project import CONCURRENTLY

if TYPE_CHECKING:
    from dedupe_toolkit.prove.processes import Turn
    from tests.source.project import Project

PROCESSES = 20
INVALID_INDEX = """
try:
    connection.cursor().execute('CREATE UNIQUE INDEX CONCURRENTLY my_uniq ON shop_item (name)')
except IntegrityError:
    print("invalid")
"""


def test_case_41_a_migration_stops_on_late_duplicates_and_the_next_try_starts_afresh(
    project: Project,
) -> None:
    key = ("shop.Item", "--fields", "name")
    project.python("for name in 'aa': make('shop.Item', name=name)")
    project.must("merge_duplicates", *key, "--no-input")
    project.must("make_unique", *key, "--name", "my_uniq", "--concurrently")
    project.python("for name in 'ab': make('shop.Item', name=name)")
    assert "shop.Item has 1 duplicate group (2 rows) on name" in project.refuses("migrate", "-v0")
    if project.has(CONCURRENTLY):
        assert project.python(INVALID_INDEX) == "invalid\n"
    project.must("merge_duplicates", *key, "--no-input")
    project.must("migrate", "-v", "0")
    assert project.python("print(fails('shop.Item', name='a'))") == "True\n"


@pytest.mark.django_db(transaction=True)
def test_case_42_twenty_processes_get_or_create_one_row_and_all_get_it() -> None:
    with unique(Author, "first_name", "last_name"):
        got = run_in_step(f"{__name__}.get_or_create_one", processes=PROCESSES)
    author = Author.objects.get()
    assert [pk for pk, _ in got] == [author.pk] * PROCESSES
    assert sum(created for _, created in got) == 1


def get_or_create_one(turn: Turn) -> tuple[int, bool]:
    turn.wait()
    author, created = Author.objects.get_or_create(first_name="Leo", last_name="Tolstoy")
    return author.pk, created
