"""A merge inside somebody else's transaction: its batches are savepoints, and go back with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path

from dedupe_toolkit import MergeRun, undo
from dedupe_toolkit.models import MergeStep, RowChange
from tests.concurrency_kit import (
    before_a_row_changes,
    committing,
    merge_equal,
    on_a_server,
    on_postgresql,
    session,
)
from tests.kit import assert_undo_restores, snapshot
from tests.situations.links.models import Author, Book

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

pytestmark = committing


class ChangedTheirMind(Exception):
    pass


def in_vain(task: Callable[[], Any]) -> None:
    """Do it in a transaction that is rolled back."""

    def fail() -> None:
        with transaction.atomic():
            task()
            raise ChangedTheirMind

    with pytest.raises(ChangedTheirMind):
        fail()


@pytest.fixture
def books(transactional_db: None) -> None:
    for name in ("Ann", "Bob", "Cid"):
        Author.objects.create(name=name)
        Book.objects.create(author=Author.objects.create(name=name), title=name)


def merge_and_maybe_fail(request: HttpRequest) -> HttpResponse:
    run = merge_equal(Author, "name", batch_size=1)
    if "fail" in request.GET:
        raise ChangedTheirMind
    return HttpResponse(str(run.merged))


urlpatterns = [path("merge", merge_and_maybe_fail)]


def journal() -> list[int]:
    return [model.objects.count() for model in (MergeRun, MergeStep, RowChange)]


def test_batches_are_savepoints_of_an_outer_transaction(books: None) -> None:
    before = snapshot()
    with transaction.atomic():
        run = merge_equal(Author, "name", batch_size=1)
        assert Author.objects.count() == 3
    assert (run.batches, run.merged) == (3, 3)
    assert_undo_restores(run, before)


def test_an_outer_rollback_takes_everything_back_and_the_journal_as_well(books: None) -> None:
    before = snapshot()
    in_vain(lambda: merge_equal(Author, "name", batch_size=1))
    assert snapshot() == before
    assert journal() == [0, 0, 0]
    assert merge_equal(Author, "name").merged == 3


def test_an_outer_rollback_takes_an_undo_back(books: None) -> None:
    run = merge_equal(Author, "name")
    before = snapshot()
    in_vain(lambda: undo(run))
    assert snapshot() == before
    run.refresh_from_db()
    assert run.status == "done"
    undo(run)


def test_a_batch_that_fails_leaves_the_outer_transaction_usable(books: None) -> None:
    def fail() -> None:
        raise ChangedTheirMind

    before = snapshot()
    with transaction.atomic():
        with pytest.raises(ChangedTheirMind), before_a_row_changes(fail):
            merge_equal(Author, "name")
        Author.objects.create(name="Dan")
    assert Author.objects.filter(name="Dan").delete()[0] == 1
    assert snapshot() == before


@pytest.mark.django_db(transaction=True)
@override_settings(ROOT_URLCONF=__name__)
@pytest.mark.parametrize("fails", [False, True])
def test_a_request_in_a_transaction_merges_whole_or_not_at_all(
    client: Client, books: None, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    before = snapshot()
    if fails:
        with pytest.raises(ChangedTheirMind):
            client.get("/merge?fail")
        assert (snapshot(), journal()) == (before, [0, 0, 0])
    else:
        assert client.get("/merge").content == b"3"
        assert_undo_restores(MergeRun.objects.get(), before)


@on_postgresql
def test_constraints_are_deferred_again_for_the_rest_of_the_transaction(books: None) -> None:
    """Django's own: a row may be there before the row that it points at."""
    with transaction.atomic():
        merge_equal(Author, "name")
        late = Author.objects.latest("pk").pk + 1000
        Book.objects.create(author_id=late, title="Before its author")
        Author.objects.create(pk=late, name="Dan")


@on_postgresql
def test_a_broken_reference_is_still_found_at_commit(books: None) -> None:
    def merge_and_break() -> None:
        with transaction.atomic():
            merge_equal(Author, "name")
            Book.objects.create(author_id=0, title="Nobody's")

    with pytest.raises(IntegrityError):
        merge_and_break()


@on_a_server
def test_others_see_nothing_of_it_before_the_outer_commit(books: None) -> None:
    with session() as other, transaction.atomic():
        merge_equal(Author, "name")
        seen: Any = other.do(lambda: (Author.objects.count(), MergeRun.objects.count()))
        assert seen == (6, 0)
