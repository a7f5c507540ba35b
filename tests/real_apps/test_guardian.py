"""django-guardian: permissions on single objects, found by content type and object id as text."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, User
from guardian.models import UserObjectPermission
from guardian.shortcuts import assign_perm, get_objects_for_user, get_perms, get_users_with_perms

from tests.kit import assert_undo_restores
from tests.real_apps.integrity import soundly_merged
from tests.real_apps.models import Document

pytestmark = pytest.mark.django_db


def test_permissions_on_a_merged_object_are_those_on_both() -> None:
    survivor, duplicate, other = (Document.objects.create(title=t) for t in ("a", "a", "b"))
    reader = User.objects.create_user("reader")
    editors = Group.objects.create(name="night editors")
    editor = User.objects.create_user("editor")
    editor.groups.add(editors)
    assign_perm("read_document", reader, survivor)
    assign_perm("read_document", reader, duplicate)
    assign_perm("change_document", reader, duplicate)
    assign_perm("read_document", reader, other)
    assign_perm("delete_document", editors, duplicate)
    run, before = soundly_merged(Document, "title")
    assert set(get_perms(reader, survivor)) == {"read_document", "change_document"}
    assert get_perms(editor, survivor) == ["delete_document"]
    found = get_objects_for_user(reader, "real_apps.read_document")
    assert set(found) == {survivor, other}
    assert UserObjectPermission.objects.count() == 3
    assert_undo_restores(run, before)


def test_a_merged_user_may_do_to_each_object_what_either_could() -> None:
    document = Document.objects.create(title="a")
    survivor, duplicate = (User.objects.create_user(n, "x@example.org") for n in ("x", "y"))
    assign_perm("read_document", survivor, document)
    assign_perm("read_document", duplicate, document)
    assign_perm("change_document", duplicate, document)
    run, before = soundly_merged(User, "email", blanks="distinct")
    survivor = User.objects.get(pk=survivor.pk)
    assert survivor.has_perm("real_apps.change_document", document)
    assert list(get_users_with_perms(document)) == [survivor]
    assert_undo_restores(run, before)


def test_merged_groups_grant_what_either_granted() -> None:
    document = Document.objects.create(title="a")
    survivor, duplicate = (
        Group.objects.create(name=name) for name in ("night staff", "night  staff")
    )
    assign_perm("read_document", survivor, document)
    assign_perm("read_document", duplicate, document)
    assign_perm("change_document", duplicate, document)
    member = User.objects.create_user("member")
    member.groups.add(duplicate)
    run, before = soundly_merged(Group, "name__collapse")
    assert set(get_perms(member, document)) == {"read_document", "change_document"}
    assert_undo_restores(run, before)
