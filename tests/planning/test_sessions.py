"""A plan is carried out on the work tables of its own session, or not at all."""

from __future__ import annotations

import os
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

import pytest
from django.db import connection, transaction

from dedupe_toolkit import MergePolicy, MergeRun, merge, plan_merge, row_set, undo
from dedupe_toolkit.errors import InvalidOption, MergeRefused, PlanExpired
from tests.concurrency_kit import (
    Session,
    before_a_row_changes,
    committing,
    on_postgresql,
    session,
)
from tests.databases.pooler import connected_by, pooler, with_pgbouncer
from tests.kit import assert_undo_restores, planned, snapshot
from tests.situations.links.models import Author, Book

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedupe_toolkit import MergePlan

pytestmark = committing


@pytest.fixture
def people(transactional_db: None) -> list[Author]:
    """Two of each name, each with a book."""
    found = [Author.objects.create(name=name) for name in ("Ann", "Ann", "Bob", "Bob")]
    for person in found:
        Book.objects.create(author=person, title=f"by {person.pk}")
    return found


def plan_of(*people: Author) -> MergePlan:
    return plan_merge(row_set(Author, [person.pk for person in people]))


def refused(plan: MergePlan, *, match: str = "plan the merge again") -> None:
    """The plan is refused, and nothing is written: no row, and no run."""
    before, runs = snapshot(), MergeRun.objects.count()
    with pytest.raises(PlanExpired, match=match):
        merge(plan)
    assert snapshot() == before
    assert MergeRun.objects.count() == runs


def names() -> list[str]:
    return sorted(Author.objects.values_list("name", flat=True))


# -- the connection itself ---------------------------------------------------------------------


def test_a_plan_ends_with_its_connection(people: list[Author]) -> None:
    plan = planned(Author, "name")
    connection.close()
    refused(plan)


def test_a_plan_is_not_carried_out_on_what_another_plan_left_in_the_new_session(
    people: list[Author],
) -> None:
    ann, ann2, bob, bob2 = people
    plan_of(bob, bob2)
    used_before, connection.connection = connection.connection, None
    connection.connect()
    plan = plan_of(ann, ann2)
    connection.close()
    connection.connection = used_before  # as a pool hands it out
    refused(plan)


def test_a_plan_is_not_carried_out_on_what_a_later_plan_that_failed_has_left(
    people: list[Author],
) -> None:
    ann, ann2, bob, bob2 = people
    plan = plan_of(ann, ann2)
    with pytest.raises(InvalidOption, match="no_such_rule"):
        plan_merge(row_set(Author, [bob.pk, bob2.pk]), policy=MergePolicy(survivor="no_such_rule"))
    refused(plan)


def test_a_plan_taken_back_with_its_transaction_is_refused(people: list[Author]) -> None:
    with transaction.atomic():
        plan = plan_of(*people[:2])
        transaction.set_rollback(True)
    refused(plan)


def test_a_plan_taken_back_uncovers_none_before_it(people: list[Author]) -> None:
    ann, ann2, bob, bob2 = people
    with transaction.atomic():
        plan_of(bob, bob2)
        with transaction.atomic():
            plan = plan_of(ann, ann2)
            transaction.set_rollback(True)
        refused(plan)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_another_process_does_not_carry_a_plan_out(people: list[Author]) -> None:
    plan = planned(Author, "name")
    connection_of_parent = connection.connection
    reading, writing = os.pipe()
    child = os.fork()
    if not child:  # pragma: no cover
        said = b"merged"
        try:
            merge(plan)
        except PlanExpired:
            said = b"expired"
        finally:
            os.write(writing, said)
            os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 20) == b"expired"
    assert connection_of_parent is connection.connection
    assert merge(plan).merged == 2


def test_a_plan_is_carried_out_once(people: list[Author]) -> None:
    plan = planned(Author, "name")
    merge(plan)
    refused(plan, match="has been carried out")


def test_a_connection_closed_between_batches_stops_the_run_with_whole_batches(
    people: list[Author],
) -> None:
    before = snapshot()
    plan = planned(Author, "name", batch_size=1)
    with pytest.raises(PlanExpired, match="plan the merge again"):
        merge(plan, progress=lambda done, _: connection.close())
    run = MergeRun.objects.get()
    assert (run.status, run.merged) == ("interrupted", 1)
    assert names() == ["Ann", "Bob", "Bob"]
    merge(planned(Author, "name"))
    assert names() == ["Ann", "Bob"]
    for run in MergeRun.objects.all():
        undo(run)
    assert snapshot() == before


def test_without_autocommit_nothing_is_merged_or_undone(people: list[Author]) -> None:
    before = snapshot()
    with connected_by(AUTOCOMMIT=False):
        plan = planned(Author, "name")
        with pytest.raises(MergeRefused, match="autocommit is off in database 'default'"):
            merge(plan)
    assert snapshot() == before
    run = merge(planned(Author, "name"))
    after = snapshot()
    with connected_by(AUTOCOMMIT=False), pytest.raises(MergeRefused, match="autocommit is off"):
        undo(run)
    assert snapshot() == after


def test_without_autocommit_a_transaction_of_the_callers_is_merged_in(people: list[Author]) -> None:
    with connected_by(AUTOCOMMIT=False):
        with transaction.atomic():
            merge(planned(Author, "name"))
        transaction.commit()
    assert names() == ["Ann", "Bob"]


@on_postgresql
def test_no_second_run_until_the_callers_transaction_ends(
    people: list[Author], other: Session
) -> None:
    plan = other.do(planned, Author, "name")
    with transaction.atomic():
        merge(planned(Author, "name"))
        with pytest.raises(MergeRefused, match="another merge of this model is running"):
            other.do(merge, plan)


# -- pools and poolers of PostgreSQL -----------------------------------------------------------


@on_postgresql
class TestPoolOfDjango:
    @pytest.fixture(autouse=True)
    def pool(self, people: list[Author]) -> Iterator[None]:
        options = {"pool": {"min_size": 2, "max_size": 2}}
        with connected_by(OPTIONS={**connection.settings_dict["OPTIONS"], **options}):
            yield

    def test_merge_and_undo(self, people: list[Author]) -> None:
        before = snapshot()
        run = merge(planned(Author, "name", batch_size=1))
        assert names() == ["Ann", "Bob"]
        assert_undo_restores(run, before)

    def test_a_plan_ends_when_its_connection_goes_back(self, people: list[Author]) -> None:
        ann, ann2, bob, bob2 = people
        plan_of(bob, bob2)
        connection.close()
        plan = plan_of(ann, ann2)  # in the other session of the pool
        connection.close()
        refused(plan)

    def test_a_connection_given_back_in_the_middle_keeps_no_lock(
        self, people: list[Author]
    ) -> None:
        with pytest.raises(PlanExpired):
            merge(planned(Author, "name", batch_size=1), progress=lambda *_: connection.close())
        for _ in range(3):
            merge(planned(Author, "name"))
            connection.close()
        assert names() == ["Ann", "Bob"]


@pytest.fixture(params=["session", "transaction"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def through(people: list[Author], mode: str) -> Iterator[dict[str, object]]:
    """The settings of connections through PgBouncer, and this thread's connection is one."""
    with pooler(mode) as port:
        settings = {"HOST": "127.0.0.1", "PORT": port, "DISABLE_SERVER_SIDE_CURSORS": True}
        with connected_by(**settings):
            yield settings


@on_postgresql
@with_pgbouncer
class TestPgBouncer:
    def test_merge_and_undo(self, through: object, mode: str) -> None:
        """The lock's own transaction takes the plan's session away, so that no chance decides."""
        before = snapshot()
        plan = planned(Author, "name", batch_size=1)
        if mode == "session":
            run = merge(plan)
            assert names() == ["Ann", "Bob"]
            assert_undo_restores(run, before)
        else:
            refused(plan, match="pool_mode = session in PgBouncer")

    def test_in_one_transaction(self, through: object) -> None:
        before = snapshot()
        with transaction.atomic():
            run = merge(planned(Author, "name", batch_size=1))
        assert names() == ["Ann", "Bob"]
        assert_undo_restores(run, before)

    def test_another_client_takes_the_session(
        self, people: list[Author], through: dict[str, object], mode: str
    ) -> None:
        """The session that has been free for the least time is given to whoever comes next."""
        ann, ann2, bob, bob2 = people
        plan = plan_of(ann, ann2)
        with other_client(through) as other:
            other.do(transaction.set_autocommit, False)
            other.do(plan_of, bob, bob2)
            if mode == "session":
                merge(plan)
                assert names() == ["Ann", "Bob", "Bob"]
            else:
                refused(plan, match="pool_mode = session in PgBouncer")
            other.rollback()

    def test_another_client_has_planned_in_the_session(
        self, people: list[Author], through: dict[str, object], mode: str
    ) -> None:
        ann, ann2, bob, bob2 = people
        plan = plan_of(ann, ann2)
        with other_client(through) as other:
            other.do(plan_of, bob, bob2)
            if mode == "session":
                merge(plan)
                assert names() == ["Ann", "Bob", "Bob"]
            else:
                refused(plan, match="pool_mode = session in PgBouncer")

    def test_two_merges_at_once(
        self, people: list[Author], through: dict[str, object], mode: str
    ) -> None:
        """The lock is one whatever sessions the statements of the two are given."""
        with other_client(through) as other:

            def merge_too() -> None:
                with pytest.raises(MergeRefused, match="another merge of this model is running"):
                    other.do(merge_as_it_can, mode)

            with before_a_row_changes(merge_too):
                merge_as_it_can(mode)
            # and it is gone with its run, also from sessions of the pooler's
            Author.objects.create(name="Ann")
            other.do(merge_as_it_can, mode)
        assert names() == ["Ann", "Bob"]


def merge_as_it_can(mode: str) -> None:
    with transaction.atomic() if mode == "transaction" else nullcontext():
        assert merge(planned(Author, "name")).status == "done"


@contextmanager
def other_client(settings: dict[str, object]) -> Iterator[Session]:
    """Another session through the pooler."""
    client = connected_by(**settings)
    with session() as found:
        found.do(client.__enter__)
        try:
            yield found
        finally:
            found.do(client.__exit__, None, None, None)
