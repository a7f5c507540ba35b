"""Batches by time, and runs that end between two of them."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from dedupe_toolkit import MergePolicy, MergeRun, match_key, merge, plan_merge, undo
from dedupe_toolkit.management.process import ending_gently, stopping_alike
from dedupe_toolkit.merging.sizes import MEMORY, Sizes
from tests.kit import assert_undo_restores, created, snapshot
from tests.situations.links.models import Author

FIRST = 200


def pairs(number: int) -> None:
    created(Author, (Author(name=f"{name}") for name in range(number) for _ in range(2)))


def merged(**options: Any) -> MergeRun:
    policy = MergePolicy(pause=0, **options)
    return merge(plan_merge(match_key(Author, ["name"]), policy=policy))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("seconds", "batches"),
    [(1e-6, 3), (1e6, 2)],
    ids=["too long, so a quarter, then a quarter of that", "quick, so twice as many"],
)
def test_a_batch_has_as_many_groups_as_fit_into_the_time(seconds: float, batches: int) -> None:
    pairs(FIRST + 60)
    before = snapshot()
    run = merged(batch_seconds=seconds)
    assert (run.batches, run.merged) == (batches, FIRST + 60)
    assert_undo_restores(run, before)


@pytest.mark.django_db
def test_a_fixed_size_is_kept_whatever_the_time() -> None:
    pairs(10)
    assert merged(batch_size=5, batch_seconds=1e-6).batches == 2


def test_the_size_follows_the_time_within_bounds() -> None:
    sizes = Sizes(size=200, most=1000, seconds=0.5)
    found = []
    for seconds in (1.0, 0.4, 0.05, 0.05, 0.05, 0.05, 60.0):
        sizes.measured(sizes.size, seconds)
        found.append(sizes.size)
    assert found == [100, 125, 250, 500, 1000, 1000, 250]


def test_few_groups_that_take_far_too_long_become_fewer() -> None:
    sizes = Sizes(size=100, most=1000, seconds=0.5)
    sizes.measured(100, 0.9)
    assert sizes.size == 100
    sizes.measured(100, 9.0)
    assert sizes.size == 25


def test_batches_are_shorter_for_a_while_after_others_have_waited_for_one() -> None:
    sizes = Sizes(size=1000, most=5000, seconds=0.5)
    sizes.measured(1000, 0.5, is_waited_for=True)
    assert sizes.size == 300
    for _ in range(MEMORY - 1):
        sizes.measured(300, 0.15)
        assert sizes.size == 300
    sizes.measured(300, 0.15)
    assert sizes.size == 600


@pytest.mark.django_db
def test_a_run_that_is_told_to_stop_ends_after_the_batch_and_the_next_does_the_rest() -> None:
    pairs(3)
    before = snapshot()
    plan = plan_merge(match_key(Author, ["name"]), policy=MergePolicy(batch_size=1))
    run = merge(plan, stop=lambda: True)
    assert (run.status, run.batches, run.merged) == ("interrupted", 1, 1)
    assert Author.objects.count() == 5
    rest = merged()
    assert (rest.status, rest.merged) == ("done", 2)
    undo(rest)
    undo(run)
    assert snapshot() == before


LINE = ("merge_duplicates", "links.Author", "--fields", "name", "--batch-size", "1", "--no-input")


@pytest.mark.django_db
def test_stop_after_ends_the_command_with_a_code_of_its_own_and_says_how_to_go_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pairs(3)
    with pytest.raises(CommandError) as error:
        call_command(*LINE, "--stop-after", "0s")
    run = MergeRun.objects.get()
    assert error.value.returncode == 4
    assert str(error.value) == (
        f"Stopped: 1 group merged in run {run.pk}, the others are as they were. The same command"
        f" goes on; manage.py undo_merge {run.pk} takes it back."
    )
    call_command(*LINE, "--stop-after", "1h")
    assert Author.objects.count() == 3


def told_to_end(times: int) -> list[bool]:
    """What a batch sees of so many SIGTERMs, if it comes to its end."""
    reached = []
    with suppress(KeyboardInterrupt), ending_gently() as is_told:
        for _ in range(times):
            os.kill(os.getpid(), signal.SIGTERM)
        reached.append(is_told())
    return reached


def test_sigterm_is_noted_until_the_batch_ends_and_stops_the_command_then() -> None:
    with stopping_alike() as stop:
        assert told_to_end(0) == [False]
        assert told_to_end(1) == [True]
    assert stop.exit_code == 128 + signal.SIGTERM


def test_a_second_sigterm_does_not_wait_for_the_batch() -> None:
    with stopping_alike():
        assert told_to_end(2) == []
