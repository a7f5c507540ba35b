"""References that move without meeting anything on the way."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User as Staff
from django.contrib.contenttypes.models import ContentType
from django.db import connection

from tests.kit import assert_undo_restores, changed_tables, counts, merged, snapshot
from tests.situations.links.models import (
    Author,
    AuthorProxy,
    Book,
    Chair,
    Contract,
    Review,
    Tag,
    Trace,
)

pytestmark = pytest.mark.django_db


def authors(*names: str) -> list[Author]:
    return [Author.objects.create(name=name) for name in names]


def test_foreign_keys_of_every_declaration_point_at_the_survivor() -> None:
    survivor, duplicate, other = authors("Ann", "Ann", "Bob")
    for author in (survivor, duplicate, other):
        Book.objects.create(author=author, title="b")
        Review.objects.create(author=AuthorProxy.objects.get(pk=author.pk))
        Contract.objects.create(author=author)
        Trace.objects.create(author=author)
    before = snapshot()
    run = merged(Author, "name")
    for model in (Book, Review, Contract, Trace):
        owners = sorted(model._base_manager.values_list("author", flat=True))
        assert owners == [survivor.pk, survivor.pk, other.pk]
    assert not Author.objects.filter(pk=duplicate.pk).exists()
    assert_undo_restores(run, before)


def test_only_the_foreign_key_column_of_a_child_changes() -> None:
    _, duplicate = authors("Ann", "Ann")
    book = Book.objects.create(author=duplicate, title="War")
    touched = Book.objects.get(pk=book.pk).touched
    merged(Author, "name")
    after = Book.objects.get(pk=book.pk)
    assert (after.title, after.touched) == ("War", touched)


def test_children_hidden_by_their_default_manager_move_too() -> None:
    survivor, duplicate = authors("Ann", "Ann")
    book = Book(author=duplicate, title="hidden", is_hidden=True)
    book.save()
    before = snapshot()
    run = merged(Author, "name")
    assert Book._base_manager.filter(author=survivor, is_hidden=True).count() == 1
    assert_undo_restores(run, before)


def test_rows_outside_the_groups_are_left_alone() -> None:
    authors("Ann", "Ann", "Bob")
    Book.objects.create(author=Author.objects.get(name="Bob"), title="b")
    before = snapshot()
    merged(Author, "name")
    assert changed_tables(before, snapshot()) == {"links_author"}


def test_many_to_many_links_are_united_and_none_is_doubled() -> None:
    survivor, duplicate = authors("Ann", "Ann")
    tags = [Tag.objects.create(name=str(number)) for number in range(3)]
    survivor.tags.set(tags[:2])
    duplicate.tags.set(tags[1:])
    before = snapshot()
    run = merged(Author, "name")
    assert set(survivor.tags.all()) == set(tags)
    assert Author.tags.through.objects.count() == 3
    assert counts(run, "links.Author.tags") == (1, 1, 0)
    assert_undo_restores(run, before)


def test_the_other_side_of_a_many_to_many_merges_as_well() -> None:
    ann, bob = authors("Ann", "Bob")
    tags = [Tag.objects.create(name="x") for _ in range(2)]
    ann.tags.set(tags)
    bob.tags.set(tags[1:])
    before = snapshot()
    run = merged(Tag, "name")
    assert list(ann.tags.all()) == list(bob.tags.all()) == tags[:1]
    assert_undo_restores(run, before)


def test_a_symmetrical_relation_stays_symmetrical_and_links_nobody_with_himself() -> None:
    survivor, duplicate, other = authors("Ann", "Ann", "Bob")
    survivor.friends.set([duplicate])
    duplicate.friends.add(other)
    before = snapshot()
    run = merged(Author, "name")
    assert list(survivor.friends.all()) == [other]
    assert list(other.friends.all()) == [survivor]
    assert Author.friends.through.objects.count() == 2
    assert_undo_restores(run, before)


def test_a_directed_relation_keeps_its_direction() -> None:
    survivor, duplicate, other = authors("Ann", "Ann", "Bob")
    duplicate.follows.add(other)
    other.follows.add(duplicate, survivor)
    before = snapshot()
    run = merged(Author, "name")
    links = set(Author.follows.through.objects.values_list("from_author", "to_author"))
    assert links == {(survivor.pk, other.pk), (other.pk, survivor.pk)}
    assert_undo_restores(run, before)


def test_a_link_of_a_row_with_itself_stays_if_it_was_there_before() -> None:
    survivor, duplicate = authors("Ann", "Ann")
    duplicate.follows.add(duplicate)
    before = snapshot()
    run = merged(Author, "name")
    links = list(Author.follows.through.objects.values_list("from_author", "to_author"))
    assert links == [(survivor.pk, survivor.pk)]
    assert_undo_restores(run, before)


def test_links_between_two_groups_merge_once() -> None:
    ann, ann2, bob, bob2 = authors("Ann", "Ann", "Bob", "Bob")
    ann.follows.add(bob)
    ann2.follows.add(bob2)
    ann.follows.add(bob2)
    before = snapshot()
    run = merged(Author, "name")
    links = list(Author.follows.through.objects.values_list("from_author", "to_author"))
    assert links == [(ann.pk, bob.pk)]
    assert_undo_restores(run, before)


@pytest.mark.parametrize("batch_size", [0, 1, 2])
def test_links_between_groups_of_different_batches_come_back(batch_size: int) -> None:
    ann, ann2, bob, bob2, cid, cid2 = authors("Ann", "Ann", "Bob", "Bob", "Cid", "Cid")
    for start, end in [(ann, bob), (ann2, bob2), (bob2, cid), (cid2, ann2), (bob, cid2)]:
        start.follows.add(end)
        start.mentor = end
        start.save()
    before = snapshot()
    run = merged(Author, "name", batch_size=batch_size)
    links = set(Author.follows.through.objects.values_list("from_author", "to_author"))
    assert links == {(ann.pk, bob.pk), (bob.pk, cid.pk), (cid.pk, ann.pk)}
    assert_undo_restores(run, before)


def test_a_survivor_whose_parent_is_its_duplicate_takes_the_duplicates_parent() -> None:
    survivor, duplicate, other = authors("Ann", "Ann", "Bob")
    Author.objects.filter(pk=survivor.pk).update(mentor=duplicate)
    Author.objects.filter(pk=duplicate.pk).update(mentor=other)
    before = snapshot()
    run = merged(Author, "name")
    assert Author.objects.get(pk=survivor.pk).mentor_id == other.pk
    assert_undo_restores(run, before)


def test_rows_of_a_group_that_point_at_each_other_end_without_a_parent() -> None:
    survivor, second, third = authors("Ann", "Ann", "Ann")
    Author.objects.filter(pk=survivor.pk).update(mentor=second)
    Author.objects.filter(pk=second.pk).update(mentor=third)
    Author.objects.filter(pk=third.pk).update(mentor=survivor)
    before = snapshot()
    run = merged(Author, "name")
    assert Author.objects.get().mentor_id is None
    assert_undo_restores(run, before)


def test_no_child_is_lost_in_a_longer_circle() -> None:
    survivor, duplicate, child = authors("Ann", "Ann", "Bob")
    Author.objects.filter(pk=survivor.pk).update(mentor=child)
    Author.objects.filter(pk=child.pk).update(mentor=duplicate)
    before = snapshot()
    run = merged(Author, "name")
    assert Author.objects.get(pk=child.pk).mentor_id == survivor.pk
    assert Author.objects.get(pk=survivor.pk).mentor_id == child.pk
    assert_undo_restores(run, before)


def test_a_group_is_held_back_when_its_own_target_cannot_be_empty() -> None:
    table = connection.ops.quote_name("links_chair")
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        for pk, deputy in ((1, 2), (2, 1)):
            cursor.execute(f"INSERT INTO {table} VALUES (%s, 'x', %s)", [pk, deputy])
    before = snapshot()
    run = merged(Chair, "name")
    assert run.merged == 0
    assert "cannot be empty" in run.held_back[0]["reason"]
    assert snapshot() == before


def test_admin_log_entries_move_though_they_are_no_generic_key() -> None:
    survivor, duplicate = authors("Ann", "Ann")
    LogEntry.objects.create(
        user=Staff.objects.create(username="root"),
        content_type=ContentType.objects.get_for_model(Author),
        object_id=str(duplicate.pk),
        object_repr="Ann",
        action_flag=2,
    )
    before = snapshot()
    run = merged(Author, "name")
    assert LogEntry.objects.get().object_id == str(survivor.pk)
    assert_undo_restores(run, before)


def test_running_again_does_nothing() -> None:
    authors("Ann", "Ann")
    merged(Author, "name")
    before = snapshot()
    assert merged(Author, "name").rows_merged == 0
    assert snapshot() == before


def test_a_target_that_a_survivor_takes_from_its_duplicate_and_that_moves_counts_nowhere() -> None:
    last = [Author.objects.create(name="Bob") for _ in range(2)]
    first = Author.objects.create(name="Ann")
    first.mentor = Author.objects.create(name="Ann", mentor=last[1])
    first.save()
    before = snapshot()
    run = merged(Author, "name")
    first.refresh_from_db()
    assert first.mentor == last[0]
    assert counts(run, "links.Author.mentor") == (0, 0, 0)
    assert_undo_restores(run, before)
