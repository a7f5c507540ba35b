"""A run as a whole: batches, culprits, what is held back, what is told, and how often it asks."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from dedupe_toolkit import (
    DedupeError,
    MergePolicy,
    MergeRun,
    match_key,
    merge,
    plan_merge,
    row_set,
    survivor_of,
    undo,
)
from dedupe_toolkit.databases import database
from dedupe_toolkit.databases.sqlite import SQLite
from dedupe_toolkit.models import RowChange
from dedupe_toolkit.signals import post_merge, post_undo, pre_merge
from tests.concurrency_kit import before_a_row_changes
from tests.kit import (
    assert_undo_restores,
    lists_cut_at,
    merged,
    merged_rows,
    planned,
    snapshot,
)
from tests.merging.guarded import guarded_book
from tests.situations.keyed.models import Device, Measurement
from tests.situations.links.models import Author, Book, Tag
from tests.situations.odd.models import Passport, Person, Traveller
from tests.situations.rivals.models import Membership, Team, User

pytestmark = pytest.mark.django_db


def authors(*names: str) -> list[Author]:
    return [Author.objects.create(name=name) for name in names]


def test_planning_writes_to_no_table_of_the_project_or_the_package() -> None:
    authors("Ann", "Ann")
    before = snapshot()
    plan = planned(Author, "name")
    assert plan.rows_to_merge == 1
    assert snapshot() == before
    assert not MergeRun.objects.exists()


@pytest.mark.parametrize(("size", "batches"), [(None, 1), (0, 1), (1, 3), (2, 2)])
def test_batches_hold_the_number_of_groups_asked_for(size: int | None, batches: int) -> None:
    authors("Ann", "Ann", "Bob", "Bob", "Cid", "Cid")
    before = snapshot()
    run = merged(Author, "name", batch_size=size)
    assert (run.batches, run.merged) == (batches, 3)
    assert_undo_restores(run, before)


@pytest.mark.parametrize(
    ("survivor", "left"), [("oldest", "Bob"), ("newest", "Cid"), ("most-complete", "Bob")]
)
def test_the_limit_takes_the_groups_with_the_lowest_survivors(survivor: str, left: str) -> None:
    authors("Cid", "Ann", "Ann", "Bob", "Bob", "Cid")
    run = merged(Author, "name", limit=2, survivor=survivor)
    assert run.merged == 2
    assert Author.objects.filter(name=left).count() == 2


@pytest.mark.parametrize(
    ("survivor", "expected"), [("oldest", 0), ("newest", 2), ("most-complete", 1)]
)
def test_the_survivor_that_a_rule_chooses_takes_over_what_points_at_its_group(
    survivor: str, expected: int
) -> None:
    bios = ("", "a writer", "")
    rows = [Author.objects.create(name=name, bio=bio) for bio in bios for name in ("Ann", "Bob")]
    for author in rows:
        Book.objects.create(author=author, title=author.name)
    before = snapshot()
    run = merged(Author, "name", survivor=survivor)
    ann, bob = rows[2 * expected : 2 * expected + 2]
    assert set(Author.objects.values_list("pk", flat=True)) == {ann.pk, bob.pk}
    books = Book.objects.values_list("author", "title")
    assert sorted(books) == [(ann.pk, "Ann")] * 3 + [(bob.pk, "Bob")] * 3
    assert_undo_restores(run, before)


def test_an_ordering_expression_chooses_the_survivor_and_is_kept_with_the_run() -> None:
    _, last = authors("Ann", "Ann")
    run = merged(Author, "name", survivor=[F("pk").desc()])
    assert list(Author.objects.all()) == [last]
    assert MergeRun.objects.get(pk=run.pk).policy["survivor"] == [str(F("pk").desc())]


def test_a_group_that_the_database_refuses_is_found_and_held_back_and_the_others_merge() -> None:
    names = [f"{number}" for number in range(8)]
    for name in names * 2:
        Book.objects.create(author=Author.objects.create(name=name), title=name)
    victim = Book.objects.filter(title="5").latest("pk")
    with guarded_book(victim.pk):
        before = snapshot()
        run = merge_without_comparing(Author, "name")
    assert run.merged == 7
    (held,) = run.held_back
    assert held["values"] == {"name": "5"}
    assert held["reason"].startswith("the database refuses it: ")
    assert Author.objects.filter(name="5").count() == 2
    assert_undo_restores(run, before)


def merge_without_comparing(model: Any, *fields: str) -> MergeRun:
    """Merge where the plan cannot know what the database will refuse."""
    return merge(plan_merge(match_key(model, fields)))


test_a_group_that_the_database_refuses_is_found_and_held_back_and_the_others_merge = (
    pytest.mark.django_db(transaction=True)(
        test_a_group_that_the_database_refuses_is_found_and_held_back_and_the_others_merge
    )
)


@pytest.mark.parametrize("survivor", ["oldest", "newest", "-slug"])
def test_a_group_too_large_for_the_server_to_collect_is_merged_whole(survivor: str) -> None:
    people = [Person.objects.create(name=name) for name in ["Ann"] * 30 + ["Bob"] * 2]
    before = snapshot()
    with lists_cut_at(220):
        run = merged(Person, "name", survivor=survivor)
    first, last = (people[0], people[30]), (people[29], people[31])
    assert [*Person.objects.order_by("pk")] == [*(last if survivor == "newest" else first)]
    assert_undo_restores(run, before)


def test_a_unique_value_moves_from_the_duplicate_to_the_survivor() -> None:
    Person.objects.create(name="Ann")
    Person.objects.create(name="Ann", slug="ann")
    before = snapshot()
    run = merged(Person, "name")
    assert Person.objects.get().slug == "ann"
    assert_undo_restores(run, before)


def test_a_forward_one_to_one_moves_and_what_it_points_at_stays() -> None:
    passports = [Passport.objects.create(number=str(number)) for number in range(2)]
    Traveller.objects.create(name="Ann")
    Traveller.objects.create(name="Ann", passport=passports[0])
    Traveller.objects.create(name="Bob", passport=passports[1])
    before = snapshot()
    run = merged(Traveller, "name")
    assert Traveller.objects.get(name="Ann").passport == passports[0]
    assert Passport.objects.count() == 2
    assert_undo_restores(run, before)


def test_groups_with_different_values_are_held_back_when_asked() -> None:
    authors("Ann", "Ann")
    for bio in ("a writer", "a painter"):
        Author.objects.create(name="Bob", bio=bio)
    run = merged(Author, "name", on_conflict="hold")
    (held,) = run.held_back
    assert held["values"] == {"name": "Bob"}
    assert "differ in bio (" in held["reason"]
    assert run.merged == 1


def test_a_field_rule_settles_the_difference() -> None:
    for bio in ("a writer", "a painter"):
        Author.objects.create(name="Bob", bio=bio)
    run = merged(Author, "name", on_conflict="hold", field_rules={"bio": "longest"})
    assert run.merged == 1
    assert Author.objects.get().bio == "a painter"


@pytest.mark.parametrize(
    ("rule", "born", "bio"),
    [
        ("survivor", None, ""),
        ("fill", 1950, "short"),
        ("newest", 1990, "the longest one"),
        ("oldest", 1950, "short"),
        ("min", 1940, None),
        ("max", 1990, None),
        ("sum", 1950 + 1940 + 1990, None),
        ("longest", None, "the longest one"),
        ("concat", None, "short\nlonger\nthe longest one"),
    ],
)
def test_each_field_rule_gives_the_survivor_its_value(
    rule: str, born: int | None, bio: str | None
) -> None:
    Author.objects.create(name="Ann")
    for year, text in ((1950, "short"), (1940, "longer"), (1990, "the longest one")):
        Author.objects.create(name="Ann", born=year, bio=text)
    Author.objects.create(name="Ann", born=None, bio="")
    rules = {}
    if rule not in ("longest", "concat"):
        rules["born"] = rule
    if rule not in ("min", "max", "sum"):
        rules["bio"] = rule
    before = snapshot()
    run = merged(Author, "name", field_rules=rules)
    author = Author.objects.get()
    assert "born" not in rules or author.born == born
    assert "bio" not in rules or author.bio == bio
    assert_undo_restores(run, before)


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (
            {"boi": "fill"},
            "field rule boi=fill: links.Author has no field 'boi' with a column; did you mean bio?",
        ),
        (
            {"bio": "longst"},
            "field rule bio=longst: 'longst' is no field rule (survivor, fill, newest, oldest,"
            " min, max, longest, any, all, sum, concat); did you mean longest?",
        ),
        (
            {"bio": "sum"},
            "field rule bio=sum: 'sum' does not fit links.Author.bio, a TextField",
        ),
    ],
)
def test_a_field_rule_that_cannot_be_is_refused(rules: dict[str, str], message: str) -> None:
    with pytest.raises(DedupeError) as error:
        planned(Author, "name", field_rules=rules)
    assert str(error.value) == message


def test_a_row_changed_since_the_plan_takes_its_group_out() -> None:
    ann, _, bob, _ = authors("Ann", "Ann", "Bob", "Bob")
    plan = planned(Author, "name")
    Author.objects.filter(pk=ann.pk).update(name="Anna")
    run = merge(plan)
    assert run.merged == 1
    assert run.held_back[0]["reason"] == "its rows have been changed since the merge was planned"
    assert Author.objects.filter(name="Bob").get() == bob


def test_a_row_with_a_composite_key_changed_since_the_plan_takes_its_group_out() -> None:
    for number, name in enumerate(("wind", "wind", "rain", "rain")):
        Measurement.objects.create(station=1, number=number, name=name)
    plan = planned(Measurement, "name")
    Measurement.objects.filter(number=0).update(name="storm")
    run = merge(plan)
    assert run.merged == 1
    assert Measurement.objects.filter(name="wind").count() == 1
    assert Measurement.objects.count() == 3


def test_a_row_deleted_since_the_plan_takes_its_group_out() -> None:
    ann, *_ = authors("Ann", "Ann", "Bob", "Bob")
    plan = planned(Author, "name")
    ann.delete()
    assert merge(plan).merged == 1


def test_a_plan_is_good_until_the_next_one_on_its_connection() -> None:
    authors("Ann", "Ann")
    first = planned(Author, "name")
    planned(Author, "name")
    with pytest.raises(DedupeError, match="plan the merge again"):
        merge(first)


def test_a_plan_is_carried_out_once() -> None:
    authors("Ann", "Ann")
    plan = planned(Author, "name")
    merge(plan)
    with pytest.raises(DedupeError, match="plan the merge again"):
        merge(plan)


def test_statements_per_batch_do_not_depend_on_the_number_of_groups() -> None:
    few, many = ({statements_for(copies) for copies in pair} for pair in ((200, 400), (1500, 2000)))
    assert (len(few), len(many)) == (1, 1)
    # a handful of rows takes no index where those are made once a table is filled
    assert statements_for(10) <= min(few)
    # MySQL cannot ask a large work table many questions at once
    if connection.vendor != "mysql" or connection.mysql_is_mariadb:
        assert few == many


def test_a_receiver_that_changes_rows_that_collide_holds_their_group_back() -> None:
    team = Team.objects.create(name="Red")
    for _ in range(2):
        ann = User.objects.create(name="Ann")
        Membership.objects.create(user=ann, team=team, role="keeper")
    before = snapshot()

    def promote() -> None:
        Membership.objects.filter(user=ann).update(role="captain")

    plan = planned(User, "name")
    with before_a_row_changes(promote), transaction.atomic():
        (held,) = merge(plan).held_back
    assert "have been changed" in held["reason"]
    assert snapshot() == before


def statements_for(copies: int) -> int:
    User.objects.all().delete()
    Team.objects.all().delete()
    User.objects.bulk_create(User(name=str(n)) for n in range(copies) for _ in range(2))
    team = Team.objects.create(name="Red")
    Membership.objects.bulk_create(
        Membership(user=user, team=team, since=user.pk) for user in User.objects.all()
    )
    plan = planned(User, "name", on_collision="merge", batch_size=0)
    with CaptureQueriesContext(connection) as queries:
        run = merge(plan)
    assert (run.merged, run.batches) == (copies, 1)
    return len(queries)


def test_the_old_key_leads_to_the_survivor_through_chains_of_merges() -> None:
    a, b, c, other = authors("Ann", "Ann", "Anna", "Bob")
    books = [Book.objects.create(author=b, title=title) for title in ("War", "Peace")]
    merged(Author, "name")
    run = merged_rows(Author, a.pk, c.pk, into=c.pk)
    assert survivor_of(Author, b.pk) == c.pk
    assert survivor_of(Author, other.pk) == other.pk
    # repointed, not merged: these still live under their own keys
    assert [survivor_of(Book, book.pk) for book in books] == [book.pk for book in books]
    undo(run)
    assert survivor_of(Author, b.pk) == a.pk


def test_the_old_key_leads_to_the_survivor_for_uuid_keys() -> None:
    for _ in range(2):
        Device.objects.create(serial="1")
    first, second = (device.pk for device in Device.objects.order_by("pk"))
    merged(Device, "serial")
    assert survivor_of(Device, second) == first


def test_the_pairs_reach_the_receivers_of_the_signals() -> None:
    survivor, duplicate = authors("Ann", "Ann")
    heard: list[tuple[str, list[tuple[str, str]]]] = []
    signals = {"pre": pre_merge, "post": post_merge, "undo": post_undo}

    def receiver(name: str) -> Any:
        def receive(*, pairs: Any, **_: Any) -> None:
            heard.append((name, list(pairs())))

        return receive

    receivers = {name: receiver(name) for name in signals}
    for name, signal in signals.items():
        signal.connect(receivers[name])
    try:
        with transaction.atomic():
            run = merged(Author, "name")
            undo(run)
        for name, signal in signals.items():
            assert signal.has_listeners(Author), name
    finally:
        for name, signal in signals.items():
            signal.disconnect(receivers[name])
    assert heard[0] == ("pre", [(str(duplicate.pk), str(survivor.pk))])


def test_the_journal_names_every_row_that_was_changed() -> None:
    survivor, duplicate = authors("Ann", "Ann")
    book = Book.objects.create(author=duplicate, title="War")
    tag = Tag.objects.create(name="x")
    duplicate.tags.add(tag)
    run = merged(Author, "name")
    changes = {
        (change.step.model, change.row, change.step.action, change.survivor)
        for change in RowChange.objects.filter(step__run=run)
    }
    link = Author.tags.through.objects.get()
    assert changes == {
        ("links.Book", str(book.pk), "update", str(survivor.pk)),
        ("links.Author_tags", str(link.pk), "update", str(survivor.pk)),
        ("links.Author", str(duplicate.pk), "delete", str(survivor.pk)),
    }


def test_a_run_that_is_deleted_takes_its_journal_along_and_no_other() -> None:
    authors("Ann", "Ann")
    first = merged(Author, "name")
    authors("Bob", "Bob")
    before = snapshot()
    second = merged(Author, "name")
    first.delete()
    assert [change.step.run for change in RowChange.objects.all()] == [second]
    assert_undo_restores(second, before)


def test_the_journal_gives_no_database_anything_to_warn_of() -> None:
    assert RowChange.check(databases=["default"]) == []


def test_rows_named_twice_or_alone_are_refused() -> None:
    (ann,) = authors("Ann")
    with pytest.raises(DedupeError, match="name at least two different rows"):
        row_set(Author, [ann.pk, str(ann.pk)])


def test_a_row_that_does_not_exist_is_named() -> None:
    (ann,) = authors("Ann")
    with pytest.raises(DedupeError, match=r"links\.Author has no row 2000000000"):
        plan_merge(row_set(Author, [ann.pk, 2_000_000_000]))


def test_a_key_of_the_wrong_type_is_named() -> None:
    with pytest.raises(DedupeError, match="'x' cannot be a primary key of this model"):
        row_set(Author, ["x", 1])


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(DedupeError, match="'hld' is not a valid OnCollision"):
        plan_merge(match_key(Author, ["name"]), policy=MergePolicy(on_collision="hld"))


@pytest.mark.django_db(databases=["default", "other"])
def test_a_second_database_keeps_its_rows_and_its_journal_to_itself() -> None:
    for _ in range(2):
        Author.objects.using("other").create(name="Ann")
        Author.objects.create(name="Ann")
    default, other = snapshot(), snapshot("other")
    run = merge(plan_merge(match_key(Author, ["name"]), using="other"))
    assert snapshot() == default
    assert Author.objects.using("other").count() == 1
    assert not MergeRun.objects.exists()
    undo(run.pk, using="other")
    assert snapshot("other") == other


def test_no_second_merge_of_a_model_while_one_is_running() -> None:
    authors("Ann", "Ann")
    plan = planned(Author, "name")
    holder = connections.create_connection("default")
    try:
        with database_of(holder).run_lock("links.Author") as is_ours:
            assert is_ours
            with pytest.raises(DedupeError, match="another merge of this model is running"):
                merge(plan)
    finally:
        holder.close()


def test_in_memory_too_one_of_two_merges_of_a_model_is_refused() -> None:
    kept = {**connections["default"].settings_dict, "NAME": ":memory:", "OPTIONS": {}}
    wrappers = [DatabaseWrapper(kept, "memory") for _ in range(2)]
    one, other = map(SQLite, wrappers)
    # Django itself leaves databases in memory open
    with closing(wrappers[0].connection), closing(wrappers[1].connection):
        for _ in range(2):
            with one.run_lock("links.Author") as is_ours:
                assert is_ours
                assert other.is_run_lock_held("links.Author")
                with other.run_lock("links.Author") as is_theirs:
                    assert not is_theirs
                assert other.is_run_lock_held("links.Author")
                with other.run_lock("links.Book") as is_theirs:
                    assert is_theirs
            assert not other.is_run_lock_held("links.Author")


def test_a_merge_waits_for_another_one_of_the_model_if_it_is_told_to() -> None:
    authors("Ann", "Ann")
    plan = planned(Author, "name")
    holder = connections.create_connection("default")
    other = database_of(holder).run_lock("links.Author")
    assert other.__enter__()
    waited: list[bool] = []

    def end_the_other() -> bool:
        if not waited:
            other.__exit__(None, None, None)
        waited.append(True)
        return False

    try:
        assert merge(plan, wait=60, stop=end_the_other).merged == 1
    finally:
        holder.close()
    assert waited


def database_of(holder: Any) -> Any:
    return type(database("default"))(holder)


@pytest.mark.django_db(transaction=True)
def test_a_table_without_a_model_that_points_at_a_duplicate_holds_its_group_back() -> None:
    authors_ = authors("Ann", "Ann", "Bob", "Bob")
    kind = {"sqlite": "integer", "postgresql": "bigint", "mysql": "bigint"}[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE stranger (writer {kind} NOT NULL,"
            " FOREIGN KEY (writer) REFERENCES links_author (id) ON DELETE CASCADE)"
        )
        cursor.execute("INSERT INTO stranger VALUES (%s)", [authors_[1].pk])
    try:
        run = merged(Author, "name")
        assert run.held_back[0]["reason"] == (
            f"stranger.writer points at row {authors_[1].pk}, and no model of the project has this"
            " table: give it one (managed = False will do)"
        )
        assert run.merged == 1
        assert Author.objects.filter(name="Ann").count() == 2
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE stranger")


def test_the_longest_text_has_the_most_characters_not_bytes() -> None:
    for text in ("ääää", "abcdef", "日本語文"):
        Author.objects.create(name="Ann", bio=text)
    merged(Author, "name", field_rules={"bio": "longest"})
    assert Author.objects.get().bio == "abcdef"
