"""Cases 33 to 40: what fails, what happens at the same time, and what can be taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import IntegrityError, OperationalError, connection, connections

from dedupe_toolkit import (
    DedupeError,
    MergeRun,
    match_key,
    merge,
    plan_merge,
    row_set,
    survivor_of,
    undo,
)
from dedupe_toolkit.models import RowChange
from dedupe_toolkit.prove.processes import run_in_step
from dedupe_toolkit.signals import pre_merge
from tests.commands.kit import run as run_command
from tests.kit import assert_undo_restores, counts, merged, merged_rows, planned, snapshot
from tests.merging.guarded import guarded_book
from tests.situations.links.models import Author, Book, Contract
from tests.situations.rivals.models import Membership, Profile, Team, User

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedupe_toolkit.prove.processes import Turn

pytestmark = pytest.mark.django_db


def authors(*names: str) -> list[Author]:
    return [Author.objects.create(name=name) for name in names]


@pytest.mark.django_db(transaction=True)
def test_case_33_a_group_that_fails_is_as_before_and_the_others_are_merged() -> None:
    for name in [str(number) for number in range(1, 9)] * 2:
        author = Author.objects.create(name=name)
        Book.objects.create(author=author, title=name)
        Contract.objects.create(author=author)
    group = Author.objects.filter(name="7")
    children = list(Contract.objects.filter(author__in=group).values_list("pk", "author"))
    with guarded_book(Book.objects.filter(title="7").latest("pk").pk):
        before = snapshot()
        run = merge(plan_merge(match_key(Author, ["name"])))
    (held,) = run.held_back
    assert (run.merged, held["values"]) == (7, {"name": "7"})
    assert "this book stays" in held["reason"]
    assert list(Contract.objects.filter(author__in=group).values_list("pk", "author")) == children
    assert len(set(Book.objects.filter(title="7").values_list("author"))) == group.count() == 2
    assert_undo_restores(run, before)


@pytest.fixture
def other_session() -> Iterator[Any]:
    """A second connection, which does not wait long for anybody."""
    other = connections.create_connection("default")
    impatient = {
        "sqlite": "PRAGMA busy_timeout = 0",
        "postgresql": "SET lock_timeout = '100ms'",
        "mysql": "SET SESSION innodb_lock_wait_timeout = 1",
    }
    other.cursor().execute(impatient[connection.vendor])
    yield other
    other.close()


def sign(session: Any, author: Author) -> None:
    """Insert a contract of this author, and commit it."""
    sql = "INSERT INTO links_contract (author_id) VALUES (%s)"
    with session.cursor() as cursor:
        cursor.execute(sql, [author.pk])


@pytest.mark.django_db(transaction=True)
def test_case_34_a_child_of_another_session_moves_or_is_refused_and_never_disappears(
    other_session: Any,
) -> None:
    survivor, duplicate = authors("Ann", "Ann")
    plan = planned(Author, "name")
    sign(other_session, duplicate)
    before = snapshot()

    def while_merging(**_: Any) -> None:
        with pytest.raises(OperationalError, match=r"(?i)lock"):
            sign(other_session, duplicate)

    pre_merge.connect(while_merging)
    try:
        run = merge(plan)
    finally:
        pre_merge.disconnect(while_merging)
    with pytest.raises(IntegrityError):
        sign(other_session, duplicate)
    assert Contract.objects.get().author_id == survivor.pk
    assert_undo_restores(run, before)


@pytest.mark.django_db(transaction=True)
def test_case_35_of_two_sessions_in_opposite_directions_one_wins_and_the_other_says_so() -> None:
    pair = authors("Ann", "Ann")
    for author in pair:
        Book.objects.create(author=author, title="b")
    before = snapshot()
    pks = [author.pk for author in pair]
    outcomes = run_in_step(f"{__name__}.merge_into_one_of", pks, processes=2)
    (loser, reason), (winner, _) = sorted(outcomes)
    assert (loser, winner) == (0, 1)
    assert "another merge of this model is running" in reason or "have been changed" in reason
    survivor = Author.objects.get()
    assert list(Book.objects.values_list("author", flat=True)) == [survivor.pk] * 2
    assert_undo_restores(MergeRun.objects.get(merged=1), before)


def merge_into_one_of(turn: Turn, pks: list[int]) -> tuple[int, str]:
    """The number of groups merged, and why none was."""
    plan = plan_merge(row_set(Author, pks, into=pks[turn.number]))
    turn.wait()
    try:
        run = merge(plan)
    except DedupeError as error:
        return 0, str(error)
    return run.merged, "".join(group["reason"] for group in run.held_back)


@pytest.mark.django_db(databases=["default", "other"])
def test_case_36_a_merge_in_a_second_database_reads_and_writes_only_there() -> None:
    for using in ("default", "other"):
        for _ in range(2):
            author = Author.objects.using(using).create(name="Ann")
            Book.objects.using(using).create(author=author, title="b")
    default, other = snapshot(), snapshot("other")
    run = merge(plan_merge(match_key(Author, ["name"]), using="other"))
    survivor = Author.objects.using("other").get()
    assert Book.objects.using("other").filter(author=survivor).count() == 2
    assert snapshot() == default
    assert not MergeRun.objects.exists()
    undo(run.pk, using="other")
    assert snapshot("other") == other


@pytest.mark.django_db(transaction=True)
def test_case_37_a_foreign_key_that_no_model_declares_stops_its_group() -> None:
    _, duplicate, *_ = authors("Ann", "Ann", "Bob", "Bob")
    kind = "integer" if connection.vendor == "sqlite" else "bigint"
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE unknown (writer {kind} NOT NULL,"
            " FOREIGN KEY (writer) REFERENCES links_author (id) ON DELETE CASCADE)"
        )
        cursor.execute("INSERT INTO unknown VALUES (%s)", [duplicate.pk])
    try:
        before = snapshot()
        (held,) = planned(Author, "name").held_back
        assert held.reason.startswith(f"unknown.writer points at row {duplicate.pk}, and no model")
        run = merged(Author, "name")
        assert Author.objects.filter(name="Ann").count() == 2
        assert_undo_restores(run, before)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE unknown")


def test_case_38_a_dry_run_lists_exactly_what_the_real_run_does() -> None:
    survivor, duplicate = (User.objects.create(name="Ann") for _ in range(2))
    teams = [Team.objects.create(name=name) for name in ("Red", "Blue")]
    for user, role in ((survivor, ""), (duplicate, "goal")):
        Membership.objects.create(user=user, team=teams[0], role=role)
        Profile.objects.create(user=user)
    Membership.objects.create(user=duplicate, team=teams[1])
    before = snapshot()
    line = ("merge_duplicates", "rivals.User", "--fields", "name", "--on-collision", "merge")
    dry = run_command(*line, "--dry-run", "--format", "json").document
    listed = {row.pop("reference"): tuple(row.values())[1:] for row in dry["references"]}
    assert listed["rivals.Membership.user"] == (1, 0, 1)
    assert listed["rivals.Profile.user"] == (0, 1, 0)
    assert snapshot() == before
    run = merged(User, "name", on_collision="merge")
    assert {name: counts(run, name) for name in listed} == listed
    assert (dry["run"], dry["rows_merged"]) == (None, run.rows_merged)
    assert_undo_restores(run, before)


def test_case_39_the_journal_restores_all_or_refuses_and_old_keys_lead_on() -> None:
    a, b, c = authors("Ann", "Ann", "Anna")
    Author.objects.filter(pk=b.pk).update(bio="a writer")
    book = Book.objects.create(author=b, title="War")
    before = snapshot()
    first = merged(Author, "name")
    second = merged_rows(Author, a.pk, c.pk, into=c.pk)
    assert survivor_of(Author, b.pk) == survivor_of(Author, a.pk) == c.pk
    changes = RowChange.objects.filter(step__run=first)
    assert changes.get(step__model="links.Book").row == str(book.pk)
    gone = changes.get(step__model="links.Author", step__action="delete")
    assert (gone.row, gone.survivor, gone.after) == (str(b.pk), str(a.pk), None)
    assert "a writer" in str(gone.before)
    undo(second)
    Author.objects.filter(pk=a.pk).update(bio="a painter")
    with pytest.raises(DedupeError, match=rf"links\.Author {a.pk} has been changed since \(bio\)"):
        undo(first)
    Author.objects.filter(pk=a.pk).update(bio="a writer")
    assert_undo_restores(first, before)


def test_case_40_running_again_does_nothing_and_says_so() -> None:
    authors("Ann", "Ann")
    before = snapshot()
    run = merged(Author, "name")
    after = snapshot()
    assert merged(Author, "name").rows_merged == 0
    again = run_command("merge_duplicates", "links.Author", "--fields", "name", "--no-input")
    assert (again.code, again.lines) == (0, ["links.Author by name: no duplicates."])
    assert snapshot() == after
    assert_undo_restores(run, before)
