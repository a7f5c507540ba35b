"""Writers beside a merge: three processes that change rows, and what they wait for.

Each writes one statement after another with a rest between, and keeps how long each took. One adds
books to survivors and duplicates, one changes these and their books, one changes
tags and authors that the merge has nothing to do with.
"""

from __future__ import annotations

from contextlib import contextmanager
from multiprocessing import get_context
from random import Random
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REST = 0.01
KINDS = ("adding", "changing", "unrelated")
WAITING = 0.1
"""A statement that takes longer has waited for somebody."""


def write(
    kind: str, merging: list[int], others: list[int], ready: Any, stop: Any, put: Any
) -> None:
    """What a writer's process does until it is told to stop; ``put`` takes what it has seen."""
    import django

    django.setup()
    from django.db import DatabaseError, connection

    statement = _statements(kind, merging, others)
    connection.ensure_connection()
    took: list[float] = []
    errors: dict[str, int] = {}
    ready.release()
    began = perf_counter()
    while not stop.is_set():
        start = perf_counter()
        try:
            statement()
        except DatabaseError as error:
            name = type(error).__name__
            errors[name] = errors.get(name, 0) + 1
        took.append(perf_counter() - start)
        sleep(REST)
    put.put({"kind": kind, "took": took, "errors": errors, "wall": perf_counter() - began})


def _statements(kind: str, merging: list[int], others: list[int]) -> Callable[[], object]:
    from .library.models import Author, Book, Tag

    random = Random(kind)  # noqa: S311  # no secret: which row comes next
    tags = list(Tag.objects.values_list("pk", flat=True))
    adding = [lambda: Book.objects.create(author_id=random.choice(merging), title="new")]
    changing = [
        # not the key, which would take the group out of the merge
        lambda: Author.objects.filter(pk=random.choice(merging)).update(mentor=None),
        lambda: Book.objects.filter(author_id=random.choice(merging)).update(title="changed"),
    ]
    unrelated = [
        lambda: Author.objects.filter(pk=random.choice(others)).update(mentor=None),
        lambda: Tag.objects.filter(pk=random.choice(tags)).update(name="changed"),
    ]
    listed: list[Callable[[], object]] = {
        "adding": adding,
        "changing": changing,
        "unrelated": unrelated,
    }[kind]
    return lambda: random.choice(listed)()


@contextmanager
def writers(merging: list[int], others: list[int]) -> Iterator[list[dict[str, Any]]]:
    """Three writers, at work within; what they have seen is in the list afterwards."""
    context = get_context("spawn")
    ready, stop, put = context.Semaphore(0), context.Event(), context.Queue()
    found: list[dict[str, Any]] = []
    started = [
        context.Process(target=write, args=(kind, merging, others, ready, stop, put))
        for kind in KINDS
    ]
    for process in started:
        process.start()
    for _ in started:
        ready.acquire()
    try:
        yield found
    finally:
        stop.set()
        found += [put.get() for _ in started]
        for process in started:
            process.join()


def told(found: list[dict[str, Any]]) -> dict[str, Any]:
    """The longest wait, the share of their time that writers waited, and their errors."""
    waited = sum(took for one in found for took in one["took"] if took > WAITING)
    errors: dict[str, int] = {}
    for one in found:
        for name, times in one["errors"].items():
            errors[name] = errors.get(name, 0) + times
    return {
        "longest": max(took for one in found for took in one["took"]),
        "longest_by_kind": {one["kind"]: max(one["took"]) for one in found},
        "share": waited / sum(one["wall"] for one in found),
        "statements": sum(len(one["took"]) for one in found),
        "errors": errors,
    }
