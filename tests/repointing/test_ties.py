"""Rows that tie survivor and duplicate together never end by relating a row to itself unasked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType

from dedupe_toolkit import DedupeError, MergePolicy, merge, plan_merge, register, row_set
from dedupe_toolkit.plan_values import TieCount
from dedupe_toolkit.registry import unregister
from dedupe_toolkit.reviewing.preview import preview_merge
from tests.commands.kit import run as run_command
from tests.kit import assert_undo_restores, counts, merged, merged_rows, planned, snapshot
from tests.situations.ties.models import (
    Club,
    Couple,
    Follow,
    Handover,
    Member,
    Mention,
    Parcel,
    Person,
    Place,
    Receipt,
    Relation,
    Road,
    Transfer,
    Vouch,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> list[Person]:
    """Two that are the same, and another."""
    names = [("Ann", "a1"), ("Ann", "a2"), ("Bob", "b")]
    return [Person.objects.create(name=name, code=code) for name, code in names]


@pytest.fixture
def bare_columns() -> Iterator[None]:
    register(Person, references=["ties.Handover.giver_id", "ties.Handover.taker_id"])
    yield
    unregister(Person)


def tie(first: str, second: str, **counts: int) -> TieCount:
    return TieCount(references=(f"ties.{first}", f"ties.{second}"), **counts)


def test_a_row_between_survivor_and_duplicate_holds_the_group_back(people: list[Person]) -> None:
    ann, twin, bob = people
    tied = Relation.objects.create(a=ann, b=twin, kind="sibling")
    Relation.objects.create(a=twin, b=bob, kind="friend")
    before = snapshot()
    plan = planned(Person, "name")
    assert plan.ties == (tie("Relation.a", "Relation.b", held_back=1),)
    run = merged(Person, "name")
    assert run.held_back[0]["reason"] == (
        f"ties.Relation: row {tied.pk} ties rows of this group together (a, b), and would relate"
        " the survivor to itself"
    )
    assert snapshot() == before


def test_the_plan_says_what_else_can_be_done_with_it(people: list[Person]) -> None:
    Relation.objects.create(a=people[1], b=people[0], kind="sibling")
    assert planned(Person, "name").warnings == (
        "rows tie survivor and duplicate together by ties.Relation.a and ties.Relation.b:"
        " --on-collision discard deletes them, and"
        ' collisions={"ties.Relation.a": "keep"} in dedupe.py lets them relate the survivor to'
        " itself",
    )


def test_merging_rivals_does_not_settle_it(people: list[Person]) -> None:
    Relation.objects.create(a=people[0], b=people[1], kind="sibling")
    assert merged(Person, "name", on_collision="merge").groups_held_back == 1


def test_it_is_discarded_if_asked_for_and_comes_back(people: list[Person]) -> None:
    ann, twin, bob = people
    Relation.objects.create(a=ann, b=twin, kind="sibling")
    Relation.objects.create(a=ann, b=bob, kind="employee", start=2020)
    Relation.objects.create(a=twin, b=bob, kind="employee", start=2023)
    before = snapshot()
    plan = planned(Person, "name", on_collision="discard")
    assert plan.ties == (tie("Relation.a", "Relation.b", discarded=1),)
    run = merged(Person, "name", on_collision="discard")
    rows = Relation.objects.order_by("start").values_list("a", "b", "kind", "start")
    assert list(rows) == [(ann.pk, bob.pk, "employee", year) for year in (2020, 2023)]
    assert counts(run, "ties.Relation.a") == (1, 1, 0)
    assert_undo_restores(run, before)


def test_it_stays_where_that_is_declared(people: list[Person]) -> None:
    ann, twin, _ = people
    Transfer.objects.create(payer=ann, payee=twin)
    before = snapshot()
    keep = {"ties.Transfer.payee": "keep"}
    plan = planned(Person, "name", collisions=keep)
    assert plan.ties == (tie("Transfer.payee", "Transfer.payer", kept=1),)
    run = merged(Person, "name", collisions=keep)
    assert Transfer.objects.values_list("payer", "payee").get() == (ann.pk, ann.pk)
    assert_undo_restores(run, before)


def test_a_row_that_related_something_to_itself_before_stays_as_it_was(
    people: list[Person],
) -> None:
    ann, twin, _ = people
    Relation.objects.create(a=twin, b=twin, kind="self-portrait")
    before = snapshot()
    run = merged(Person, "name")
    assert Relation.objects.values_list("a", "b").get() == (ann.pk, ann.pk)
    assert planned(Person, "name").ties == ()
    assert_undo_restores(run, before)


def test_rows_between_two_groups_are_no_ties(people: list[Person]) -> None:
    ann, twin, bob = people
    Person.objects.create(name="Bob")
    Relation.objects.create(a=ann, b=bob, kind="friend")
    Relation.objects.create(a=bob, b=twin, kind="friend")
    run = merged(Person, "name")
    assert run.merged == 2
    assert set(Relation.objects.values_list("a", "b")) == {(ann.pk, bob.pk), (bob.pk, ann.pk)}


def test_the_admins_log_tells_of_users_who_changed_their_own_duplicate() -> None:
    ann, twin = (User.objects.create(username=name, last_name="Lee") for name in ("ann", "twin"))
    users = ContentType.objects.get_for_model(User)
    for who, whom in ((ann, twin), (twin, ann)):
        changed = {"content_type": users, "object_id": str(whom.pk), "object_repr": str(whom)}
        LogEntry.objects.create(user=who, action_flag=CHANGE, **changed)
    rows = row_set(User, [ann.pk, twin.pk])
    assert preview_merge(rows).rows_to_merge == plan_merge(rows).rows_to_merge == 1
    before = snapshot()
    run = merge(plan_merge(rows))
    logged = LogEntry.objects.values_list("user", "object_id")
    assert list(logged) == [(ann.pk, str(ann.pk))] * 2
    assert_undo_restores(run, before)
    held = plan_merge(rows, policy=MergePolicy(collisions={"admin.LogEntry.object_id": "hold"}))
    assert "admin.LogEntry: row" in str(held.held_back[0].reason)


def test_groups_without_such_rows_merge_all_the_same(people: list[Person]) -> None:
    Person.objects.create(name="Bob")
    Relation.objects.create(a=people[0], b=people[1], kind="sibling")
    run = merged(Person, "name")
    assert (run.merged, run.groups_held_back) == (1, 1)


def test_a_check_that_forbids_it_is_never_met(people: list[Person]) -> None:
    ann, twin, bob = people
    for who, whom in ((ann, twin), (twin, ann), (twin, bob)):
        Follow.objects.create(who=who, whom=whom)
    before = snapshot()
    assert "ties.Follow: row" in merged(Person, "name").held_back[0]["reason"]
    run = merged(Person, "name", on_collision="discard")
    assert list(Follow.objects.values_list("who", "whom")) == [(ann.pk, bob.pk)]
    assert_undo_restores(run, before)


def test_of_three_references_any_two_tie_and_a_row_counts_once(people: list[Person]) -> None:
    ann, twin, bob = people
    Transfer.objects.create(payer=ann, payee=twin, broker=ann)
    Transfer.objects.create(payer=bob, payee=twin, broker=ann)
    Transfer.objects.create(payer=bob, payee=twin)
    plan = planned(Person, "name", on_collision="discard")
    assert plan.ties == (tie("Transfer.broker", "Transfer.payee", discarded=2),)
    run = merged(Person, "name", on_collision="discard")
    assert list(Transfer.objects.values_list("payer", "payee")) == [(bob.pk, ann.pk)]
    assert counts(run, "ties.Transfer.broker")[1] == 2


def test_each_two_references_are_asked_by_themselves(people: list[Person]) -> None:
    ann, twin, bob = people
    Transfer.objects.create(payer=bob, payee=twin, broker=ann)
    broker = {"ties.Transfer.broker": "keep"}
    assert planned(Person, "name", collisions=broker).ties == (
        tie("Transfer.broker", "Transfer.payee", kept=1),
    )
    payer = {"ties.Transfer.payer": "keep"}
    assert planned(Person, "name", collisions=payer).ties == (
        tie("Transfer.broker", "Transfer.payee", held_back=1),
    )


def test_a_row_that_others_reference_is_not_discarded(people: list[Person]) -> None:
    tied = Transfer.objects.create(payer=people[0], payee=people[1])
    Receipt.objects.create(transfer=tied)
    before = snapshot()
    run = merged(Person, "name", on_collision="discard")
    assert run.held_back[0]["reason"] == (
        f"ties.Transfer: row {tied.pk} cannot be discarded, ties.Receipt.transfer points at it"
    )
    assert planned(Person, "name", on_collision="discard").ties == (
        tie("Transfer.payee", "Transfer.payer", held_back=1),
    )
    assert snapshot() == before


def test_a_couple_that_is_one_person_frees_the_place_for_another(people: list[Person]) -> None:
    ann, twin, bob = people
    Couple.objects.create(husband=ann, wife=twin)
    Couple.objects.create(husband=twin, wife=bob)
    before = snapshot()
    assert merged(Person, "name").groups_held_back == 1
    run = merged(Person, "name", on_collision="discard")
    assert Couple.objects.values_list("husband", "wife").get() == (ann.pk, bob.pk)
    assert_undo_restores(run, before)


def test_one_end_may_be_known_by_another_column(people: list[Person]) -> None:
    ann, twin, bob = people
    Parcel.objects.create(sender=twin, receiver=ann)
    Parcel.objects.create(sender=twin, receiver=bob)
    before = snapshot()
    assert merged(Person, "name").groups_held_back == 1
    run = merged(Person, "name", on_collision="discard")
    assert Parcel.objects.values_list("sender", "receiver").get() == ("a1", bob.pk)
    assert_undo_restores(run, before)


def test_one_end_may_be_a_generic_key(people: list[Person]) -> None:
    ann, twin, bob = people
    Mention.objects.create(author=ann, subject=twin)
    Mention.objects.create(author=bob, subject=twin)
    Mention.objects.create(author=ann, subject=Club.objects.create(pk=twin.pk))
    before = snapshot()
    assert merged(Person, "name").groups_held_back == 1
    run = merged(Person, "name", on_collision="discard")
    types = ContentType.objects.get_for_models(Person, Club)
    assert set(Mention.objects.values_list("author", "content_type", "object_id")) == {
        (bob.pk, types[Person].pk, str(ann.pk)),
        (ann.pk, types[Club].pk, str(twin.pk)),
    }
    assert_undo_restores(run, before)


@pytest.mark.usefixtures("bare_columns")
def test_declared_columns_tie_as_foreign_keys_do(people: list[Person]) -> None:
    ann, twin, bob = people
    Handover.objects.create(giver_id=twin.pk, taker_id=ann.pk)
    Handover.objects.create(giver_id=twin.pk, taker_id=bob.pk)
    before = snapshot()
    assert merged(Person, "name").groups_held_back == 1
    run = merged(Person, "name", on_collision="discard")
    assert Handover.objects.values_list("giver_id", "taker_id").get() == (ann.pk, bob.pk)
    assert_undo_restores(run, before)


def test_references_by_several_columns_tie_too() -> None:
    for number in (1, 2, 3):
        Place.objects.create(land=1, number=number, name="x" if number < 3 else "y")
    for start, end in ((1, 2), (2, 2), (2, 3)):
        Road.objects.create(land=1, start_number=start, end_number=end)
    before = snapshot()
    assert merged(Place, "name").groups_held_back == 1
    run = merged(Place, "name", on_collision="discard")
    ends = set(Road.objects.values_list("start_number", "end_number"))
    assert ends == {(1, 1), (1, 3)}
    assert_undo_restores(run, before)


def members(people: list[Person], *clubs: str) -> list[Member]:
    found = []
    for name in clubs:
        club = Club.objects.create(name=name)
        for person in people[:2]:
            role = f"{name}{person.pk}"
            found.append(Member.objects.create(person=person, club=club, role=role))
    return found


def test_rivals_that_merge_are_tied_like_duplicates(people: list[Person]) -> None:
    kept, lost = members(people, "chess")
    vouch = Vouch.objects.create(one=lost, other=kept)
    before = snapshot()
    run = merged(Person, "name", on_collision="merge")
    assert f"ties.Vouch: row {vouch.pk} ties" in run.held_back[0]["reason"]
    keep = {"ties.Vouch.one": "keep"}
    run = merged(Person, "name", on_collision="merge", collisions=keep)
    assert Vouch.objects.values_list("one", "other").get() == (kept.pk, kept.pk)
    assert_undo_restores(run, before)


def test_rows_between_rivals_of_different_rows_are_no_ties(people: list[Person]) -> None:
    kept, lost, kept_too, lost_too = members(people, "chess", "golf")
    Vouch.objects.create(one=lost, other=lost_too)
    Vouch.objects.create(one=lost, other=kept_too)
    Vouch.objects.create(one=kept, other=lost_too)
    lost.friends.add(lost_too)
    lost.friends.add(kept)
    before = snapshot()
    run = merged(Person, "name", on_collision="merge")
    assert set(Vouch.objects.values_list("one", "other")) == {(kept.pk, kept_too.pk)}
    assert Vouch.objects.count() == 3
    assert list(kept.friends.all()) == [kept_too]
    assert_undo_restores(run, before)


def test_a_child_whose_two_parents_turn_out_to_be_one_holds_them_back(
    people: list[Person],
) -> None:
    ann, twin, bob = people
    Person.objects.filter(pk=bob.pk).update(father=ann, mother=twin)
    before = snapshot()
    run = merged(Person, "name", on_collision="discard")
    assert f"ties.Person: row {bob.pk} ties" in run.held_back[0]["reason"]
    assert snapshot() == before
    run = merged(Person, "name", collisions={"ties.Person.father": "keep"})
    bob.refresh_from_db()
    assert (bob.father_id, bob.mother_id) == (ann.pk, ann.pk)
    assert_undo_restores(run, before)


def test_the_merged_rows_own_references_get_targets_of_their_own(people: list[Person]) -> None:
    ann, twin, bob = people
    Person.objects.filter(pk=ann.pk).update(father=twin, mother=bob)
    Person.objects.filter(pk=twin.pk).update(father=ann, mother=ann)
    before = snapshot()
    run = merged(Person, "name")
    ann.refresh_from_db()
    assert (run.merged, ann.father_id, ann.mother_id) == (1, None, bob.pk)
    assert_undo_restores(run, before)


def test_rows_named_one_by_one_are_held_back_alike(people: list[Person]) -> None:
    ann, twin, bob = people
    Relation.objects.create(a=ann, b=twin, kind="sibling")
    before = snapshot()
    assert merged_rows(Person, ann.pk, twin.pk).groups_held_back == 1
    assert merged_rows(Person, ann.pk, bob.pk).merged == 1
    run = merged_rows(Person, ann.pk, twin.pk, on_collision="discard")
    assert (run.merged, Relation.objects.count()) == (1, 0)
    assert before != snapshot()


@pytest.mark.parametrize("batch_size", [0, 1, 2])
def test_batches_find_what_the_plan_found(people: list[Person], batch_size: int) -> None:
    for name in ("Cid", "Dan", "Eve"):
        one, other = (Person.objects.create(name=name) for _ in range(2))
        if name != "Dan":
            Relation.objects.create(a=one, b=other, kind="x")
    before = snapshot()
    run = merged(Person, "name", batch_size=batch_size)
    assert (run.merged, run.groups_held_back) == (2, 2)
    assert_undo_restores(run, before)


def test_the_dry_run_shows_them_under_a_heading_and_in_its_document(people: list[Person]) -> None:
    Relation.objects.create(a=people[0], b=people[1], kind="sibling")
    arguments = ["merge_duplicates", "ties.Person", "--fields", "name", "--dry-run"]
    out = run_command(*arguments).out
    assert "Rows that tie survivor and duplicate together by two references of theirs:" in out
    assert run_command(*arguments, "--format", "json").document["ties"] == [
        {
            "references": ["ties.Relation.a", "ties.Relation.b"],
            "held_back": 1,
            "discarded": 0,
            "kept": 0,
        }
    ]


def test_keep_cannot_be_said_of_all_references(people: list[Person]) -> None:
    with pytest.raises(DedupeError, match="'keep' is said of single references"):
        planned(Person, "name", on_collision="keep")


def test_an_option_for_collisions_leaves_what_is_declared_to_stay(people: list[Person]) -> None:
    register(Person, keys=["name"], collisions={"ties.Transfer.payer": "keep"})
    try:
        Transfer.objects.create(payer=people[0], payee=people[1])
        run_command("merge_duplicates", "ties.Person", "--on-collision", "discard", "--no-input")
    finally:
        unregister(Person)
    assert Transfer.objects.count() == 1
