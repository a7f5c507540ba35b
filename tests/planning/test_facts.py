"""What a plan tells of a merge that a person might regret, before anything is written."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dedupe_toolkit import plan_merge, row_set
from dedupe_toolkit.plan_values import (
    BlankKeys,
    FieldDifference,
    HeldCollisions,
    PlannedGroup,
    RepeatedLinks,
)
from dedupe_toolkit.planning import large_groups
from dedupe_toolkit.reviewing.preview import preview_merge
from tests.commands.kit import run
from tests.kit import merged_rows, planned
from tests.situations.links.models import Author, Book
from tests.situations.odd.models import Person
from tests.situations.rivals.models import Badge, Membership, Team, User, Visit

pytestmark = pytest.mark.django_db


def difference(model: str, field: str, groups: int, values: int, rule: str = "") -> FieldDifference:
    return FieldDifference(model=model, field=field, groups=groups, values=values, rule=rule)


def authors(*rows: tuple[str, str, int | None]) -> list[Author]:
    return [Author.objects.create(name=name, bio=bio, born=born) for name, bio, born in rows]


def test_fields_that_differ_are_counted_with_the_values_that_give_way() -> None:
    authors(("Ann", "one", 1), ("Ann", "two", 1), ("Ann", "ONE", None))
    authors(("Bob", "", 1), ("Bob", "poet", 2), ("Cid", "same", 3), ("Cid", "same", 3))
    assert planned(Author, "name").differences == (
        difference("links.Author", "bio", 1, 2),
        difference("links.Author", "born", 1, 1),
    )


def test_a_field_with_a_rule_says_the_rule() -> None:
    authors(("Ann", "one", 1), ("Ann", "two", 2))
    plan = planned(Author, "name", field_rules={"bio": "concat", "born": "max"})
    assert plan.differences == (
        difference("links.Author", "bio", 1, 1, "concat"),
        difference("links.Author", "born", 1, 1, "max"),
    )


def test_groups_that_are_held_back_give_no_value_away() -> None:
    authors(("Ann", "one", 1), ("Ann", "two", 1), ("Bob", "", 1), ("Bob", "", 1))
    assert planned(Author, "name", on_conflict="hold").differences == ()


def test_a_reason_names_all_fields_that_differ_with_a_rule_for_each() -> None:
    first, second, _ = authors(("Ann", "one", 1), ("Ann", "two", 1), ("Ann", "one", 2))
    (held,) = planned(Author, "name", on_conflict="hold").held_back
    assert held.reason == (
        f"its rows, such as {first.pk} and {second.pk}, differ in bio (--field-rule bio=newest),"
        " born (--field-rule born=sum)"
    )
    rules = {"bio": "newest", "born": "sum"}
    assert not planned(Author, "name", on_conflict="hold", field_rules=rules).held_back


def test_the_time_of_the_last_change_is_neither_a_difference_nor_a_conflict() -> None:
    author = Author.objects.create(name="Ann")
    books = [Book.objects.create(author=author, title="War") for _ in range(2)]
    assert books[0].touched != books[1].touched
    plan = planned(Book, "title", on_conflict="hold")
    assert (plan.held_back, plan.differences) == ((), ())


def test_rivals_that_become_one_are_counted_by_their_own_fields() -> None:
    ann, twin = (User.objects.create(name="Ann") for _ in range(2))
    team = Team.objects.create(name="Red")
    Membership.objects.create(user=ann, team=team, role="goal", since=1990)
    Membership.objects.create(user=twin, team=team, role="coach", since=1990)
    assert planned(User, "name", on_collision="merge").differences == (
        difference("rivals.Membership", "role", 1, 1),
    )


def test_rows_named_one_by_one_are_told_of_alike() -> None:
    ann, bob = authors(("Ann", "one", 1), ("Bob", "two", 1))
    plan = plan_merge(row_set(Author, [ann.pk, bob.pk]))
    assert plan.differences == (
        difference("links.Author", "name", 1, 1),
        difference("links.Author", "bio", 1, 1),
    )
    assert merged_rows(Author, ann.pk, bob.pk).merged == 1


def test_the_number_of_statements_does_not_grow_with_the_groups() -> None:
    counted = []
    for groups in (2, 30):
        for number in range(groups):
            authors((f"{groups}-{number}", "a", 1), (f"{groups}-{number}", "b", 2))
        with CaptureQueriesContext(connection) as queries:
            planned(Author, "name")
        counted.append(len(queries))
    assert counted[0] == counted[1]


def test_the_largest_groups_are_told_with_survivor_and_first_duplicates() -> None:
    many = authors(*[("Ann", "", None)] * 14)
    pairs = [author for n in range(6) for author in authors(*[(f"B{n}", "", None)] * 2)]
    largest = planned(Author, "name").largest
    assert largest[0] == PlannedGroup(
        values={"name": "Ann"},
        survivor=many[0].pk,
        duplicates=tuple(author.pk for author in many[1:11]),
        rows=14,
    )
    assert [group.survivor for group in largest[1:]] == [pairs[n].pk for n in (0, 2, 4, 6)]


def test_groups_with_an_empty_text_for_a_key_are_counted_with_their_rows() -> None:
    keys = [*[("a", "")] * 3, *[("", "x")] * 2, *[("b", "y")] * 2]
    for name, email in keys:
        Person.objects.create(name=name, email=email)
    assert planned(Person, "name", "email").blank_keys == BlankKeys(groups=2, rows=5)
    assert planned(Person, "name", "email", blanks="distinct").blank_keys == BlankKeys()
    assert planned(Person, "email", where={"name": "b"}).blank_keys == BlankKeys()


def test_a_key_without_text_has_no_empty_text() -> None:
    authors(("Ann", "", 1), ("Bob", "", 1))
    assert planned(Author, "born").blank_keys == BlankKeys()


def test_a_group_with_very_many_rows_is_told_beforehand_with_how_long_others_may_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(large_groups, "MANY", 4)
    monkeypatch.setattr(large_groups, "PER_SECOND", 2)
    ann, _, _, bob, bob2 = authors(*[("Ann", "", 1)] * 3, *[("Bob", "", 1)] * 2)
    duplicates = Author.objects.filter(name="Ann").exclude(pk=ann.pk)
    books = [Book(author=author, title="") for author in duplicates for _ in range(3)]
    books += [Book(author=author, title="") for author in [ann, bob] * 5 + [bob2] * 3]
    Book._base_manager.bulk_create(books)
    told = [note for note in planned(Author, "name").warnings if note.code == "large group"]
    assert told == [
        f"links.Book.author: the group of {ann.pk} alone repoints 6 rows, in one transaction: at"
        " 10,000 rows a second others wait for its locks for 3 s, whatever --batch-seconds says"
    ]


def test_a_link_table_without_a_unique_rule_is_named_with_the_links_it_repeats() -> None:
    ann, twin, bob = (User.objects.create(name=name) for name in ("Ann", "Ann", "Bob"))
    red, blue = (Team.objects.create(name=name) for name in ("Red", "Blue"))
    for user, team in ((ann, red), (twin, red), (twin, blue), (bob, red)):
        Visit.objects.create(user=user, team=team)
    Visit.objects.create(user=twin, team=None)
    Visit.objects.create(user=ann, team=None)
    expected = (RepeatedLinks(model="rivals.Visit", rows=1),)
    assert planned(User, "name").repeated_links == expected
    assert plan_merge(row_set(User, [ann.pk, twin.pk])).repeated_links == expected
    assert merged_rows(User, ann.pk, twin.pk).merged == 1
    assert planned(Team, "name").repeated_links == ()


def test_the_hint_for_rows_that_collide_says_what_is_at_stake() -> None:
    ann, twin = (User.objects.create(name="Ann") for _ in range(2))
    for name in ("Red", "Blue"):
        team = Team.objects.create(name=name)
        Membership.objects.create(user=ann, team=team, role="goal", since=1990)
        lost = Membership.objects.create(user=twin, team=team, role="coach", since=1990)
    Membership.objects.filter(pk=lost.pk).update(since=2000)
    Badge.objects.create(membership=lost, label="a")
    expected = HeldCollisions(
        model="rivals.Membership", rows=2, fields={"role": 2, "since": 1}, referenced=1
    )
    for plan in (planned(User, "name"), preview_merge(row_set(User, [ann.pk, twin.pk]))):
        assert plan.collisions == (expected,)
        assert plan.warnings[0] == (
            "rivals.Membership: 2 rows collide with another and differ in role (2), since (1)."
            " --on-collision merge would make one row of each two: the other's values stay, these"
            " give way to the journal, and whatever references the row (1 is referenced) moves to"
            " the other. --on-collision discard would delete the row, and never one that is"
            " referenced"
        )


def test_the_dry_run_tells_it_all_in_words_and_in_its_document() -> None:
    ann, twin = (User.objects.create(name="", email=email) for email in ("one", "two"))
    team = Team.objects.create(name="Red")
    for user in (ann, twin):
        Visit.objects.create(user=user, team=team)
    arguments = ["merge_duplicates", "rivals.User", "--fields", "name", "--dry-run"]
    lines = run(*arguments).out.replace("\t", " ").splitlines()
    for line in (
        "Values that differ among rows that become one:",
        "rivals.User.email 1 the survivor's; 1 value gives way to the journal",
        "The largest groups:",
        f"'' {ann.pk} {twin.pk}",
        "rivals.Visit has no unique rule: 1 row will link what another row links already.",
        "An empty text in the key makes 1 group of 2 rows; --blanks distinct leaves these out.",
    ):
        assert line in lines
    document = run(*arguments, "--format", "json").document
    assert document["differences"] == [
        {"model": "rivals.User", "field": "email", "groups": 1, "values": 1, "rule": ""}
    ]
    assert document["repeated_links"] == [{"model": "rivals.Visit", "rows": 1}]
    assert document["blank_keys"] == {"groups": 1, "rows": 2}
    assert document["largest_groups"] == [
        {"values": {"name": ""}, "survivor": ann.pk, "duplicates": [twin.pk], "rows": 2}
    ]
