"""Groups dismissed at a terminal: listed, left alone by the next merge, offered again."""

from __future__ import annotations

import csv
from typing import Any

import pytest

from dedupe_toolkit import (
    DismissedGroup,
    dismiss,
    find_duplicates,
    match_key,
    merge,
    plan_merge,
    row_set,
    undo,
)
from dedupe_toolkit.errors import UndoRefused
from tests.commands.kit import run
from tests.situations.links.models import Author, Book

pytestmark = pytest.mark.django_db

KEY = ("links.Author", "--fields", "name")


@pytest.fixture
def authors() -> list[Author]:
    rows = [Author.objects.create(name=name) for name in ("Leo", "Leo", "Ann", "Ann", "Ann")]
    for row in rows:
        Book.objects.create(author=row, title="b")
    return rows


def merged(*line: str) -> int:
    return int(run("merge_duplicates", *line, "--no-input", "--format", "json").document["run"])


def test_rows_dismissed_are_left_alone_by_the_next_merge(authors: list[Author]) -> None:
    leos = [author.pk for author in authors[:2]]
    said = run("dismiss_duplicates", "links.Author", "--pks", *leos, "--note", "Father and son.")
    verdict = DismissedGroup.objects.get()
    assert said.lines == [
        f"links.Author: rows {leos[0]}, {leos[1]} are dismissed as no duplicates.",
        f"Take it back with: manage.py dismiss_duplicates --offer-again {verdict.pk}",
    ]
    merged(*KEY)
    assert Author.objects.filter(name="Leo").count() == 2
    assert Author.objects.filter(name="Ann").count() == 1


def test_a_verdict_about_one_key_does_not_hold_for_another(authors: list[Author]) -> None:
    leos = [author.pk for author in authors[:2]]
    run("dismiss_duplicates", "links.Author", "--pks", *leos, "--fields", "name")
    assert find_duplicates(match_key(Author, ["name"])).groups == 1
    assert find_duplicates(match_key(Author, ["name__lower"])).groups == 2


def test_rows_that_are_not_equal_on_the_key_are_not_dismissed_by_it(authors: list[Author]) -> None:
    said = run(
        *("dismiss_duplicates", "links.Author", "--pks", authors[0].pk, authors[2].pk),
        *("--fields", "name"),
    )
    assert said.code == 1
    assert "are not equal on name: " in said.err
    assert not DismissedGroup.objects.exists()


def test_dismissed_groups_are_listed_in_each_format(authors: list[Author]) -> None:
    assert run("dismiss_duplicates").lines == ["There are no dismissed groups."]
    leos, anns = authors[:2], authors[2:]
    dismiss(row_set(Author, [one.pk for one in leos]), by="eve", note="Father, son.")
    group = dismiss(row_set(Author, [one.pk for one in anns]), key=match_key(Author, ["name"]))
    rows = [str(one.pk) for one in anns]
    document = run("dismiss_duplicates", "links.Author", "--format", "json").document
    assert [one["note"] for one in document["dismissed_groups"]] == ["", "Father, son."]
    first = document["dismissed_groups"][0]
    assert (first["number"], first["fields"], first["rows"]) == (group.pk, ["name"], rows)
    line, *_ = csv.DictReader(run("dismiss_duplicates", "--format", "csv").lines)
    assert (line["number"], line["fields"], line["rows"]) == (str(group.pk), "name", " ".join(rows))
    table = run("dismiss_duplicates", "--limit", "1").lines
    assert table[1].split("\t")[:4] == [str(group.pk), "links.Author", "name", ", ".join(rows)]
    assert table[2:] == ["and 1 more group; --limit 0 lists all."]
    assert run("dismiss_duplicates", "links.Book").lines == ["There are no dismissed groups."]


def test_a_verdict_is_taken_back_by_its_number(authors: list[Author]) -> None:
    group = dismiss(row_set(Author, [author.pk for author in authors[:2]]))
    assert run("dismiss_duplicates", "--offer-again", group.pk).lines == ["1 group offered again."]
    assert find_duplicates(match_key(Author, ["name"])).groups == 2


@pytest.mark.parametrize("others", [1200, 0])
def test_every_group_of_an_undone_run_is_dismissed(authors: list[Author], others: int) -> None:
    names = [f"name {number}" for number in range(others)]
    Author.objects.bulk_create(Author(name=name) for name in names * 2)
    number = merged(*KEY)
    said = run("undo_merge", number, "--no-input", "--dismiss", "--note", "Different people.")
    assert said.lines[1:] == ["Its groups are dismissed."]
    found = find_duplicates(match_key(Author, ["name"]))
    assert (found.groups, found.dismissed) == (0, 2 + others)
    assert set(DismissedGroup.objects.values_list("note", "fields")) == {
        ("Different people.", "name")
    }
    # a new row makes another group of it
    Author.objects.create(name="Leo")
    assert find_duplicates(match_key(Author, ["name"])).groups == 1


def test_only_the_groups_undone_now_are_dismissed(authors: list[Author]) -> None:
    number = merged(*KEY)
    run("undo_merge", number, "--survivor", authors[0].pk, "--no-input")
    run("undo_merge", number, "--no-input", "--dismiss")
    found = find_duplicates(match_key(Author, ["name"]))
    assert (found.groups, found.dismissed) == (1, 1)
    rows = find_duplicates(match_key(Author, ["name"])).duplicate_groups[0]
    assert rows.survivor == authors[0].pk


def test_rows_named_one_by_one_are_dismissed_for_every_key(authors: list[Author]) -> None:
    number = merged("links.Author", "--pks", *(str(author.pk) for author in authors[:2]))
    undo(number, dismiss=True, by="eve")
    assert DismissedGroup.objects.values_list("fields", "by").get() == ("", "eve")
    assert find_duplicates(match_key(Author, ["name__lower"])).dismissed == 1


def test_an_undo_replaces_the_verdicts_that_it_repeats(authors: list[Author]) -> None:
    leos, others = [author.pk for author in authors[:2]], Author.objects.create(name="Eve")
    dismiss(row_set(Author, leos), by="ann")
    kept = dismiss(row_set(Author, [leos[0], others.pk]), by="ann")
    number = merged("links.Author", "--pks", *map(str, leos))
    undo(number, dismiss=True, by="eve")
    assert set(DismissedGroup.objects.values_list("by", flat=True)) == {"ann", "eve"}
    assert DismissedGroup.objects.get(by="ann") == kept


def test_an_undo_tried_or_refused_dismisses_nothing(authors: list[Author]) -> None:
    run_made: Any = merge(plan_merge(match_key(Author, ["name"])))
    said = run("undo_merge", run_made.pk, "--dismiss", "--dry-run")
    assert said.lines[1:] == ["Its groups would be dismissed."]
    assert not DismissedGroup.objects.exists()
    Book.objects.filter(author=authors[0]).update(author=authors[2])
    with pytest.raises(UndoRefused):
        undo(run_made, dismiss=True)
    assert not DismissedGroup.objects.exists()
