"""Cases 23 to 29: rows that would break a unique rule once they point at the survivor."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import Deferrable, UniqueConstraint

from tests.cases.rules import ruled
from tests.kit import assert_undo_restores, counts, merged, planned, snapshot
from tests.situations.generic.models import Page, Vote
from tests.situations.odd.models import Passport, Person, Traveller
from tests.situations.rivals.models import (
    Address,
    Badge,
    Membership,
    Nickname,
    Profile,
    Team,
    User,
    Visit,
)

if TYPE_CHECKING:
    from django.db.models import Model

pytestmark = pytest.mark.django_db


def users(number: int = 2) -> list[User]:
    return [User.objects.create(name="Ann") for _ in range(number)]


@pytest.mark.parametrize("policy", ["hold", "merge", "discard"])
def test_case_23_rivals_with_children_are_held_back_or_merged_and_never_discarded(
    policy: str,
) -> None:
    team = Team.objects.create(name="Red")
    for user in users():
        membership = Membership.objects.create(user=user, team=team, role=f"of {user.pk}")
        Badge.objects.create(membership=membership, label=f"of {user.pk}")
    before = snapshot()
    run = merged(User, "name", on_collision=policy)
    if policy == "merge":
        assert Membership.objects.get().badges.count() == 2
        assert_undo_restores(run, before)
        return
    (held,) = run.held_back
    said = {"hold": "would break unique (user, team)", "discard": "rivals.Badge.membership points"}
    assert held["reason"].startswith("rivals.Membership: row")
    assert said[policy] in held["reason"]
    assert snapshot() == before


RULES: dict[str, tuple[type[Model], dict[str, Any], UniqueConstraint | None, str]] = {
    "a condition": (
        Address,
        {"kind": "home", "is_active": True},
        None,
        "supports_partial_indexes",
    ),
    "an expression": (Nickname, {"text": "Annie"}, None, "supports_expression_indexes"),
    "equal NULLs": (
        Visit,
        {"day": None},
        UniqueConstraint(fields=["user", "day"], nulls_distinct=False, name="one_day"),
        "supports_nulls_distinct_unique_constraints",
    ),
    "deferred": (
        Visit,
        {"day": 1},
        UniqueConstraint(fields=["user", "day"], deferrable=Deferrable.DEFERRED, name="later"),
        "supports_deferrable_unique_constraints",
    ),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_case_24_three_duplicates_collide_among_themselves_and_with_the_survivors_row(
    rule: tuple[type[Model], dict[str, Any], UniqueConstraint | None, str],
) -> None:
    model, values, constraint, feature = rule
    with ruled(model, constraint) if constraint else nullcontext():
        survivor, *duplicates = users(4)
        for user in (*duplicates, survivor):
            row = model._base_manager.create(user=user, **values)
        before = snapshot()
        run = merged(User, "name", on_collision="merge")
        left = list(model._base_manager.filter(user=survivor).values_list("pk", flat=True))
        assert len(left) == (1 if getattr(connection.features, feature) else 4)
        assert row.pk in left
        assert_undo_restores(run, before)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("policy", ["hold", "merge", "discard"])
def test_case_25_a_nullable_foreign_key_leaves_no_orphan(policy: str) -> None:
    with ruled(Visit, UniqueConstraint(fields=["user", "team"], name="one_visit")):
        team = Team.objects.create(name="Red")
        for day, user in enumerate(users()):
            Visit.objects.create(user=user, team=team, day=day)
        before = snapshot()
        run = merged(User, "name", on_collision=policy)
        assert not Visit.objects.filter(user=None).exists()
        assert Visit.objects.count() == (2 if policy == "hold" else 1)
        assert_undo_restores(run, before)


def test_case_26_a_unique_generic_key_on_both_collides() -> None:
    page_type = ContentType.objects.get_for_model(Page)
    pages = [Page.objects.create(slug="home") for _ in range(2)]
    for points, page in enumerate(pages):
        Vote.objects.create(content_type=page_type, object_id=page.pk, who="Ann", points=points)
    before = snapshot()
    assert "generic.Vote: rows" in merged(Page, "slug").held_back[0]["reason"]
    assert snapshot() == before
    run = merged(Page, "slug", on_collision="merge")
    vote = Vote.objects.get()
    assert (vote.object_id, vote.points) == (pages[0].pk, 0)
    assert counts(run, "generic.Vote.subject") == (0, 0, 1)
    assert_undo_restores(run, before)


@pytest.mark.parametrize(
    ("owners", "expected"), [((), []), ((0,), ["0"]), ((1,), ["1"]), ((0, 1), ["0"])]
)
def test_case_27_a_reverse_one_to_one_is_moved_kept_or_settled_by_policy(
    owners: tuple[int, ...], expected: list[str]
) -> None:
    pair = users()
    for owner in owners:
        Profile.objects.create(user=pair[owner], bio=str(owner))
    before = snapshot()
    assert len(planned(User, "name").held_back) == (len(owners) == 2)
    run = merged(User, "name", on_collision="discard")
    assert list(Profile.objects.filter(user=pair[0]).values_list("bio", flat=True)) == expected
    assert Profile.objects.count() == len(expected)
    assert_undo_restores(run, before)


@pytest.mark.parametrize(("owners", "expected"), [((1,), 1), ((0, 1), 0)])
def test_case_28_a_forward_one_to_one_moves_and_what_it_points_at_is_never_deleted(
    owners: tuple[int, ...], expected: int
) -> None:
    passports = [Passport.objects.create(number=str(number)) for number in range(2)]
    for index in range(2):
        own = passports[index] if index in owners else None
        Traveller.objects.create(name="Ann", passport=own)
    before = snapshot()
    run = merged(Traveller, "name")
    assert Traveller.objects.get().passport == passports[expected]
    assert Passport.objects.count() == 2
    assert_undo_restores(run, before)


def test_case_29_a_unique_value_moves_to_the_survivor_that_has_none() -> None:
    survivor = Person.objects.create(name="Ann", slug=None)
    Person.objects.create(name="Ann", slug="s")
    before = snapshot()
    run = merged(Person, "name")
    assert Person.objects.get() == survivor
    assert Person.objects.get().slug == "s"
    assert_undo_restores(run, before)
