"""Cases 7 to 22: whatever points at a duplicate points at the survivor afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User as Staff
from django.contrib.contenttypes.models import ContentType
from django.db import connection

from dedupe_toolkit import merge
from tests.kit import assert_undo_restores, counts, merged, merged_rows, planned, snapshot
from tests.situations.generic.models import (
    Asset,
    NumberNote,
    Page,
    PageProxy,
    ProxyNote,
    TextNote,
    UuidNote,
    Word,
)
from tests.situations.keyed.models import City, Country
from tests.situations.links.models import (
    Author,
    AuthorProxy,
    Book,
    Contract,
    Review,
    Tag,
    Trace,
)
from tests.situations.odd.models import Mirror, Person
from tests.situations.rivals.models import Membership, Team, User, Visit

if TYPE_CHECKING:
    from django.db.models import Model

pytestmark = pytest.mark.django_db


def authors(*names: str) -> list[Author]:
    return [Author.objects.create(name=name) for name in names]


def owners(model: type[Model]) -> list[Any]:
    return sorted(model._base_manager.values_list("author", flat=True))


def of(row: Any, *, proxy: bool = False) -> dict[str, Any]:
    """The content type and object id of a row."""
    kind = ContentType.objects.get_for_model(type(row), for_concrete_model=not proxy)
    return {"content_type": kind, "object_id": row.pk}


def test_case_07_a_hidden_foreign_key_points_at_the_survivor() -> None:
    survivor, duplicate, other = authors("Ann", "Ann", "Bob")
    for author in (duplicate, other):
        Book.objects.create(author=author, title="b")
        Review.objects.create(author_id=author.pk)
        Contract.objects.create(author=author)
    before = snapshot()
    run = merged(Author, "name")
    for model in (Book, Review, Contract):
        assert owners(model) == [survivor.pk, other.pk]
    assert_undo_restores(run, before)


def test_case_08_children_hidden_by_their_default_manager_move() -> None:
    survivor, duplicate = authors("Ann", "Ann")
    Book(author=duplicate, title="b", is_hidden=True).save()
    before = snapshot()
    run = merged(Author, "name")
    assert not Book.objects.exists()
    assert owners(Book) == [survivor.pk]
    assert_undo_restores(run, before)


def test_case_09_a_to_field_foreign_key_takes_the_survivors_value_of_that_field() -> None:
    for code in ("FR", "FRA"):
        Country.objects.create(name="France", code=code)
        City.objects.create(country_id=code)
    before = snapshot()
    run = merged(Country, "name")
    assert list(City.objects.values_list("country_id", flat=True)) == ["FR", "FR"]
    assert_undo_restores(run, before)


@pytest.mark.parametrize("model", [Author, AuthorProxy])
def test_case_10_a_foreign_key_to_a_proxy_moves_and_rows_may_be_proxies(
    model: type[Author],
) -> None:
    survivor, duplicate = authors("Ann", "Ann")
    Review.objects.create(author=AuthorProxy.objects.get(pk=duplicate.pk))
    Book.objects.create(author=duplicate, title="b")
    before = snapshot()
    run = merged_rows(model, survivor.pk, duplicate.pk)
    assert owners(Review) == owners(Book) == [survivor.pk]
    assert_undo_restores(run, before)


def test_case_11_nothing_dangles_where_the_database_would_not_notice() -> None:
    survivor, duplicate = authors("Ann", "Ann")
    Trace.objects.create(author=duplicate)
    before = snapshot()
    run = merged(Author, "name")
    assert owners(Trace) == [survivor.pk]
    assert_undo_restores(run, before)


@pytest.mark.django_db(transaction=True)
def test_case_12_an_unmanaged_table_moves_and_a_view_is_left_alone() -> None:
    survivor, duplicate = (Person.objects.create(name="Ann") for _ in range(2))
    with connection.schema_editor() as editor:
        editor.create_model(Mirror)
    try:
        Mirror.objects.create(owner=duplicate)
        before = snapshot()
        run = merged(Person, "name")
        assert Mirror.objects.get().owner_id == survivor.pk
        assert_undo_restores(run, before)
    finally:
        with connection.schema_editor() as editor:
            editor.delete_model(Mirror)
    view = "CREATE VIEW odd_missing AS SELECT id, id AS owner_id FROM odd_person"
    connection.cursor().execute(view)
    try:
        before = snapshot()
        warnings = planned(Person, "name").warnings
        assert warnings == ("odd.Mirror.owner belongs to a view, which is left alone",)
        run = merged(Person, "name")
        assert Mirror.objects.get().owner_id == survivor.pk
        assert_undo_restores(run, before)
    finally:
        connection.cursor().execute("DROP VIEW odd_missing")


def test_case_13_of_a_child_only_the_foreign_key_column_changes() -> None:
    survivor, duplicate = authors("Ann", "Ann")
    book = Book.objects.create(author=duplicate, title="War")
    before = snapshot()
    plan = planned(Author, "name")
    Book.objects.update(title="Peace")
    run = merge(plan)
    after = Book.objects.get()
    assert (after.author_id, after.title) == (survivor.pk, "Peace")
    assert after.touched == book.touched
    with pytest.raises(RuntimeError, match="never saved twice"):
        after.save()
    Book.objects.update(title="War")
    assert_undo_restores(run, before)


def test_case_14_many_to_many_links_are_united_in_both_directions() -> None:
    survivor, duplicate = authors("Ann", "Ann")
    others = authors("1", "2", "3")
    tags = [Tag.objects.create(name=name) for name in ("1", "2", "3")]
    for author, few, friends in (
        (survivor, tags[:2], others[:2]),
        (duplicate, tags[1:], others[1:]),
    ):
        author.tags.set(few)
        author.follows.set(friends)
    before = snapshot()
    run = merged(Author, "name")
    assert set(survivor.tags.all()) == set(tags)
    assert set(survivor.follows.all()) == set(others)
    assert Author.tags.through.objects.count() == Author.follows.through.objects.count() == 3
    between = snapshot()
    other_side = merged_rows(Tag, tags[0].pk, tags[1].pk)
    assert set(survivor.tags.all()) == {tags[0], tags[2]}
    assert set(tags[0].authors.all()) == {survivor}
    assert_undo_restores(other_side, between)
    assert_undo_restores(run, before)


@pytest.mark.parametrize("side", ["user", "team"])
def test_case_15_rows_of_a_custom_through_model_keep_their_key_and_columns(side: str) -> None:
    users = [User.objects.create(name="Ann") for _ in range(2)]
    teams = [Team.objects.create(name="Red") for _ in range(2)]
    for number, (user, team) in enumerate(zip(users, teams, strict=True)):
        Membership.objects.create(user=user, team=team, role=f"role {number}", since=number)
    columns = list(Membership.objects.order_by("pk").values_list("pk", "role", "since"))
    before = snapshot()
    run = merged(User if side == "user" else Team, "name")
    assert list(Membership.objects.order_by("pk").values_list("pk", "role", "since")) == columns
    kept = users[0].pk if side == "user" else teams[0].pk
    assert set(Membership.objects.values_list(side, flat=True)) == {kept}
    assert_undo_restores(run, before)


def test_case_16_two_through_rows_of_one_pair_stay_where_no_rule_forbids_them() -> None:
    survivor, duplicate = (User.objects.create(name="Ann") for _ in range(2))
    team = Team.objects.create(name="Red")
    for user in (survivor, duplicate, duplicate):
        team.visitors.add(user, through_defaults={"day": 1})
        Visit.objects.create(user=user, team=team, day=1)
    rows = Visit.objects.count()
    before = snapshot()
    run = merged(User, "name")
    assert Visit.objects.filter(user=survivor, team=team).count() == rows
    assert counts(run, "rivals.Visit.user")[1:] == (0, 0)
    assert_undo_restores(run, before)


def test_case_17_no_row_is_linked_with_itself_and_symmetry_stays() -> None:
    survivor, duplicate, other = authors("Ann", "Ann", "Bob")
    survivor.friends.add(duplicate)
    duplicate.friends.add(other)
    survivor.follows.add(duplicate)
    duplicate.follows.add(other)
    before = snapshot()
    run = merged(Author, "name")
    follows = Author.follows.through.objects.values_list("from_author", "to_author")
    friends = Author.friends.through.objects.values_list("from_author", "to_author")
    assert list(follows) == [(survivor.pk, other.pk)]
    assert set(friends) == {(survivor.pk, other.pk), (other.pk, survivor.pk)}
    assert_undo_restores(run, before)


@pytest.mark.parametrize(
    ("mentors", "expected"),
    [
        pytest.param({"P": "D"}, {}, id="D is P's parent"),
        pytest.param({"P": "D", "D": "z"}, {"P": "z"}, id="P's parent D has a parent"),
        pytest.param({"D": "P", "z": "D"}, {"z": "P"}, id="D is P's child"),
        pytest.param({"P": "z", "z": "D"}, {"P": "z", "z": "P"}, id="longer cycle"),
        pytest.param({"D": "D2", "D2": "D", "z": "D2"}, {"z": "P"}, id="D and D2"),
    ],
)
def test_case_18_the_survivor_is_never_its_own_parent_and_no_child_is_lost(
    mentors: dict[str, str], expected: dict[str, str]
) -> None:
    rows = dict(zip(("P", "D", "D2", "z"), authors("Ann", "Ann", "Ann", "Bob"), strict=True))
    for child, mentor in mentors.items():
        Author.objects.filter(pk=rows[child].pk).update(mentor=rows[mentor])
    before = snapshot()
    run = merged(Author, "name")
    after = dict(Author.objects.exclude(mentor=None).values_list("pk", "mentor"))
    assert after == {rows[child].pk: rows[mentor].pk for child, mentor in expected.items()}
    assert Author.objects.count() == 2
    assert_undo_restores(run, before)


def test_case_19_generic_keys_of_every_type_move_and_nothing_cascades() -> None:
    pages = [Page.objects.create(slug="home") for _ in range(2)]
    assets = [Asset.objects.create(name="logo") for _ in range(2)]
    NumberNote.objects.create(**of(pages[1]))  # with a GenericRelation
    TextNote.objects.create(**of(pages[1]))  # without one
    for asset in assets:
        TextNote.objects.create(**of(asset))  # with one
        UuidNote.objects.create(**of(asset))  # without one
    before = snapshot()
    run = merged(Page, "slug")
    assert NumberNote.objects.get().object_id == pages[0].pk
    assert TextNote.objects.filter(**of(pages[0])).count() == 1
    between = snapshot()
    second = merged(Asset, "name")
    survivor = Asset.objects.get()
    assert TextNote.objects.filter(**of(survivor)).count() == survivor.notes.count() == 2
    assert UuidNote.objects.filter(**of(survivor)).count() == 2
    assert_undo_restores(second, between)
    assert_undo_restores(run, before)


@pytest.mark.parametrize("model", [Page, PageProxy])
def test_case_20_generic_keys_stored_under_a_proxys_content_type_move(model: type[Page]) -> None:
    pages = [PageProxy.objects.create(slug="home") for _ in range(2)]
    note = ProxyNote.objects.create(**of(pages[1], proxy=True))
    before = snapshot()
    run = merged(model, "slug")
    after = ProxyNote.objects.get()
    assert (after.object_id, after.content_type) == (pages[0].pk, note.content_type)
    assert_undo_restores(run, before)


@pytest.mark.parametrize("kind", [Word, Asset])
def test_case_21_object_ids_that_cannot_hold_the_key_are_skipped(kind: type[Model]) -> None:
    if kind is Word:
        rows: list[Any] = [Word.objects.create(text=text, meaning="hue") for text in ("1", "2")]
    else:
        rows = [Asset.objects.create(name="logo") for _ in range(2)]
    number = NumberNote.objects.create(content_type=of(rows[0])["content_type"], object_id=2)
    before = snapshot()
    run = merged(kind, "meaning" if kind is Word else "name")
    assert kind._base_manager.count() == 1
    assert NumberNote.objects.get().object_id == number.object_id
    assert not any("NumberNote" in count["reference"] for count in run.references)
    assert_undo_restores(run, before)


def test_case_22_log_entries_move_without_a_generic_key() -> None:
    survivor, duplicate = authors("Ann", "Ann")
    values = {"user": Staff.objects.create(username="root"), "action_flag": 2}
    LogEntry.objects.create(**{**of(duplicate), "object_id": str(duplicate.pk)}, **values)
    before = snapshot()
    run = merged(Author, "name")
    assert LogEntry.objects.get().get_edited_object() == survivor
    assert_undo_restores(run, before)
