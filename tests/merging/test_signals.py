"""The signals: what a receiver that raises changes, and what it does not."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection, transaction
from django.db.models.signals import post_delete, post_save, pre_delete, pre_save
from django.test.utils import CaptureQueriesContext

from dedupe_toolkit import MergeRun, match_key, merge, plan_merge, undo
from dedupe_toolkit.signals import post_merge, post_undo, pre_merge
from tests.kit import merged, snapshot
from tests.situations.links.models import Author, Book

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.dispatch import Signal

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def received(signal: Signal, receiver: Callable[..., Any]) -> Iterator[None]:
    signal.connect(receiver)
    try:
        yield
    finally:
        signal.disconnect(receiver)


def refuse(**_: Any) -> None:
    raise RuntimeError("the search index is away")


def authors(*names: str) -> None:
    for name in names:
        Author.objects.create(name=name)


def test_a_receiver_of_post_merge_that_raises_changes_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    authors("Ann", "Ann", "Bob", "Bob")
    heard: list[int] = []

    def hear(*, run: MergeRun, **_: Any) -> None:
        heard.append(run.pk)

    with received(post_merge, refuse), received(post_merge, hear):
        run = merged(Author, "name", batch_size=1)
    assert (run.batches, run.merged, heard) == (2, 2, [run.pk, run.pk])
    assert sorted(Author.objects.values_list("name", flat=True)) == ["Ann", "Bob"]
    assert {record.name for record in caplog.records} == {"django.dispatch"}


class Index:
    """A receiver that is an object, and has no name as a function has."""

    def __call__(self, **_: Any) -> None:
        refuse()


@pytest.mark.parametrize("receiver", [Index(), partial(refuse)], ids=["object", "partial"])
def test_a_receiver_without_a_name_may_raise_as_well(
    receiver: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    authors("Ann", "Ann", "Bob", "Bob")
    heard: list[int] = []

    def hear(*, run: MergeRun, **_: Any) -> None:
        heard.append(run.pk)

    with received(post_merge, receiver), received(post_merge, hear):
        run = merged(Author, "name", batch_size=1)
    assert (run.batches, run.merged, heard) == (2, 2, [run.pk, run.pk])
    with received(post_undo, receiver):
        undo(run)
    assert Author.objects.count() == 4
    told = {record.getMessage() for record in caplog.records}
    name = type(receiver).__qualname__
    assert told == {
        f"Error calling {name} in Signal.send_robust() (the search index is away)",
    }


def test_a_receiver_of_post_undo_that_raises_changes_nothing() -> None:
    authors("Ann", "Ann")
    run = merged(Author, "name")
    with received(post_undo, refuse):
        undo(run)
    assert Author.objects.filter(name="Ann").count() == 2


def test_a_receiver_of_pre_merge_that_raises_rolls_its_batch_back() -> None:
    authors("Ann", "Ann")
    before = snapshot()
    with received(pre_merge, refuse), pytest.raises(RuntimeError, match="search index"):
        merged(Author, "name")
    assert snapshot() == before


def test_batches_merged_before_a_receiver_of_pre_merge_raised_stay_and_can_be_undone() -> None:
    authors("Ann", "Ann", "Bob", "Bob", "Cid", "Cid")
    before = snapshot()
    heard: list[list[tuple[str, str]]] = []

    def refuse_the_second(*, pairs: Any, **_: Any) -> None:
        heard.append(list(pairs()))
        if len(heard) == 2:
            raise RuntimeError("the search index is away")

    with received(pre_merge, refuse_the_second), pytest.raises(RuntimeError, match="search index"):
        merged(Author, "name", batch_size=1)
    assert len(heard) == 2
    assert sorted(Author.objects.values_list("name", flat=True)) == [
        *("Ann", "Bob", "Bob", "Cid", "Cid")
    ]
    undo(MergeRun.objects.get())
    assert snapshot() == before


def test_in_a_transaction_of_the_caller_post_merge_waits_for_its_commit() -> None:
    authors("Ann", "Ann")
    heard: list[int] = []

    def hear(*, pairs: Any, **_: Any) -> None:
        heard.append(len(list(pairs())))

    with received(post_merge, hear):
        with transaction.atomic():
            merged(Author, "name")
            transaction.set_rollback(True)
        assert heard == []
        with transaction.atomic():
            merged(Author, "name")
            assert heard == []
        assert heard == [1]


@pytest.mark.parametrize("signal", [pre_merge, post_merge, post_undo])
def test_every_receiver_gets_the_model_the_run_the_alias_and_the_pairs_as_text(
    signal: Signal,
) -> None:
    authors("Ann", "Ann", "Bob", "Bob")
    heard: list[Any] = []

    def hear(*, sender: Any, run: MergeRun, using: str, pairs: Any, **_: Any) -> None:
        heard.append((sender, run.pk, using, sorted(pairs())))

    first, second, third, fourth = Author.objects.order_by("pk").values_list("pk", flat=True)
    with received(signal, hear):
        run = merged(Author, "name", batch_size=1)
        undo(run)
    ann, bob = (f"{second}", f"{first}"), (f"{fourth}", f"{third}")
    told = [[ann, bob]] if signal is post_undo else [[ann], [bob]]
    assert heard == [(Author, run.pk, "default", sorted(pairs)) for pairs in told]


def test_pairs_that_nobody_asks_for_are_not_read(
    django_assert_num_queries: Callable[..., Any],
) -> None:
    authors("Ann", "Ann")
    plan = plan_merge(match_key(Author, ["name"]))
    with CaptureQueriesContext(connection) as alone:
        run = merge(plan)
    undo(run)
    plan = plan_merge(match_key(Author, ["name"]))
    with received(post_merge, lambda **_: None), django_assert_num_queries(len(alone)):
        merge(plan)


def test_django_s_signals_of_single_rows_are_not_sent() -> None:
    authors("Ann", "Ann")
    Book.objects.create(title="One", author=Author.objects.latest("pk"))
    heard: list[Any] = []
    of_rows = (pre_save, post_save, pre_delete, post_delete)

    def hear(*, sender: Any, **_: Any) -> None:
        heard.append(sender)

    with ExitStack() as stack:
        for signal in of_rows:
            stack.enter_context(received(signal, hear))
        undo(merged(Author, "name"))
    assert not {Author, Book} & set(heard)


def test_neither_save_nor_auto_now_of_the_project_takes_part() -> None:
    authors("Ann", "Ann")
    survivor, duplicate = Author.objects.order_by("pk")
    # saved once more, it would refuse
    book = Book.objects.create(title="One", author=duplicate)
    merged(Author, "name")
    moved = Book.objects.get()
    assert (moved.author, moved.touched) == (survivor, book.touched)
