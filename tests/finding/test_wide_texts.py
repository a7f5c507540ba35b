"""Equality is that of a unique index, to the last character."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import connection

from dedupe_toolkit import (
    dismiss,
    find_duplicates,
    match_key,
    plan_merge,
    row_set,
    survivor_of,
    survivors_of,
    undo,
)
from dedupe_toolkit.errors import InvalidMatchKey
from dedupe_toolkit.reviewing.preview import preview_merge
from tests.concurrency_kit import on_sqlite
from tests.kit import assert_undo_restores, created, lists_cut_at, merged, merged_rows, snapshot
from tests.situations.wide.models import (
    Label,
    Mention,
    Note,
    Page,
    Star,
    Term,
    Use,
    Visit,
    Vote,
    Word,
)

if TYPE_CHECKING:
    from django.db.models import Model

pytestmark = pytest.mark.django_db

LONG = "https://example.org/" + "a" * 2_500
ORDERS = ["xyxy", "yxzxyz"]


def pages(ends: str) -> list[Page]:
    found = created(Page, [Page(url=f"{LONG}{end}", text=f"{LONG}{end}") for end in ends])
    for page in found:
        Label.objects.create(page=page, name=page.url[-1])
    return found


@pytest.fixture(params=["url", "text", "url__lower", "text__collapse"])
def field(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("ends", ORDERS)
@pytest.mark.parametrize(
    ("survivor", "nulls"), [("oldest", "distinct"), ("most-complete", "equal")]
)
def test_long_texts_are_compared_to_the_end(
    field: str, ends: str, survivor: str, nulls: str
) -> None:
    pages(ends)
    before = snapshot()
    key = match_key(Page, [field], nulls=nulls)
    found = find_duplicates(key, survivor=survivor)
    assert (found.groups, found.rows) == (len(set(ends)), len(ends))
    for group in find_duplicates(key, survivor=survivor, limit=None).duplicate_groups:
        urls = Page.objects.filter(pk__in=[group.survivor, *group.duplicates])
        assert len(set(urls.values_list("url", flat=True))) == 1
    run = merged(Page, field, survivor=survivor, nulls=nulls)
    assert run.merged == len(set(ends))
    assert sorted(Page.objects.values_list("url", flat=True)) == sorted(LONG + e for e in set(ends))
    assert all(label.name == label.page.url[-1] for label in Label.objects.all())
    assert_undo_restores(run, before)


def test_texts_of_a_megabyte_are_compared_to_the_end() -> None:
    for end in "xyxy":
        Page.objects.create(url="u", text="ä" * 600_000 + end)
    found = find_duplicates(match_key(Page, ["text"]))
    assert (found.groups, found.rows) == (2, 4)
    assert merged(Page, "text").merged == 2


@pytest.mark.skipif(connection.vendor != "mysql", reason="MariaDB and MySQL only")
@pytest.mark.parametrize("times", [4_500_000, 9_000_000])
def test_texts_that_no_sort_compares_whole_are_refused(times: int) -> None:
    Page.objects.create(url="u")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE wide_page SET text = REPEAT('a', %s)", [times])
    key = match_key(Page, ["text"])
    for verb in (find_duplicates, plan_merge):
        with pytest.raises(InvalidMatchKey, match=r"text has a value of .* keep a hash of it"):
            verb(key)
    assert find_duplicates(match_key(Page, ["url"])).groups == 0


def test_rows_that_differ_at_the_end_of_a_long_unique_text_do_not_collide() -> None:
    survivor, duplicate, another = pages("xxx")
    start = "ß" * 690
    for page, ends in ((survivor, "ab"), (duplicate, "cab"), (another, "bd")):
        for end in ends:
            Visit.objects.create(page=page, query=start + end)
    before = snapshot()
    keys = [page.pk for page in (survivor, duplicate, another)]
    assert preview_merge(row_set(Page, keys)).mergeable == 1
    run = merged_rows(Page, *keys)
    assert sorted(query[-1] for query in Visit.objects.values_list("query", flat=True)) == [*"abcd"]
    assert_undo_restores(run, before)


@pytest.mark.parametrize("ends", ["xyx", "xxy"])
def test_texts_that_differ_at_their_end_are_joined_both(ends: str) -> None:
    found = created(Page, [Page(url="u", text="b" * 3_000 + end) for end in ends])
    with lists_cut_at(10_000):  # MySQL's own limit is lower
        merged_rows(Page, *(page.pk for page in found), field_rules={"text": "concat"})
    text = Page.objects.get().text
    assert [text.count(end) for end in "xy"] == [1, 1]


def test_the_sessions_own_settings_are_back_afterwards() -> None:
    names = ("max_sort_length", "sort_buffer_size")

    def settings() -> tuple[int, ...]:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {', '.join(f'@@{name}' for name in names)}")
            return tuple(cursor.fetchone())

    if connection.vendor != "mysql":
        pytest.skip("MariaDB and MySQL only")
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION max_sort_length = 2000, sort_buffer_size = 1048576")
    try:
        pages("xyxy")
        merged(Page, "text")
        find_duplicates(match_key(Page, ["url"]))
        assert settings() == (2000, 1048576)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION max_sort_length = DEFAULT, sort_buffer_size = DEFAULT")


# -- conditions --------------------------------------------------------------------------------


@pytest.mark.parametrize("nulls", ["distinct", "equal"])
def test_a_condition_on_many_rows_makes_no_row_its_own_duplicate(nulls: str) -> None:
    first, second, third = pages("xyx")
    for name in ("news", "newer"):
        for page in (first, second):
            Label.objects.create(page=page, name=name)
    options = {"where": {"labels__name__startswith": "new"}, "nulls": nulls}
    assert find_duplicates(match_key(Page, ["url"], **options)).groups == 0
    Label.objects.create(page=third, name="new")
    before = snapshot()
    found = find_duplicates(match_key(Page, ["url"], **options))
    assert (found.groups, found.rows) == (1, 2)
    run = merged(Page, "url", **options)
    assert run.merged == 1
    assert set(Page.objects.values_list("pk", flat=True)) == {first.pk, second.pk}
    assert_undo_restores(run, before)


# -- keys --------------------------------------------------------------------------------------


def words(*keys: str) -> None:
    for key in keys:
        word = Word.objects.create(key=key, sense=f"sense {ord(key[0])}")
        Use.objects.create(word=word)


def test_the_journal_tells_keys_apart_to_the_letter() -> None:
    words("a", "ab", "A", "AB")
    merged_rows(Word, "a", "ab")
    assert survivor_of(Word, "ab") == "a"
    assert survivor_of(Word, "AB") == "AB"
    assert survivors_of(Word, ["ab", "aB"]) == {"ab": "a", "aB": "aB"}


def test_one_group_is_undone_and_not_that_of_a_key_in_other_letters() -> None:
    words("a", "ab", "A", "AB")
    before = snapshot()
    run = merged(Word, "sense")
    assert run.merged == 2
    undo(run, survivors=["A"])
    assert set(Word.objects.values_list("pk", flat=True)) == {"a", "A", "AB"}
    assert survivor_of(Word, "ab") == "a"
    assert survivor_of(Word, "AB") == "AB"
    undo(run)
    assert snapshot() == before


def test_a_verdict_on_rows_is_not_about_those_of_keys_in_other_letters() -> None:
    words("a", "ab", "A", "AB")
    key = match_key(Word, ["sense"])
    dismiss(row_set(Word, ["a", "ab"]), key=key)
    (group,) = find_duplicates(key).duplicate_groups
    assert {group.survivor, *group.duplicates} == {"A", "AB"}


@pytest.mark.parametrize("model", [Page, Word, Term])
@pytest.mark.parametrize("survivor", ["oldest", "most-referenced"])
def test_keys_stand_as_text_in_columns_of_several_collations(
    model: type[Model], survivor: str
) -> None:
    if model is Page:
        first, second = pages("xx")
    else:
        first, second = (model._base_manager.create(key=key, sense="s") for key in ("a", "b"))
    kinds = (Note, Star, Vote)
    for kind in kinds:
        for row in (first, second):
            kind.objects.create(about=row)
    before = snapshot()
    field = "url" if model is Page else "sense"
    run = merged(model, field, survivor=survivor)
    assert run.merged == 1
    for kind in kinds:
        assert set(kind.objects.values_list("object_id", flat=True)) == {str(first.pk)}
    assert_undo_restores(run, before)
    keys = [first.pk, second.pk]
    assert (
        preview_merge(row_set(model, keys)).references
        == plan_merge(row_set(model, keys)).references
    )


def test_keys_of_two_groups_that_differ_by_case_stay_apart_in_looser_columns() -> None:
    for key, sense in (("a", "s"), ("B", "s"), ("A", "t"), ("b", "t")):
        Word.objects.create(key=key, sense=sense)
    # on SQLite rows of such a column hold groups back
    kinds = (Vote,) if connection.vendor == "sqlite" else (Note, Vote)
    for word in Word.objects.all():
        for kind in kinds:
            kind.objects.create(about=word)
    before = snapshot()
    run = merged(Word, "sense", batch_size=1, survivor="newest")
    for kind in kinds:
        held = sorted(kind.objects.values_list("object_id", flat=True))
        assert held == sorted(2 * list(Word.objects.values_list("pk", flat=True)))
    assert_undo_restores(run, before)


@on_sqlite
def test_rows_that_may_mean_either_of_two_keys_hold_both_groups_back() -> None:
    for key, sense in (("a", "s"), ("B", "s"), ("A", "t"), ("b", "t"), ("c", "u"), ("d", "u")):
        Word.objects.create(key=key, sense=sense)
    note = Note.objects.create(about=Word.objects.get(key="a"))
    Note.objects.create(about=Word.objects.get(key="d"))
    before = snapshot()
    run = merged(Word, "sense")
    assert run.merged == 1
    assert {group["reason"] for group in run.held_back} == {
        "wide.Note.about compares texts more loosely than wide.Word tells its keys a and A apart,"
        " so its rows may mean either: give both columns one collation first",
        "wide.Note.about compares texts more loosely than wide.Word tells its keys A and a apart,"
        " so its rows may mean either: give both columns one collation first",
    }
    assert_undo_restores(run, before)
    note.delete()
    assert merged(Word, "sense").merged == 3


def test_references_in_letters_that_the_collation_calls_equal_follow_their_row() -> None:
    first, second = (Term.objects.create(key=key, sense="s") for key in ("a", "b"))
    names = {"mysql": ["b", "B", "b "], "sqlite": ["b", "B"], "postgresql": ["b"]}
    for name in names[connection.vendor]:
        Mention.objects.create(term_id=name)
    before = snapshot()
    run = merged_rows(Term, first.pk, second.pk)
    assert set(Mention.objects.values_list("term_id", flat=True)) == {"a"}
    assert_undo_restores(run, before)
