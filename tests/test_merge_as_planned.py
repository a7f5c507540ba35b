"""Where nobody has written since the plan, a merge does what the plan found, not looking again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from dedupe_toolkit import DedupeError, merge
from dedupe_toolkit.databases import database
from tests.concurrency_kit import (
    Session,
    before_a_row_changes,
    committing,
    on_a_server,
    session,
    until,
)
from tests.kit import assert_undo_restores, planned, snapshot, tell_whether_others_write
from tests.situations.links.models import Author, Book, Tag
from tests.situations.rivals.models import Membership, Team, User

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.kit import Snapshot


@pytest.fixture
def other(transactional_db: None) -> Iterator[Session]:
    with session() as found:
        yield found


def fill() -> None:
    """A group whose links collide, whose blanks are filled, and whose rows name each other."""
    tag = Tag.objects.create(name="novel")
    survivor = Author.objects.create(name="Ann")
    for born in (1828, 1829):
        duplicate = Author.objects.create(name="Ann", born=born, mentor=survivor)
        duplicate.tags.add(tag)
        Book.objects.create(author=duplicate, title="War")
    survivor.tags.add(tag)


def merged_where(is_quiet: bool, monkeypatch: pytest.MonkeyPatch) -> tuple[int, Snapshot]:
    """The statements of a merge that is told whether anybody has written, and what it left."""
    tell_whether_others_write(monkeypatch, others_write=not is_quiet)
    before = snapshot()
    plan = planned(Author, "name")
    with CaptureQueriesContext(connection) as statements:
        run = merge(plan)
    after = snapshot()
    assert Author.objects.count() == 1
    assert_undo_restores(run, before)
    return len(statements), after


@pytest.mark.django_db
def test_a_merge_leaves_the_same_whether_it_looks_again_or_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill()
    looking_again, left = merged_where(False, monkeypatch)
    as_planned, also_left = merged_where(True, monkeypatch)
    assert also_left == left
    assert as_planned < looking_again


@pytest.mark.django_db
@pytest.mark.parametrize("is_quiet", [True, False])
def test_a_receiver_that_changes_rows_that_collide_stops_the_merge(
    monkeypatch: pytest.MonkeyPatch, is_quiet: bool
) -> None:
    tell_whether_others_write(monkeypatch, others_write=not is_quiet)
    team = Team.objects.create(name="Red")
    for _ in range(2):
        ann = User.objects.create(name="Ann")
        Membership.objects.create(user=ann, team=team, role="keeper")
    before = snapshot()

    def promote() -> None:
        Membership.objects.filter(user=ann).update(role="captain")

    plan = planned(User, "name")
    told = pytest.raises(DedupeError, match="have been changed")
    with before_a_row_changes(promote), told, transaction.atomic():
        merge(plan)
    assert snapshot() == before


def planned_now() -> tuple[Any, Any]:
    """What a plan keeps, to know later whether anybody has written."""
    found = database("default")
    with found.planning():
        commits = found.others_commits()
        Tag.objects.count()
        return found.own_writes(), commits


def is_untouched(seen: tuple[Any, Any]) -> bool:
    """What a merge in one batch makes of it: it has stored its run, and begun to write."""
    found = database("default")
    nothing_written = found.own_writes() == seen[0]
    with transaction.atomic():
        Tag.objects.create(name="the run")
    with transaction.atomic():
        Tag.objects.create(name="the batch")
        return bool(nothing_written and found.others_commits(own=2) == seen[1])


@on_a_server
@committing
def test_the_two_transactions_of_a_merge_are_known_to_follow_its_plan() -> None:
    # others that test on this server at the same time are noticed too, so wait for a quiet moment
    until(lambda: is_untouched(planned_now()))


@on_a_server
@committing
def test_a_commit_of_another_session_is_noticed(other: Session) -> None:
    seen = planned_now()
    other.do(Tag.objects.create)
    assert not is_untouched(seen)


@on_a_server
@committing
def test_a_transaction_that_was_under_way_before_the_plan_is_noticed(other: Session) -> None:
    other.begin()
    other.do(Tag.objects.create)
    seen = planned_now()
    other.commit()
    assert not is_untouched(seen)


@committing
def test_an_own_write_is_noticed() -> None:
    seen = planned_now()
    Tag.objects.create(name="after the plan")
    assert not is_untouched(seen)


@committing
def test_own_writes_of_a_transaction_around_the_plan_are_noticed() -> None:
    with transaction.atomic():
        seen = planned_now()
        Tag.objects.create(name="after the plan")
    assert not is_untouched(seen)


@committing
def test_own_writes_of_a_transaction_around_the_merge_are_noticed() -> None:
    seen = planned_now()
    Tag.objects.create(name="after the plan")
    with transaction.atomic():
        Tag.objects.create(name="before the merge")
        assert not is_untouched(seen)
