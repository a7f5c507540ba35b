"""django-allauth: addresses, social accounts and logins of merged users."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib.auth.models import User
from django.db import connection

from tests.kit import assert_undo_restores, merged, snapshot
from tests.real_apps.integrity import soundly_merged

pytestmark = pytest.mark.django_db


def users() -> tuple[User, User]:
    one = User.objects.create_user("ada", "ada@example.org", first_name="Ada")
    return one, User.objects.create_user("ada2", "ada@example.com", first_name="Ada")


def address(user: User, email: str, *, primary: bool = False) -> EmailAddress:
    return EmailAddress.objects.create(user=user, email=email, primary=primary, verified=True)


def test_social_accounts_and_further_addresses_move_to_the_survivor() -> None:
    survivor, duplicate = users()
    address(survivor, "ada@example.org", primary=True)
    address(duplicate, "ada@example.com")
    account = SocialAccount.objects.create(user=duplicate, provider="github", uid="7")
    app = SocialApp.objects.create(provider="github", name="x", client_id="y")
    SocialToken.objects.create(app=app, account=account, token="z")
    run, before = soundly_merged(User, "first_name", blanks="distinct")
    emails = EmailAddress.objects.filter(user=survivor)
    assert set(emails.values_list("email", flat=True)) == {"ada@example.org", "ada@example.com"}
    assert EmailAddress.objects.get_primary(survivor).email == "ada@example.org"
    assert SocialAccount.objects.get(provider="github", uid="7").user == survivor
    assert SocialToken.objects.get().account.user == survivor
    assert_undo_restores(run, before)


def test_two_primary_addresses_hold_the_users_back_where_the_database_has_the_rule() -> None:
    for user in users():
        address(user, user.email, primary=True)
    before = snapshot()
    run = merged(User, "first_name", blanks="distinct")
    if not connection.features.supports_partial_indexes:
        assert EmailAddress.objects.filter(primary=True).count() == 2
        assert_undo_restores(run, before)
        return
    assert "account.EmailAddress" in run.held_back[0]["reason"]
    assert "unique_primary_email" in run.held_back[0]["reason"]
    assert snapshot() == before


def test_with_one_of_them_made_secondary_both_addresses_stay() -> None:
    survivor, duplicate = users()
    for user in (survivor, duplicate):
        address(user, user.email, primary=True)
    EmailAddress.objects.filter(user=duplicate).update(primary=False)
    run, before = soundly_merged(User, "first_name", blanks="distinct")
    assert EmailAddress.objects.filter(user=survivor).count() == 2
    assert EmailAddress.objects.get_primary(survivor).email == "ada@example.org"
    assert_undo_restores(run, before)
