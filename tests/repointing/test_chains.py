"""Rows that are each other's keys, in a chain that the database may move along by itself."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection, models

from dedupe_toolkit import merge, survivor_of
from tests.kit import assert_undo_restores, counts, merged, planned, snapshot
from tests.references.naming import called, made
from tests.situations.keyed.models import Account, Folder
from tests.situations.moving.models import Member, Passport, Stamp, Visa

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.django_db(transaction=not connection.features.can_rollback_ddl)
ACTIONS = ["CASCADE", "SET NULL", "NO ACTION", "RESTRICT"]
# MySQL and MariaDB have no key that would empty a primary key
EMPTYING_NO_KEY = [one for one in ACTIONS if (connection.vendor, one) != ("mysql", "SET NULL")]
LATE = "DEFERRABLE" if connection.vendor == "postgresql" else ""


@contextmanager
def pointing(
    *, sponsor: str = "NO ACTION", visa: str = "NO ACTION", stamp: str = "NO ACTION"
) -> Iterator[None]:
    """The tables of the chain, with foreign keys that do this when what they point at moves."""
    data = models.JSONField().db_type(connection)
    passports = (
        "member_id bigint PRIMARY KEY, sponsor_id bigint, latest_id bigint,"
        f" data {data} NOT NULL, FOREIGN KEY (sponsor_id) REFERENCES moving_passes (member_id)"
        f" ON UPDATE {sponsor}, FOREIGN KEY (member_id) REFERENCES moving_member (id) {LATE}"
    )
    if LATE:
        passports = passports.replace(f"{sponsor},", f"{sponsor} {LATE},")
    visas = "passport_id bigint PRIMARY KEY, FOREIGN KEY (passport_id) REFERENCES moving_passes"
    stamps = "id integer PRIMARY KEY, visa_id bigint, FOREIGN KEY (visa_id) REFERENCES moving_visas"
    tables = (
        ("moving_passes", f"({passports})"),
        ("moving_visas", f"({visas} (member_id) ON UPDATE {visa})"),
        ("moving_stamps", f"({stamps} (passport_id) ON UPDATE {stamp} {LATE})"),
    )
    names = called(Passport, "moving_passes"), called(Visa, "moving_visas")
    with made(*tables), names[0], names[1], called(Stamp, "moving_stamps"):
        yield


def settle(name: str = "Ann") -> Passport:
    """Two members of one name, of which the second has a passport."""
    _, second = (Member.objects.create(name=name) for _ in range(2))
    return Passport.objects.create(member=second)


def with_visa(passport: Passport) -> None:
    """A visa and a stamp, which the passport names as well."""
    visa = Visa.objects.create(passport=passport)
    Stamp.objects.create(id=1, visa=visa)
    Passport.objects.update(latest=visa, data={"visa": visa.pk})


@pytest.mark.parametrize("stamp", ACTIONS)
@pytest.mark.parametrize("visa", [f"{one} {LATE}" for one in EMPTYING_NO_KEY])
def test_a_whole_chain_follows_and_returns_whatever_its_keys_would_do(
    visa: str, stamp: str, declare: Callable[..., None]
) -> None:
    declare(Visa, references=["moving.Passport.data__visa"])
    with pointing(visa=visa, stamp=stamp):
        passport = settle()
        with_visa(passport)
        before = snapshot()
        plan = planned(Member, "name")
        done = merge(plan)
        new = Member.objects.get().pk
        assert list(Visa.objects.values_list()) == [(new,)]
        assert list(Stamp.objects.values_list()) == [(1, new)]
        assert list(Passport.objects.values_list()) == [(new, None, new, {"visa": new})]
        assert survivor_of(Visa, passport.pk) == new
        assert {one.reference: one.repointed for one in plan.references if one.repointed} == {
            one["reference"]: one["repointed"] for one in done.references if one["repointed"]
        }
        assert_undo_restores(done, before)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="others can always be made to wait")
@pytest.mark.parametrize("stamp", ACTIONS)
def test_a_key_that_a_cascade_would_move_unseen_holds_its_group_back(stamp: str) -> None:
    with pointing(visa="CASCADE", stamp=stamp):
        passport = settle()
        with_visa(passport)
        before = snapshot()
        plan = planned(Member, "name")
        (held,) = plan.held_back
        assert held.reason == (
            f"moving.Visa.passport: row {passport.pk} points at a row of moving.Passport whose key"
            " moves, and its foreign key would move that row's own key by ON UPDATE CASCADE, which"
            " nothing can follow: make it DEFERRABLE"
        )
        assert merge(plan).merged == 0
        assert snapshot() == before
        Stamp.objects.all().delete()
        assert [one.reason for one in planned(Member, "name").held_back] == [held.reason]
        Visa.objects.all().delete()
        assert merged(Member, "name").merged == 1


@pytest.mark.parametrize("are_moving", [(True, False), (False, True), (True, True)])
@pytest.mark.parametrize("action", ACTIONS)
def test_rows_that_move_and_point_at_their_own_table_return(
    action: str, are_moving: tuple[bool, bool]
) -> None:
    with pointing(sponsor=action):
        ann, bob = (settle(name) for name in ("Ann", "Bob"))
        for one, is_moving in zip((ann, bob), are_moving, strict=True):
            if not is_moving:
                Member.objects.filter(name=one.member.name).exclude(pk=one.pk).delete()
        Passport.objects.filter(pk=ann.pk).update(sponsor=bob)
        Passport.objects.filter(pk=bob.pk).update(sponsor=ann)
        before = snapshot()
        done = merged(Member, "name")
        keys: Any = dict(Member.objects.values_list("name", "pk"))
        expected = {(keys["Ann"], keys["Bob"]), (keys["Bob"], keys["Ann"])}
        assert set(Passport.objects.values_list("member", "sponsor")) == expected
        assert counts(done, "moving.Passport.sponsor") == (sum(are_moving), 0, 0)
        assert_undo_restores(done, before)


@pytest.mark.parametrize("action", EMPTYING_NO_KEY)
def test_a_tree_that_moves_as_a_whole_is_never_torn_apart(action: str) -> None:
    parent = f"REFERENCES moving_folders (account_id, number) ON UPDATE {action} {LATE}"
    folders = (
        "(account_id bigint NOT NULL, number integer NOT NULL, above integer,"
        f" PRIMARY KEY (account_id, number), FOREIGN KEY (account_id, above) {parent})"
    )
    with made(("moving_folders", folders)), called(Folder, "moving_folders"):
        _, second = (Account.objects.create(name="Ann") for _ in range(2))
        for number, above in ((1, None), (2, 1), (3, 2)):
            Folder.objects.create(account=second, number=number, above=above)
        before = snapshot()
        plan = planned(Account, "name")
        done = merge(plan)
        if connection.vendor == "sqlite" and action in ("CASCADE", "SET NULL"):
            (held,) = plan.held_back
            assert held.reason == (
                f"keyed.Folder.parent: row [{second.pk},2] moves together with the row of"
                " keyed.Folder that it points at, and its foreign key would change it in between:"
                " make it ON UPDATE NO ACTION"
            )
            assert done.merged == 0
        else:
            assert plan.held_back == ()
            new = Account.objects.get().pk
            rows = [(new, 1, None), (new, 2, 1), (new, 3, 2)]
            assert sorted(Folder.objects.values_list("account", "number", "above")) == rows
        assert_undo_restores(done, before)
