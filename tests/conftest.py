"""What the suite collects, and which of it need not run on every version or every database."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.admin.browser import browser, page
from tests.roles import somebody
from tests.source.fixtures import project, template, untouched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.concurrency_kit import Session
    from tests.situations.links.models import Author

__all__ = ["browser", "page", "project", "somebody", "template", "untouched"]

# What nohup and shells without job control let a suite ignore, all processes that it starts would
# ignore as well, and never be stopped. A signal that is handled is nobody's affair but ours.
for _number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, lambda number, frame: None)

SLOW = (
    "tests/cases/test_constraint.py",
    "tests/proof/",
    "tests/merging/test_concurrency",
    "tests/commands/test_dedupe.py",
    "tests/package/test_demo.py",
    "tests/package/test_films_import.py",
    "tests/merging/test_killed.py",
    "tests/commands/test_merge_runs.py",
    "tests/prove/test_prove.py",
    "tests/prove/test_race.py",
    "tests/undoing/test_concurrency.py",
    "tests/commands/test_recording.py",
    "tests/commands/test_terminal.py",
)
# nothing here is decided by a database; a test that asks for one is run on each all the same
ANY_DATABASE = (
    "tests/proof/test_mutations.py",
    "tests/proof/test_schema.py",
    "tests/source/",
    "tests/package/test_docs.py",
    "tests/package/test_layers.py",
    "tests/package/test_packaging.py",
    "tests/references/test_refusals.py",
    "tests/package/test_values.py",
)
# a terminal, and what the desk says and asks of a user, are the same beside each server
ANY_SERVER = (
    "tests/admin/test_history.py",
    "tests/admin/test_odd_rows.py",
    "tests/admin/test_plain_words.py",
    "tests/admin/test_rights",
    "tests/admin/test_sites.py",
    "tests/admin/test_tasks.py",
    "tests/commands/test_recording.py",
    "tests/commands/test_terminal.py",
    "tests/commands/test_wrong_arguments.py",
)
_DATABASE_FIXTURES = {"db", "transactional_db", "project", "untouched"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.startswith(SLOW):
            item.add_marker(pytest.mark.slow)
        if item.nodeid.startswith(ANY_SERVER):
            item.add_marker(pytest.mark.any_server)
        if item.nodeid.startswith(ANY_DATABASE) and not _has_a_database(item):
            item.add_marker(pytest.mark.any_database)


def _has_a_database(item: pytest.Item) -> bool:
    """Whether the test has asked for one: pytest-django keeps all others from it."""
    asked = _DATABASE_FIXTURES.intersection(getattr(item, "fixturenames", ()))
    return bool(asked) or item.get_closest_marker("django_db") is not None


@pytest.fixture(autouse=True)
def _asking_anew() -> None:
    """What the catalogue said to one test, another does not go by."""
    from dedupe_toolkit.databases.caching import forget

    forget()


@pytest.fixture
def declare(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Register a model for one test; what is registered of it otherwise comes back."""
    # the app registry is not ready yet when this file is imported
    from dedupe_toolkit import registry

    monkeypatch.setattr(registry, "_declarations", {**registry._declarations})
    return registry.register


@pytest.fixture
def guarded() -> Iterator[None]:
    """The guard watches, and has seen nothing yet."""
    from dedupe_toolkit.guard import memory, watching

    watching.install()
    memory.forget()
    yield
    watching.uninstall()
    memory.forget()


@pytest.fixture
def other(transactional_db: None) -> Iterator[Session]:
    """Another session of the database."""
    from tests.concurrency_kit import session

    with session() as found:
        yield found


@pytest.fixture
def pair(transactional_db: None) -> tuple[Author, Author]:
    """A survivor and its duplicate, at which a book points."""
    from tests.situations.links.models import Author, Book

    survivor, duplicate = (Author.objects.create(name="Ann") for _ in range(2))
    Book.objects.create(author=duplicate, title="War")
    return survivor, duplicate
