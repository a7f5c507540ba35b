"""Many batches: each costs no table, and they leave what one batch would."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dedupe_toolkit import MergePolicy, MergeRun, match_key, merge, plan_merge, undo
from dedupe_toolkit.databases import database
from dedupe_toolkit.databases.mariadb import MariaDB
from tests.kit import assert_undo_restores, snapshot
from tests.merging.guarded import guarded_book
from tests.situations.links.models import Author, Book
from tests.situations.rivals.models import Badge, Membership, Team, User
from tests.situations.ruled.models import Person


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
@pytest.mark.skipif(connection.vendor == "mysql", reason="to make them anew is quicker there")
def test_further_batches_make_no_further_work_tables() -> None:
    assert tables_made(24) == tables_made(12)


def pages_read(table: str) -> int:
    """How many pages MariaDB looks into to count the rows of a work table."""
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE FORMAT=JSON SELECT COUNT(*) FROM {table} WHERE place = 0")
        (told,) = cursor.fetchone()
    return int(told.partition('"pages_accessed":')[2].split()[0])


@pytest.mark.django_db
def test_the_last_batch_does_not_read_past_the_rows_of_all_before_it() -> None:
    if not isinstance(database("default"), MariaDB):
        pytest.skip("no other server tells how many pages a statement has looked into")
    Author.objects.bulk_create(Author(name=f"{number}") for number in [*range(300)] * 2)
    run = merge(plan_merge(match_key(Author, ["name"]), policy=MergePolicy(batch_size=30)))
    assert run.batches == 10
    assert pages_read("dedupe_batch_map") < 3


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


def waiting(first: str, second: str) -> list[Person]:
    """Two rows of the first name: the one that stays will hold what one of the second name does,
    and that goes."""
    return [
        Person.objects.create(name=name, **values)
        for name, values in (
            (first, {"phone": first}),
            (first, {"area": 1}),
            (second, {"area": 2, "phone": second}),
            (second, {"area": 1, "phone": first}),
        )
    ]


def persons_merged(size: int, **options: Any) -> MergeRun:
    policy = MergePolicy(batch_size=size, **options)
    plan = plan_merge(match_key(Person, ["name"]), policy=policy)
    run = merge(plan)
    assert (run.merged, run.rows_merged) == (plan.mergeable, plan.rows_to_merge)
    return run


@pytest.mark.django_db
@pytest.mark.parametrize("size", [0, 1])
def test_a_value_that_a_later_batch_sets_free_is_waited_for(size: int) -> None:
    first, _, second, _ = waiting("Ann", "Bob")
    before = snapshot()
    run = persons_merged(size)
    assert run.held_back == []
    first.refresh_from_db()
    second.refresh_from_db()
    assert [(row.area, row.phone) for row in (first, second)] == [(1, "Ann"), (2, "Bob")]
    assert_undo_restores(run, before)


@pytest.mark.django_db
@pytest.mark.parametrize("size", [0, 1, 3])
def test_a_chain_of_groups_that_wait_for_each_other(size: int) -> None:
    for number in range(5):
        Person.objects.create(name=f"{number}", phone=f"{number}")
    for number in range(5):
        Person.objects.create(name=f"{number}", area=1, phone=f"{number - 1}")
    before = snapshot()
    run = persons_merged(size)
    assert run.held_back == []
    taken = Person.objects.order_by("pk").values_list("area", "phone")
    assert list(taken) == [(1, f"{number}") for number in range(5)]
    assert_undo_restores(run, before)


@pytest.mark.django_db
def test_groups_that_wait_for_each_other_merge_in_one_batch() -> None:
    for name, phone in (("Ann", "1"), ("Bob", "2")):
        Person.objects.create(name=name, phone=phone)
    for name, phone in (("Ann", "2"), ("Bob", "1")):
        Person.objects.create(name=name, area=1, phone=phone)
    before = snapshot()
    run = persons_merged(1)
    assert (run.held_back, run.batches) == ([], 1)
    assert_undo_restores(run, before)


@pytest.mark.django_db
def test_a_value_that_two_survivors_take_in_turn_is_held_back_once() -> None:
    waiting("Ann", "Bob")
    Person.objects.create(name="Cid", area=9, phone="9")
    Person.objects.create(name="Eve", phone="9")
    Person.objects.create(name="Eve", area=9)
    before = snapshot()
    run = persons_merged(1)
    assert [held["values"] for held in run.held_back] == [{"name": "Eve"}]
    assert_undo_restores(run, before)
