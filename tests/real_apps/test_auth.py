"""Users and groups of django.contrib.auth: what they may do, and who did it, after a merge."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser, Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.test import Client, RequestFactory

from tests.kit import assert_undo_restores, snapshot
from tests.real_apps.integrity import soundly_merged

pytestmark = pytest.mark.django_db


def users() -> tuple[User, User]:
    one = User.objects.create_user("ada", "ada@example.org", "first")
    two = User.objects.create_user("ada2", "Ada@example.org", "second")
    return one, two


def permission(codename: str) -> Permission:
    return Permission.objects.get(codename=codename, content_type__app_label="auth")


def test_a_merged_user_has_the_groups_and_permissions_of_both() -> None:
    survivor, duplicate = users()
    readers, editors = (
        Group.objects.create(name=name) for name in ("night readers", "night editors")
    )
    editors.permissions.add(permission("change_group"))
    survivor.groups.add(readers)
    duplicate.groups.add(readers, editors)
    survivor.user_permissions.add(permission("add_user"))
    duplicate.user_permissions.add(permission("add_user"), permission("delete_user"))
    run, before = soundly_merged(User, "email__lower")
    merged = User.objects.get(pk=survivor.pk)
    assert set(merged.groups.all()) == {readers, editors}
    assert merged.has_perms(["auth.add_user", "auth.delete_user", "auth.change_group"])
    assert merged.username == "ada"
    assert merged.check_password("first")
    assert_undo_restores(run, before)


def test_entries_of_the_admin_log_follow_their_author_and_their_object() -> None:
    survivor, duplicate = users()
    for author, user in ((duplicate, survivor), (survivor, duplicate)):
        LogEntry.objects.create(
            user=author,
            content_type=ContentType.objects.get_for_model(User),
            object_id=str(user.pk),
            object_repr=str(user),
            action_flag=2,
        )
    run, before = soundly_merged(User, "email__lower")
    assert {entry.user for entry in LogEntry.objects.all()} == {survivor}
    assert {entry.get_edited_object() for entry in LogEntry.objects.all()} == {survivor}
    assert_undo_restores(run, before)


def test_sessions_are_untouched_and_that_of_the_merged_user_belongs_to_nobody() -> None:
    survivor, duplicate = users()
    clients = {user: Client() for user in (survivor, duplicate)}
    for user, client in clients.items():
        client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    before = snapshot()
    soundly_merged(User, "email__lower")
    assert snapshot()[Session._meta.db_table] == before[Session._meta.db_table]
    seen = []
    for client in clients.values():
        request = RequestFactory().get("/")
        request.session = client.session
        seen.append(get_user(request))
    assert seen == [survivor, AnonymousUser()]


def test_groups_that_differ_in_spaces_become_one_with_all_members_and_permissions() -> None:
    survivor, duplicate = (
        Group.objects.create(name=name) for name in ("night staff", "night  staff")
    )
    ada, other = users()
    ada.groups.add(survivor, duplicate)
    other.groups.add(duplicate)
    survivor.permissions.add(permission("add_user"))
    duplicate.permissions.add(permission("add_user"), permission("change_user"))
    run, before = soundly_merged(Group, "name__collapse")
    group = Group.objects.get(name="night staff")
    assert set(group.user_set.all()) == {ada, other}
    assert group.permissions.count() == 2
    assert User.objects.get(pk=other.pk).has_perm("auth.change_user")
    assert_undo_restores(run, before)
