"""Many batches: each costs no table, and they leave what one batch would."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dedupe_toolkit import MergePolicy, MergeRun, match_key, merge, plan_merge, undo
from dedupe_toolkit.databases import database
from tests.kit import assert_undo_restores, snapshot
from tests.situations.links.models import Author, Book
from tests.situations.rivals.models import Badge, Membership, Team, User
from tests.test_merge_runs import guarded_book


def members(groups: int) -> None:
    """Pairs of users: some collide in a team, some of these are the same, some have badges."""
    teams = [Team.objects.create(name=f"{number}") for number in range(2)]
    for number in range(groups):
        for place in range(2):
            user = User.objects.create(name=f"{number}", email="a@b.c" if place else "")
            team = teams[number % 2 and place]
            role = "captain" if number % 3 else f"{place}"
            row = Membership.objects.create(user=user, team=team, role=role)
            if number % 4 == 1:
                Badge.objects.create(membership=row, label="gold")


def merge_users(size: int) -> MergeRun:
    policy = MergePolicy(batch_size=size, on_collision="merge")
    return merge(plan_merge(match_key(User, ["name"]), policy=policy))


@pytest.mark.django_db
@pytest.mark.parametrize("size", [1, 2, 5])
def test_batches_of_any_size_leave_what_one_batch_leaves(size: int) -> None:
    members(12)
    before = snapshot()
    whole = merge_users(0)
    expected = snapshot()
    undo(whole)
    run = merge_users(size)
    assert snapshot() == expected
    assert (run.merged, run.held_back) == (12, [])
    assert_undo_restores(run, before)


def tables_made(groups: int) -> int:
    members(groups)
    plan = plan_merge(match_key(User, ["name"]), policy=MergePolicy(batch_size=2))
    with CaptureQueriesContext(connection) as queries:
        run = merge(plan)
    assert run.batches == groups / 2
    User.objects.all().delete()
    return sum("CREATE TEMPORARY" in query["sql"] for query in queries)


@pytest.mark.django_db
def test_further_batches_make_no_further_work_tables() -> None:
    if database("default").most_questions == 1:
        pytest.skip("a statement that names a work table twice has a copy made of it")
    assert tables_made(24) == tables_made(12)


def writers(names: list[str]) -> list[Any]:
    return [
        Book.objects.create(author=Author.objects.create(name=name), title=name)
        for name in names * 2
    ]


@pytest.mark.django_db(transaction=True)
def test_batches_after_one_that_was_taken_back_have_work_tables_of_their_own() -> None:
    names = [f"{number}" for number in range(8)]
    victim = writers(names)[11]
    with guarded_book(victim.pk):
        before = snapshot()
        policy = MergePolicy(batch_size=2)
        run = merge(plan_merge(match_key(Author, ["name"]), policy=policy))
    assert [held["values"] for held in run.held_back] == [{"name": "3"}]
    assert run.merged == 7
    assert_undo_restores(run, before)
