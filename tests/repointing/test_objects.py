"""Whatever happens to a row happens to the whole object, in every role that it plays."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection

from dedupe_toolkit import merge, undo
from tests.kit import assert_undo_restores, counts, merged, planned, snapshot
from tests.situations.keyed.models import Account, Enrolment, Settings
from tests.situations.objects.models import (
    Author,
    Badge,
    Bio,
    Book,
    Both,
    BothMark,
    Card,
    Chapter,
    Code,
    Excerpt,
    Folder,
    Footnote,
    Goods,
    GoodsMark,
    Index,
    Led,
    Left,
    LeftMark,
    Like,
    Link,
    LongBio,
    Profile,
    Quote,
    Right,
    RightMark,
    Shelf,
    Sold,
    Solid,
    Text,
    Thing,
    Verse,
)
from tests.situations.ruled.models import Person as Owner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model

pytestmark = pytest.mark.django_db


def authors() -> list[Author]:
    return [Author.objects.create(name="Ann") for _ in range(2)]


# rows that move, and what follows


def test_what_points_at_a_key_that_moves_in_part_follows() -> None:
    kept, lost = (Book.objects.create(title="A") for _ in range(2))
    Chapter.objects.create(book=lost, number=1)
    Verse.objects.create(book_id=lost.pk, chapter_number=1, number=7)
    Footnote.objects.create(book_id=lost.pk, chapter_number=1, number=7)
    other = Verse.objects.create(book_id=lost.pk, chapter_number=2, number=7)
    before = snapshot()
    run = merged(Book, "title")
    assert Chapter.objects.get().pk == (kept.pk, 1)
    assert Verse.objects.filter(pk=(kept.pk, 1, 7)).exists()
    assert Footnote.objects.get().book_id == kept.pk
    assert Verse.objects.filter(pk=other.pk).exists()
    assert counts(run, "objects.Verse.chapter") == (1, 0, 0)
    assert counts(run, "objects.Footnote.verse") == (1, 0, 0)
    assert_undo_restores(run, before)


@pytest.mark.parametrize("with_kept", [True, False])
def test_what_points_at_keys_that_collide_follows_to_the_row_that_stays(with_kept: bool) -> None:
    books = [Book.objects.create(title="A") for _ in range(3)]
    for book in books if with_kept else books[1:]:
        Chapter.objects.create(book=book, number=1)
        Verse.objects.create(book_id=book.pk, chapter_number=1, number=book.pk)
        Verse.objects.create(book_id=book.pk, chapter_number=1, number=99)
        for number in (book.pk, 99):
            Footnote.objects.create(book_id=book.pk, chapter_number=1, number=number)
    before = snapshot()
    run = merged(Book, "title")
    assert Chapter.objects.get().pk == (books[0].pk, 1)
    assert {verse.book_id for verse in Verse.objects.all()} == {books[0].pk}
    assert {note.book_id for note in Footnote.objects.all()} == {books[0].pk}
    assert Footnote.objects.filter(number=99).count() == (3 if with_kept else 2)
    assert_undo_restores(run, before)


@pytest.mark.parametrize("with_kept", [True, False])
def test_what_points_at_a_column_that_moves_follows(with_kept: bool) -> None:
    kept, lost = authors()
    if with_kept:
        Profile.objects.create(author=kept)
    Like.objects.create(profile=Profile.objects.create(author=lost))
    before = snapshot()
    run = merged(Author, "name")
    assert Like.objects.get().profile == Profile.objects.get(author=kept)
    assert counts(run, "objects.Like.profile") == (1, 0, 0)
    assert_undo_restores(run, before)


# objects of several rows


def bios(*titles: str, kind: type[Bio] = Bio, **values: Any) -> list[Any]:
    return [
        kind.objects.create(author=author, title=title, **values)
        for author, title in zip(authors(), titles, strict=True)
    ]


@pytest.mark.parametrize("policy", ["hold", "discard"])
def test_rivals_that_differ_in_another_part_hold_their_group_back(policy: str) -> None:
    for bio in bios("x", "y"):
        Quote.objects.create(text=bio)
    before = snapshot()
    (held,) = merged(Author, "name", on_collision=policy).held_back
    assert held["reason"].startswith("objects.Bio: row")
    assert snapshot() == before


@pytest.mark.parametrize(("second", "policy"), [("x", "hold"), ("y", "merge")])
def test_rivals_merge_as_whole_objects_with_all_that_points_at_any_part(
    second: str, policy: str
) -> None:
    kept, lost = bios("x", second)
    Quote.objects.create(text=lost)
    Excerpt.objects.create(bio=lost)
    before = snapshot()
    run = merged(Author, "name", on_collision=policy)
    assert Bio.objects.get().title == "x"
    assert Text.objects.get().pk == kept.pk
    assert Quote.objects.get().text_id == Excerpt.objects.get().bio_id == kept.pk
    assert_undo_restores(run, before)


def test_a_rival_alone_in_having_a_further_part_is_no_equal() -> None:
    kept, lost = authors()
    Bio.objects.create(author=kept, title="x")
    long = LongBio.objects.create(author=lost, title="x", chapters=3)
    assert len(planned(Author, "name").held_back) == 1
    run = merged(Author, "name", on_collision="merge")
    (bio,) = LongBio.objects.all()
    assert (bio.author, bio.chapters, bio.title) == (kept, 3, "x")
    assert not Text.objects.filter(pk=long.pk).exists()
    undo(run)
    assert LongBio.objects.get().pk == long.pk


def test_rivals_that_differ_two_tables_further_hold_their_group_back() -> None:
    kept, lost = authors()
    LongBio.objects.create(author=kept, title="x", chapters=2)
    LongBio.objects.create(author=lost, title="x", chapters=3)
    assert len(planned(Author, "name").held_back) == 1
    before = snapshot()
    run = merged(Author, "name", on_collision="merge")
    assert LongBio.objects.get().chapters == 2
    assert_undo_restores(run, before)


@pytest.mark.parametrize("model", [Both, Left, Right])
def test_a_row_that_points_at_a_parent_and_its_child_counts_as_the_run_does(
    model: type[Model],
) -> None:
    kept, lost = (Both.objects.create(name="A", kind="k") for _ in range(2))
    for right in (kept, lost):
        Badge.objects.create(both=lost, right=right)
    before = snapshot()
    run = merged(model, "kind" if model is Right else "name")
    mark = Badge.objects.get()
    assert (mark.both_id, mark.right_id) == (kept.pk, kept.right_id)
    assert_undo_restores(run, before)


@pytest.mark.parametrize("model", [Both, Left, Right])
def test_objects_of_two_parents_merge_with_both(model: type[Left]) -> None:
    kept, lost = (Both.objects.create(name="A", kind="k", size=n) for n in (None, 2))
    LeftMark.objects.create(left=lost)
    RightMark.objects.create(right=lost)
    BothMark.objects.create(both=lost)
    before = snapshot()
    run = merged(model, "kind" if model is Right else "name")
    both = Both.objects.get()
    assert (both.pk, both.right_ptr_id, both.size) == (kept.pk, kept.right_ptr_id, 2)
    assert Left.objects.count() == Right.objects.count() == 1
    assert RightMark.objects.get().right_id == kept.right_ptr_id
    assert LeftMark.objects.get().left_id == BothMark.objects.get().both_id == kept.pk
    assert_undo_restores(run, before)


@pytest.mark.parametrize("model", [Left, Right])
def test_a_part_of_two_parents_that_only_the_duplicate_has_keeps_its_other_parent(
    model: type[Left],
) -> None:
    name = {"kind": "k"} if model is Right else {"name": "A"}
    kept = model.objects.create(**name)
    lost = Both.objects.create(name="A", kind="k", size=2)
    BothMark.objects.create(both=lost)
    before = snapshot()
    run = merged(model, *name)
    both = Both.objects.get()
    assert kept.pk == (both.right_ptr_id if model is Right else both.left_ptr_id)
    assert Left.objects.count() == Right.objects.count() == 1
    assert BothMark.objects.get().both_id == both.pk
    assert_undo_restores(run, before)


def test_values_of_another_parent_that_differ_hold_the_group_back_when_asked() -> None:
    for kind in ("k", "l"):
        Both.objects.create(name="A", kind=kind)
    (held,) = planned(Left, "name", on_conflict="hold").held_back
    assert "objects.Right: its rows, such as" in held.reason
    assert "differ in kind" in held.reason


def test_the_other_parents_that_collide_merge_in_their_turn() -> None:
    kept, lost = (Both.objects.create(name="A") for _ in range(2))
    for both, text in ((kept, "x"), (lost, "y")):
        RightMark.objects.create(right=both, text=text)
    assert len(planned(Left, "name").held_back) == 1
    before = snapshot()
    run = merged(Left, "name", on_collision="merge")
    assert RightMark.objects.get().text == "x"
    assert_undo_restores(run, before)


def test_no_part_of_a_rival_that_goes_is_repointed_before() -> None:
    folders = [Folder.objects.create(name=name, code="a") for name in "xyz"]
    for each in folders[:2]:
        Index.objects.create(folder=each, kept_in=folders[2])
    before = snapshot()
    run = merged(Folder, "code", on_collision="merge")
    assert Index.objects.get().kept_in == folders[0]
    assert counts(run, "objects.Entry.kept_in") == (1, 0, 0)
    assert_undo_restores(run, before)


def test_rivals_of_two_parents_merge_with_both() -> None:
    kept, lost = (Card.objects.create(author=author, name="c") for author in authors())
    LeftMark.objects.create(left=lost)
    RightMark.objects.create(right=lost)
    before = snapshot()
    run = merged(Author, "name")
    assert Card.objects.get().pk == kept.pk
    assert Left.objects.count() == Right.objects.count() == 1
    assert RightMark.objects.get().right_id == kept.right_ptr_id
    assert LeftMark.objects.get().left_id == kept.pk
    assert_undo_restores(run, before)


@pytest.mark.parametrize(("kinds", "held"), [("kk", 0), ("kl", 1)])
def test_a_child_with_a_key_of_its_own_is_an_object_with_its_parent(kinds: str, held: int) -> None:
    for author, sign, kind in zip(authors(), "ab", kinds, strict=True):
        RightMark.objects.create(right=Code.objects.create(author=author, sign=sign, kind=kind))
    RightMark.objects.all().delete() if held else None
    before = snapshot()
    assert len(planned(Author, "name").held_back) == held
    run = merged(Author, "name", on_collision="merge")
    assert Code.objects.get().sign == "a"
    assert Right.objects.count() == 1
    assert_undo_restores(run, before)


def test_children_with_keys_of_their_own_merge_with_their_parents() -> None:
    (author,) = authors()[:1]
    for number, sign in enumerate("ab"):
        Code.objects.create(author=author, sign=sign, kind="k", number=number)
    before = snapshot()
    run = merged(Code, "kind")
    assert Code.objects.get().sign == "a"
    assert Right.objects.count() == 1
    assert_undo_restores(run, before)


@pytest.mark.parametrize("first", [Thing, Solid, Sold, Goods])
@pytest.mark.parametrize("second", [Solid, Sold, Goods])
def test_parts_that_share_a_parent_twice_merge_once(
    first: type[Thing], second: type[Thing]
) -> None:
    things = [model.objects.create(name="A") for model in (first, second, Goods)]
    for goods in Goods.objects.all():
        GoodsMark.objects.create(goods=goods)
    before = snapshot()
    run = merged(Thing, "name")
    assert Goods.objects.get().pk == things[0].pk
    assert {mark.goods_id for mark in GoodsMark.objects.all()} == {things[0].pk}
    for model in (Thing, Solid, Sold):
        assert model.objects.count() == 1
    assert_undo_restores(run, before)


def test_other_objects_of_the_merged_family_that_collide_hold_the_group_back() -> None:
    guides = [Left.objects.create(name="A") for _ in range(2)]
    for guide in guides:
        Led.objects.create(name=f"led by {guide.pk}", guide=guide)
    before = snapshot()
    (held,) = merged(Left, "name", on_collision="merge").held_back
    assert "would lead back to a table already being merged" in held["reason"]
    assert snapshot() == before


# rows that equal their rivals, beside rows that do not


def test_a_rival_that_equals_its_winner_goes_with_one_that_does_not() -> None:
    accounts = [Account.objects.create(name="Ann") for _ in range(3)]
    for account, grade in zip(accounts, (1, 1, 2), strict=True):
        Enrolment.objects.create(account=account, course=7, grade=grade)
    before = snapshot()
    run = merged(Account, "name", on_collision="merge")
    assert Enrolment.objects.get().grade == 1
    assert counts(run, "keyed.Enrolment.account") == (0, 1, 1)
    assert_undo_restores(run, before)


# rows that point at rows of their own table, and no two at the same


@pytest.mark.parametrize("batch_size", [0, 1])
@pytest.mark.parametrize("depth", [1, 3])
def test_children_that_are_duplicates_become_one_before_their_parents(
    batch_size: int, depth: int
) -> None:
    for parent in [None, None]:
        for number in range(depth + 1):
            parent = Folder.objects.create(parent=parent, name="f", code=str(number))
    before = snapshot()
    run = merged(Folder, "code", batch_size=batch_size)
    assert (run.merged, run.held_back) == (depth + 1, [])
    first, *others = Folder.objects.order_by("code")
    assert [first.parent, *(folder.parent for folder in others)] == [None, first, *others[:-1]]
    assert_undo_restores(run, before)


def test_children_of_different_names_keep_their_parents_from_merging_never() -> None:
    kept, lost = (Folder.objects.create(name="f", code="a") for _ in range(2))
    for parent, name in ((kept, "x"), (lost, "y")):
        Folder.objects.create(parent=parent, name=name, code=name)
    before = snapshot()
    run = merged(Folder, "code")
    assert kept.children.count() == 2
    assert_undo_restores(run, before)


def test_duplicates_that_point_at_each_other_in_a_circle_are_held_back() -> None:
    a, b, c, d = (Folder.objects.create(name=name, code=name) for name in "abab")
    for child, parent in ((c, d), (d, c), (a, b)):
        Folder.objects.filter(pk=child.pk).update(parent=parent)
    before = snapshot()
    run = merged(Folder, "code")
    assert all("point in a circle" in held["reason"] for held in run.held_back)
    assert len(run.held_back) == 2
    assert snapshot() == before


@pytest.mark.parametrize("first", [0, 1])
def test_links_of_a_chain_that_are_duplicates_become_one(first: int) -> None:
    links = [Link.objects.create(name=name) for name in "xaay"]
    order = [0, 1, 2, 3] if not first else [0, 2, 1, 3]
    for one, other in pairwise(order):
        Link.objects.filter(pk=links[one].pk).update(next=links[other])
    before = snapshot()
    run = merged(Link, "name")
    x, a, y = Link.objects.order_by("pk")
    assert (x.next, a.next, y.next) == (a, y, None)
    assert run.merged == 1
    assert_undo_restores(run, before)


def test_chains_that_are_duplicates_of_each_other_become_one() -> None:
    for _ in range(2):
        last = None
        for name in "cba":
            last = Link.objects.create(name=name, next=last)
    before = snapshot()
    run = merged(Link, "name")
    c, b, a = Link.objects.order_by("pk")
    assert (a.next, b.next, c.next) == (b, c, None)
    assert run.merged == 3
    assert_undo_restores(run, before)


@pytest.mark.parametrize("batch_size", [0, 1])
@pytest.mark.parametrize("is_own", [False, True])
def test_what_a_survivor_takes_and_is_repointed_later_counts_as_the_plan_says(
    is_own: bool, batch_size: int
) -> None:
    survivor, duplicate, other, target = (Link.objects.create(name=name) for name in "aabb")
    Link.objects.filter(pk=duplicate.pk).update(next=target)
    if is_own:
        Link.objects.filter(pk=survivor.pk).update(next=duplicate)
    before = snapshot()
    plan = planned(Link, "name", batch_size=batch_size)
    run = merge(plan)
    survivor.refresh_from_db()
    assert survivor.next == other
    assert [c.repointed for c in plan.references if c.reference == "objects.Link.next"] == [0]
    assert counts(run, "objects.Link.next") == (0, 0, 0)
    assert_undo_restores(run, before)


# tables without a model


@contextmanager
def stranger_of(target: str, row: Any, *, column: str = "id", kind: str = "") -> Iterator[None]:
    """A table without a model, one row of which points at a row; deleting that would cascade."""
    kind = kind or ("integer" if connection.vendor == "sqlite" else "bigint")
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE stranger (target {kind} NOT NULL,"
            f" FOREIGN KEY (target) REFERENCES {target} ({column}) ON DELETE CASCADE)"
        )
        cursor.execute("INSERT INTO stranger VALUES (%s)", [row])
    try:
        yield
        with connection.cursor() as cursor:
            cursor.execute("SELECT target FROM stranger")
            assert list(cursor.fetchall()) == [(row,)]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE stranger")


ADVICE = "and no model of the project has this table: give it one (managed = False will do)"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("text", "policy"), [("", "hold"), ("other", "discard"), ("", "merge")])
def test_a_table_without_a_model_that_points_at_a_row_to_be_deleted_holds_its_group_back(
    text: str, policy: str
) -> None:
    kept, lost = authors()
    Profile.objects.create(author=kept)
    profile = Profile.objects.create(author=lost, text=text)
    before = snapshot()
    with stranger_of("objects_profile", profile.pk):
        (held,) = merged(Author, "name", on_collision=policy).held_back
    told = f"stranger.target points at objects.Profile row {profile.pk}, {ADVICE}"
    assert held["reason"] == told
    assert snapshot() == before


@pytest.mark.django_db(transaction=True)
def test_a_table_without_a_model_that_points_at_a_link_to_be_deleted_holds_its_group_back() -> None:
    lost = [Author.objects.create(name="Ann") for _ in range(2)][1]
    shelf = Shelf.objects.create()
    shelf.authors.set(Author.objects.all())
    link = Shelf.authors.through.objects.get(author=lost)
    before = snapshot()
    with stranger_of("objects_shelf_authors", link.pk):
        (held,) = merged(Author, "name").held_back
    assert held["reason"].endswith(f"points at objects.Shelf_authors row {link.pk}, {ADVICE}")
    assert snapshot() == before


@pytest.mark.django_db(transaction=True)
def test_a_table_without_a_model_that_points_at_a_key_that_moves_holds_its_group_back() -> None:
    accounts = [Account.objects.create(name="Ann") for _ in range(2)]
    Settings.objects.create(account=accounts[1])
    before = snapshot()
    with stranger_of("keyed_settings", accounts[1].pk, column="account_id"):
        (held,) = merged(Account, "name").held_back
    assert held["reason"].endswith(f"points at keyed.Settings row {accounts[1].pk}, {ADVICE}")
    assert snapshot() == before


@pytest.mark.django_db(transaction=True)
def test_a_table_without_a_model_that_points_at_a_row_that_stays_holds_nothing_back() -> None:
    kept, lost = authors()
    profile = Profile.objects.create(author=kept)
    Profile.objects.create(author=lost)
    with stranger_of("objects_profile", profile.pk):
        assert merged(Author, "name").merged == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("lost", "rules"), [("m1", {}), ("m2", {"mail": "newest"})])
def test_a_table_without_a_model_that_points_at_a_value_which_goes_holds_its_group_back(
    lost: str, rules: dict[str, str]
) -> None:
    """The duplicate's, or the survivor's that a field rule replaces."""
    kept = Owner.objects.create(name="Ann", mail="m1" if rules else None)
    other = Owner.objects.create(name="Ann", mail=lost)
    before = snapshot()
    with stranger_of("ruled_person", "m1", column="mail", kind="varchar(20)"):
        (held,) = planned(Owner, "name", field_rules=rules).held_back
        run = merged(Owner, "name", field_rules=rules)
    row = kept if rules else other
    assert held.reason == f"stranger.target points at row {row.pk}, {ADVICE}"
    assert [group["reason"] for group in run.held_back] == [held.reason]
    assert snapshot() == before


@pytest.mark.django_db(transaction=True)
def test_a_table_without_a_model_that_points_at_a_value_which_stays_holds_nothing_back() -> None:
    for mail in ("m1", "m2"):
        Owner.objects.create(name="Ann", mail=mail)
    with stranger_of("ruled_person", "m1", column="mail", kind="varchar(20)"):
        assert merged(Owner, "name").merged == 1
