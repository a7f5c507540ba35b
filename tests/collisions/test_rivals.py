"""Rows that collide once repointed: held back, merged with all that is below, or discarded."""

from __future__ import annotations

import pytest
from django.db import connection

from tests.kit import assert_undo_restores, counts, merged, planned, snapshot
from tests.situations.rivals.models import (
    Address,
    Badge,
    Duel,
    Membership,
    Nickname,
    Profile,
    Seat,
    Stamp,
    Team,
    User,
)

pytestmark = pytest.mark.django_db


def users(*names: str) -> list[User]:
    return [User.objects.create(name=name) for name in names]


@pytest.fixture
def pair() -> tuple[User, User]:
    survivor, duplicate = users("Ann", "Ann")
    return survivor, duplicate


@pytest.fixture
def memberships(pair: tuple[User, User]) -> tuple[Membership, Membership]:
    team = Team.objects.create(name="Red")
    kept = Membership.objects.create(user=pair[0], team=team, role="", since=1990)
    lost = Membership.objects.create(user=pair[1], team=team, role="goal", since=2000)
    for membership, label in ((kept, "a"), (lost, "a"), (lost, "b")):
        Stamp.objects.create(badge=Badge.objects.create(membership=membership, label=label))
    return kept, lost


def test_a_collision_holds_the_group_back_and_names_the_rows_and_the_rule(
    memberships: tuple[Membership, Membership],
) -> None:
    before = snapshot()
    run = merged(User, "name")
    kept, lost = memberships
    assert run.held_back[0]["reason"] == (
        f"rivals.Membership: rows {kept.pk} and {lost.pk} would break unique (user, team)"
    )
    assert (run.merged, snapshot()) == (0, before)


def test_one_group_held_back_does_not_stop_the_others(
    memberships: tuple[Membership, Membership],
) -> None:
    users("Bob", "Bob")
    run = merged(User, "name")
    assert (run.merged, len(run.held_back)) == (1, 1)
    assert User.objects.filter(name="Bob").count() == 1


def test_rivals_are_merged_with_all_their_children_and_blanks_are_filled(
    memberships: tuple[Membership, Membership],
) -> None:
    before = snapshot()
    run = merged(User, "name", on_collision="merge")
    kept = Membership.objects.get()
    assert (kept.pk, kept.role, kept.since) == (memberships[0].pk, "goal", 1990)
    assert sorted(kept.badges.values_list("label", flat=True)) == ["a", "b"]
    assert Stamp.objects.count() == 3
    assert counts(run, "rivals.Membership.user") == (0, 0, 1)
    assert_undo_restores(run, before)


def test_rivals_of_several_tables_below_merge_each_into_its_own_winner(
    pair: tuple[User, User],
) -> None:
    for team in (Team.objects.create(name="Red"), Team.objects.create(name="Blue")):
        for user in pair:
            membership = Membership.objects.create(user=user, team=team, since=user.pk)
            Stamp.objects.create(badge=Badge.objects.create(membership=membership, label="a"))
    before = snapshot()
    run = merged(User, "name", on_collision="merge")
    assert (Membership.objects.count(), Badge.objects.count()) == (2, 2)
    assert [badge.stamp_set.count() for badge in Badge.objects.all()] == [2, 2]
    assert_undo_restores(run, before)


def test_a_rival_that_others_reference_is_not_discarded_but_held_back(
    memberships: tuple[Membership, Membership],
) -> None:
    before = snapshot()
    run = merged(User, "name", on_collision="discard")
    assert run.held_back[0]["reason"] == (
        f"rivals.Membership: row {memberships[1].pk} cannot be discarded,"
        " rivals.Badge.membership points at it"
    )
    assert snapshot() == before


def test_a_rival_without_references_is_discarded_and_journaled(pair: tuple[User, User]) -> None:
    team = Team.objects.create(name="Red")
    for user, role in zip(pair, ("goal", "wing"), strict=True):
        Membership.objects.create(user=user, team=team, role=role)
    before = snapshot()
    run = merged(User, "name", on_collision="discard")
    assert Membership.objects.get().role == "goal"
    assert counts(run, "rivals.Membership.user") == (0, 1, 0)
    assert_undo_restores(run, before)


def test_a_row_equal_to_its_rival_is_redundant_even_when_collisions_are_held(
    pair: tuple[User, User],
) -> None:
    team = Team.objects.create(name="Red")
    for user in pair:
        membership = Membership.objects.create(user=user, team=team, role="goal")
        Badge.objects.create(membership=membership, label=f"of {user.pk}")
    before = snapshot()
    run = merged(User, "name")
    assert Membership.objects.get().badges.count() == 2
    assert_undo_restores(run, before)


def test_case_alone_makes_rows_differ_whatever_the_collation(pair: tuple[User, User]) -> None:
    team = Team.objects.create(name="Red")
    for user, role in zip(pair, ("goal", "Goal"), strict=True):
        Membership.objects.create(user=user, team=team, role=role)
    assert len(planned(User, "name").held_back) == 1


def test_three_rows_collide_among_themselves_and_the_lowest_key_wins() -> None:
    _, *duplicates = users("Ann", "Ann", "Ann", "Ann")
    team = Team.objects.create(name="Red")
    rows = [Membership.objects.create(user=user, team=team) for user in duplicates]
    rows[1].role = "wing"
    rows[1].save()
    before = snapshot()
    run = merged(User, "name", on_collision="merge")
    kept = Membership.objects.get()
    assert (kept.pk, kept.role) == (rows[0].pk, "wing")
    assert_undo_restores(run, before)


def test_the_row_that_pointed_at_the_survivor_wins_though_its_key_is_higher(
    pair: tuple[User, User],
) -> None:
    team = Team.objects.create(name="Red")
    Membership.objects.create(user=pair[1], team=team, role="wing")
    kept = Membership.objects.create(user=pair[0], team=team, role="goal")
    merged(User, "name", on_collision="discard")
    assert Membership.objects.get().pk == kept.pk


@pytest.mark.parametrize("owners", [(), (0,), (1,), (0, 1)])
def test_a_profile_of_the_survivor_the_duplicate_both_or_neither(
    pair: tuple[User, User], owners: tuple[int, ...]
) -> None:
    for index in owners:
        bio, site = ("bio", "") if index == 0 else ("other", "x.org")
        Profile.objects.create(user=pair[index], bio=bio, site=site)
    before = snapshot()
    run = merged(User, "name", on_collision="merge")
    expected = {(): [], (0,): [("bio", "")], (1,): [("other", "x.org")], (0, 1): [("bio", "x.org")]}
    profiles = list(Profile.objects.filter(user=pair[0]).values_list("bio", "site"))
    assert profiles == expected[owners]
    assert_undo_restores(run, before)


def test_two_references_of_one_row_into_two_groups_collide_only_together() -> None:
    ann, ann2, bob, bob2 = users("Ann", "Ann", "Bob", "Bob")
    Duel.objects.create(left=ann, right=bob, place="park")
    Duel.objects.create(left=ann2, right=bob2, place="wood")
    before = snapshot()
    run = merged(User, "name")
    assert len(run.held_back) == 1
    assert run.merged == 1
    assert Duel.objects.count() == 2
    assert_undo_restores(run, before)


def test_rows_that_lose_by_one_rule_and_win_by_another_end_in_one_row() -> None:
    *_, last = people = users("Ann", "Ann", "Ann")
    Seat.objects.create(user=people[0], row=1, number=1)
    Seat.objects.create(user=people[1], row=1, number=2)
    Seat.objects.create(user=last, row=3, number=2)
    before = snapshot()
    run = merged(User, "name", on_collision="merge")
    seats = list(Seat.objects.values_list("row", "number"))
    assert (1, 1) in seats
    assert run.merged == 1
    assert_undo_restores(run, before)


def test_nulls_do_not_collide_in_a_plain_unique_rule(pair: tuple[User, User]) -> None:
    Seat.objects.create(user=pair[0], row=None, number=1)
    Seat.objects.create(user=pair[1], row=None, number=2)
    before = snapshot()
    run = merged(User, "name")
    assert Seat.objects.filter(user=pair[0], row=None).count() == 2
    assert_undo_restores(run, before)


def test_a_conditional_rule_counts_only_the_rows_it_speaks_of(pair: tuple[User, User]) -> None:
    for user, is_active in ((pair[0], True), (pair[1], False)):
        Address.objects.create(user=user, kind="home", is_active=is_active)
    before = snapshot()
    run = merged(User, "name")
    assert counts(run, "rivals.Address.user") == (1, 0, 0)
    assert_undo_restores(run, before)
    Address.objects.create(user=pair[1], kind="home", is_active=True)
    before = snapshot()
    run = merged(User, "name")
    expected = (1, 1, 0) if connection.features.supports_partial_indexes else (2, 0, 0)
    assert counts(run, "rivals.Address.user") == expected
    assert_undo_restores(run, before)


def test_an_expression_rule_compares_as_the_database_does(pair: tuple[User, User]) -> None:
    for user, text in zip(pair, ("Annie", "ANNIE"), strict=True):
        Nickname.objects.create(user=user, text=text)
    before = snapshot()
    held = planned(User, "name").held_back
    assert bool(held) is connection.features.supports_expression_indexes
    run = merged(User, "name", on_collision="merge")
    assert Nickname.objects.count() == (1 if held else 2)
    assert_undo_restores(run, before)
