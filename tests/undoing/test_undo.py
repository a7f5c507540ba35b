"""Undo restores exactly, or refuses, says what is in the way, and changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import connection

from dedupe_toolkit import DedupeError, survivor_of, undo
from dedupe_toolkit.models import MergeStep, RowChange
from dedupe_toolkit.undoing.undo import Undone
from tests.kit import merged, merged_rows, snapshot
from tests.situations.joined.models import Part, Price, Reading, Sample
from tests.situations.keyed.models import City, Country, Product
from tests.situations.links.models import Author, Book
from tests.situations.odd.models import Person
from tests.situations.proof.models import Person as Colleague
from tests.situations.rivals.models import Badge, Membership, Team, User

if TYPE_CHECKING:
    from dedupe_toolkit import MergeRun

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair() -> tuple[Author, Author]:
    survivor = Author.objects.create(name="Ann")
    return survivor, Author.objects.create(name="Ann", bio="a writer")


def refused(run: MergeRun) -> str:
    before = snapshot()
    with pytest.raises(DedupeError) as error:
        undo(run)
    assert snapshot() == before
    return str(error.value)


def test_a_moved_row_that_was_changed_since_is_in_the_way(pair: tuple[Author, Author]) -> None:
    book = Book.objects.create(author=pair[1], title="War")
    other = Author.objects.create(name="Bob")
    run = merged(Author, "name")
    Book.objects.filter(pk=book.pk).update(author=other)
    assert f"links.Book {book.pk} has been changed since (author_id)" in refused(run)


def test_a_moved_row_that_was_deleted_since_is_in_the_way(pair: tuple[Author, Author]) -> None:
    book = Book.objects.create(author=pair[1], title="War")
    run = merged(Author, "name")
    Book.objects.all().delete()
    assert f"links.Book {book.pk} has been deleted since" in refused(run)


def test_a_filled_value_that_was_changed_since_is_in_the_way(pair: tuple[Author, Author]) -> None:
    run = merged(Author, "name")
    Author.objects.update(bio="a painter")
    assert f"links.Author {pair[0].pk} has been changed since (bio)" in refused(run)


def test_a_row_is_in_the_way_once_with_all_that_was_changed_in_it() -> None:
    first = Person.objects.create(name="Ann")
    Person.objects.create(name="Ann", email="a@b.c", slug="a")
    run = merged(Person, "name")
    Person.objects.filter(pk=first.pk).update(email="d@e.f", slug="d")
    told = refused(run).splitlines()
    assert told[1:-1] == [f"  odd.Person {first.pk} has been changed since (slug, email)"]
    Person.objects.filter(pk=first.pk)._raw_delete("default")
    assert refused(run).splitlines()[1:-1] == [f"  odd.Person {first.pk} has been deleted since"]


def test_rows_in_the_way_are_counted_once() -> None:
    for number in range(25):
        Person.objects.create(name=f"{number}")
        Person.objects.create(name=f"{number}", email="a@b.c", slug=f"{number}")
    run = merged(Person, "name")
    Person.objects.update(email="", slug=None)
    told = refused(run).splitlines()
    assert (len(told), told[-2]) == (23, "  and 5 more")


def test_a_key_that_is_in_use_again_is_in_the_way() -> None:
    for sku in ("a", "b"):
        Product.objects.create(sku=sku, name="Pen")
    run = merged(Product, "name")
    Product.objects.create(sku="b", name="Pencil")
    assert "keyed.Product b is there again" in refused(run)


def test_a_unique_value_taken_since_is_in_the_way() -> None:
    for slug in ("a", "b"):
        Person.objects.create(name="Ann", slug=slug)
    run = merged(Person, "name")
    Person.objects.create(name="Bob", slug="b")
    assert "would break unique (slug)" in refused(run)


def test_changes_to_other_columns_are_not_in_the_way(pair: tuple[Author, Author]) -> None:
    book = Book.objects.create(author=pair[1], title="War")
    run = merged(Author, "name")
    Book.objects.filter(pk=book.pk).update(title="Peace")
    Author.objects.update(born=1950)
    undo(run)
    assert Book.objects.get().author_id == pair[1].pk
    assert Author.objects.get(pk=pair[0].pk).born == 1950


def test_rows_that_came_after_the_merge_stay_with_the_survivor(
    pair: tuple[Author, Author],
) -> None:
    run = merged(Author, "name")
    book = Book.objects.create(author=pair[0], title="New")
    undo(run)
    assert Book.objects.get(pk=book.pk).author_id == pair[0].pk


def test_after_a_later_merge_of_the_survivor_the_later_run_must_be_undone_first(
    pair: tuple[Author, Author],
) -> None:
    Book.objects.create(author=pair[1], title="War")
    before = snapshot()
    first = merged(Author, "name")
    other = Author.objects.create(name="Anna")
    second = merged_rows(Author, pair[0].pk, other.pk, into=other.pk)
    text = refused(first)
    assert text.endswith(
        f"Later merge runs changed these rows: undo them first, in this order: {second.pk}"
    )
    undo(second)
    undo(first)
    other.delete()
    assert snapshot() == before


def test_what_another_run_wrote_meanwhile_is_left_alone(pair: tuple[Author, Author]) -> None:
    merged(Author, "name")
    for _ in range(2):
        Person.objects.create(name="x")
    before = snapshot()
    run = merged(Person, "name")
    first, last = RowChange.objects.earliest("pk"), RowChange.objects.latest("pk")
    MergeStep.objects.update(first_change=first.pk, last_change=last.pk)
    assert undo(run) == Undone(run=run.pk, restored=1, changed=0)
    assert snapshot() == before


def test_a_run_is_undone_once(pair: tuple[Author, Author]) -> None:
    run = merged(Author, "name")
    undo(run)
    with pytest.raises(DedupeError, match=f"merge run {run.pk} has been undone already"):
        undo(run)


def test_an_unknown_run_is_named() -> None:
    with pytest.raises(DedupeError, match="there is no merge run 2000000000 in database 'default'"):
        undo(2_000_000_000)


def test_a_dry_run_changes_nothing(pair: tuple[Author, Author]) -> None:
    run = merged(Author, "name")
    before = snapshot()
    done = undo(run, dry_run=True)
    assert (done.restored, done.changed) == (1, 1)
    assert snapshot() == before


def test_one_group_of_a_run_can_be_undone_and_the_rest_later(
    pair: tuple[Author, Author],
) -> None:
    for _ in range(2):
        Book.objects.create(author=Author.objects.create(name="Bob"), title="b")
    before = snapshot()
    run = merged(Author, "name")
    undo(run, survivors=[pair[0].pk])
    assert Author.objects.filter(name="Ann").count() == 2
    assert Author.objects.filter(name="Bob").count() == 1
    with pytest.raises(DedupeError, match="has been undone already"):
        undo(run, survivors=[pair[0].pk])
    undo(run)
    assert snapshot() == before


def test_a_group_that_is_not_of_the_run_is_named(pair: tuple[Author, Author]) -> None:
    run = merged(Author, "name")
    with pytest.raises(
        DedupeError, match=f"merge run {run.pk}: links.Author 2000000000 is no survivor"
    ):
        undo(run, survivors=[2_000_000_000])


def test_new_rows_get_new_keys_after_an_undo(pair: tuple[Author, Author]) -> None:
    undo(merged(Author, "name"))
    assert Author.objects.create(name="New").pk > pair[1].pk


def test_one_group_is_undone_with_the_rows_that_point_at_it_by_another_column() -> None:
    for code in ("FR", "FRA"):
        Country.objects.create(name="France", code=code)
        City.objects.create(country_id=code)
    before = snapshot()
    run = merged(Country, "name")
    undo(run, survivors=[Country.objects.get().pk])
    assert snapshot() == before


def test_one_group_is_undone_with_rivals_of_rivals_below_it() -> None:
    for number in range(3):
        User.objects.create(name=str(number))  # so that a user's key is no membership's as well
    team = Team.objects.create(name="Red")
    for email in ("", "ann@example.org"):
        user = User.objects.create(name="Ann", email=email)
        membership = Membership.objects.create(user=user, team=team, role=email)
        Badge.objects.create(membership=membership, label="gold")
    before = snapshot()
    run = merged(User, "name", on_collision="merge")
    assert (Membership.objects.count(), Badge.objects.count()) == (1, 1)
    undo(run, survivors=[User.objects.get(name="Ann").pk])
    assert snapshot() == before


def test_one_group_of_composite_keys_is_undone_with_the_rows_discarded_for_it() -> None:
    for number in (1, 2):
        sample = Sample.objects.create(site=7, number=number, name="x")
        Reading.objects.create(sample=sample, kind="pH", value=number)
    before = snapshot()
    run = merged(Sample, "name", on_collision="discard")
    assert Reading.objects.count() == 1
    assert survivor_of(Sample, (7, 2)) == (7, 1)
    undo(run, survivors=[(7, 1)])
    assert snapshot() == before


def test_the_composite_key_of_a_group_may_be_text() -> None:
    for number in (1, 2):
        Sample.objects.create(site=7, number=number, name="x")
    before = snapshot()
    run = merged(Sample, "name")
    for text in ("7", "[7]", "[7, 'x']"):
        with pytest.raises(DedupeError, match="cannot be a primary key of this model"):
            undo(run, survivors=[text])
    undo(run, survivors=["[7, 1]"])
    assert snapshot() == before


def test_one_group_is_undone_with_rivals_that_point_at_it_by_other_columns() -> None:
    for code in "ab":
        part = Part.objects.create(maker=7, code=code, name="bolt")
        Price.objects.create(part=part, amount=part.pk)
    before = snapshot()
    run = merged(Part, "name", on_collision="discard")
    assert Price.objects.count() == 1
    undo(run, survivors=[Part.objects.get().pk])
    assert snapshot() == before


def both_refused(run: MergeRun) -> str:
    """Why an undo is refused: its dry run is for the same reason."""
    before = snapshot()
    with pytest.raises(DedupeError) as error:
        undo(run, dry_run=True)
    assert snapshot() == before
    assert refused(run) == str(error.value)
    return str(error.value)


def test_a_value_that_names_a_row_deleted_since_is_in_the_way() -> None:
    first, second = (Colleague.objects.create(first=name, last="x", rank=0) for name in "ab")
    kept, _ = (
        Colleague.objects.create(first="a", last="y", rank=0, boss=boss) for boss in (first, second)
    )
    run = merged(Colleague, "first", "last", field_rules={"boss": "newest"})
    kept.refresh_from_db()
    assert kept.boss_id == second.pk
    first.delete()
    if connection.vendor == "postgresql":
        assert "violates foreign key constraint" in both_refused(run)
    else:
        assert (
            f"proof.Person {kept.pk} would point at a row of proof_person that has been deleted"
            " since (boss_id)"
        ) in both_refused(run)


def test_a_restored_row_that_names_a_row_deleted_since_is_in_the_way() -> None:
    team = Team.objects.create(name="A")
    users = [User.objects.create(name="Ann") for _ in range(2)]
    for user in users:
        Membership.objects.create(user=user, team=team)
    run = merged(User, "name", on_collision="discard")
    Membership.objects.all().delete()
    team.delete()
    assert "cannot be undone, nothing was changed" in both_refused(run)
