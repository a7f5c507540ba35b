"""The commands as their users see them: what they print, where, and how they end."""

from __future__ import annotations

import csv
import io
import subprocess
import sys

import pytest

from dedupe_toolkit import MergeRun, dismiss, match_key, row_set
from tests.commands.kit import run
from tests.kit import snapshot
from tests.situations.keyed.models import Device, Measurement
from tests.situations.links.models import Author, Book
from tests.situations.rivals.models import Membership, Team, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def authors() -> list[Author]:
    rows = [Author.objects.create(name=name) for name in ("Leo", "Ann", "Leo", "Ann", "Leo", "Ivo")]
    for row in rows:
        Book.objects.create(author=row, title="b")
    return rows


@pytest.fixture
def rivals() -> tuple[Membership, Membership]:
    team = Team.objects.create(name="Red")
    users = [User.objects.create(name="Ann") for _ in range(2)]
    first, second = (
        Membership.objects.create(user=user, team=team, since=user.pk) for user in users
    )
    return first, second


FIND = ("find_duplicates", "links.Author", "--fields", "name")
MERGE = ("merge_duplicates", "links.Author", "--fields", "name")


def test_find_prints_totals_and_groups(authors: list[Author]) -> None:
    pks = [row.pk for row in authors]
    found = run(*FIND)
    assert found.lines[0] == (
        "links.Author by name: 2 duplicate groups, 5 rows in them, 3 surplus."
    )
    assert found.lines[2].split() == ["Leo", f"{pks[0]}", f"{pks[2]},", f"{pks[4]}"]
    assert found.lines[3].split() == ["Ann", f"{pks[1]}", f"{pks[3]}"]
    assert (found.code, found.err) == (0, "")


def test_find_says_what_the_limit_left_out(authors: list[Author]) -> None:
    assert run(*FIND, "--limit", 1).lines[-1] == "and 1 more group; --limit 0 lists all."


def test_find_as_json_is_the_documented_document(authors: list[Author]) -> None:
    pks = [row.pk for row in authors]
    assert run(*FIND, "--format", "json").document == {
        "keys": [
            {
                "model": "links.Author",
                "fields": ["name"],
                "nulls": "distinct",
                "groups": 2,
                "rows": 5,
                "surplus": 3,
                "dismissed": 0,
                "duplicate_groups": [
                    {"values": {"name": "Leo"}, "survivor": pks[0], "duplicates": [pks[2], pks[4]]},
                    {"values": {"name": "Ann"}, "survivor": pks[1], "duplicates": [pks[3]]},
                ],
            }
        ]
    }


def test_json_keeps_uuids_as_text_and_composite_keys_as_lists() -> None:
    for number in (1, 2):
        Device.objects.create(serial="1")
        Measurement.objects.create(station=7, number=number, name="wind")
    devices = [str(device.pk) for device in Device.objects.order_by("pk")]
    (key,) = run(
        "find_duplicates", "keyed.Device", "--fields", "serial", "--format", "json"
    ).document["keys"]
    assert key["duplicate_groups"][0]["survivor"] == devices[0]
    line = ("find_duplicates", "keyed.Measurement", "--fields", "name", "--format", "json")
    (key,) = run(*line).document["keys"]
    assert key["duplicate_groups"][0]["duplicates"] == [[7, 2]]


def test_find_as_csv(authors: list[Author]) -> None:
    rows = list(csv.DictReader(io.StringIO(run(*FIND, "--format", "csv").out)))
    assert [(row["values"], row["survivor"]) for row in rows] == [
        ('{"name": "Leo"}', str(authors[0].pk)),
        ('{"name": "Ann"}', str(authors[1].pk)),
    ]


def test_check_ends_with_1_when_there_are_duplicates(authors: list[Author]) -> None:
    assert run(*FIND, "--check").code == 1
    Author.objects.filter(pk__in=[row.pk for row in authors[2:]]).delete()
    assert run(*FIND, "--check").code == 0


def test_find_leaves_dismissed_groups_out_and_says_how_many(authors: list[Author]) -> None:
    key = match_key(Author, ["name"])
    dismiss(row_set(Author, [authors[1].pk, authors[3].pk]), key=key)
    found = run("find_duplicates", "links.Author", "--fields", "name")
    assert found.lines[:2] == [
        "links.Author by name: 1 duplicate group, 3 rows in it, 2 surplus.",
        "Left out: 1 dismissed group.",
    ]
    assert "Ann" not in found.out
    document = run("find_duplicates", "links.Author", "--fields", "name", "--format", "json")
    (one,) = document.document["keys"]
    assert (one["groups"], one["rows"], one["surplus"], one["dismissed"]) == (1, 3, 2, 1)
    assert len(one["duplicate_groups"]) == 1


def test_dismissed_groups_do_not_fail_the_check(authors: list[Author]) -> None:
    dismiss(row_set(Author, [author.pk for author in authors]))
    checked = run("find_duplicates", "links.Author", "--fields", "name", "--check")
    assert checked.code == 0
    assert checked.lines == [
        "links.Author by name: no duplicates.",
        "Left out: 2 dismissed groups.",
    ]


def test_dismissed_groups_are_not_merged_but_rows_named_by_hand_are(authors: list[Author]) -> None:
    dismiss(row_set(Author, [author.pk for author in authors]))
    assert run("merge_duplicates", "links.Author", "--fields", "name").lines == [
        "links.Author by name: no duplicates.",
        "Note: 2 dismissed groups are left alone.",
    ]
    pks = [authors[1].pk, authors[3].pk]
    by_name = run("merge_duplicates", "links.Author", "--pks", *pks, "--no-input")
    assert "1 row merged into 1 survivor" in by_name.out


def test_an_empty_table_is_said_to_be_empty() -> None:
    assert run(*FIND).lines == ["links.Author by name: the table is empty."]
    merged = run(*MERGE)
    assert (merged.lines, merged.code) == (["links.Author by name: the table is empty."], 0)


def test_no_duplicates_are_no_error_and_make_no_run() -> None:
    Author.objects.create(name="Leo")
    merged = run(*MERGE, "--no-input")
    assert (merged.lines, merged.code) == (["links.Author by name: no duplicates."], 0)
    assert not MergeRun.objects.exists()


def test_merge_shows_the_plan_asks_and_merges(authors: list[Author]) -> None:
    merged = run(*MERGE, answer="y")
    number = MergeRun.objects.get().pk
    assert merged.lines[0] == (
        "links.Author by name: 2 duplicate groups; 3 rows to merge into 2 survivors."
    )
    assert ["links.Book.author", "foreign", "key", "3", "0", "0"] in [
        line.split() for line in merged.lines
    ]
    assert merged.lines[-2:] == [
        f"Merge run {number}: 3 rows merged into 2 survivors; 0 groups held back.",
        f"Undo it with: manage.py undo_merge {number}",
    ]
    assert merged.err == "Merge 3 rows of links.Author? [y/N] "
    assert Author.objects.count() == 3


@pytest.mark.parametrize("answer", ["n", "", "yep"])
def test_anything_but_a_yes_merges_nothing(authors: list[Author], answer: str) -> None:
    before = snapshot()
    merged = run(*MERGE, answer=answer)
    assert merged.err.endswith("Nothing was merged.\n")
    assert (merged.code, snapshot()) == (0, before)


def test_with_nobody_to_ask_nothing_is_merged(authors: list[Author]) -> None:
    before = snapshot()
    merged = run(*MERGE)
    assert merged.code == 1
    assert "nobody answers on standard input: use --no-input to go ahead" in merged.err
    assert snapshot() == before


def test_a_dry_run_prints_the_plan_and_writes_nothing(authors: list[Author]) -> None:
    before = snapshot()
    dry = run(*MERGE, "--dry-run", "--format", "json")
    document = dry.document
    assert (document["run"], document["groups"], document["rows_merged"]) == (None, 2, 3)
    assert snapshot() == before
    assert not MergeRun.objects.exists()
    real = run(*MERGE, "--no-input", "--format", "json").document
    (key,), (planned,) = real.pop("keys"), document.pop("keys")
    assert {**real, "run": None} == document
    assert {**key, "run": None} == planned


def test_merge_as_json_is_the_documented_document(rivals: tuple[Membership, Membership]) -> None:
    first, second = rivals
    merged = run(
        "merge_duplicates", "rivals.User", "--fields", "name", "--no-input", "--format", "json"
    )
    document = merged.document
    assert merged.code == 3
    (key,) = document.pop("keys")
    assert key == document
    references = document.pop("references")
    assert document.pop("unsearched")["holding"] == []
    assert {
        "reference": "rivals.Membership.user",
        "kind": "foreign key",
        "repointed": 0,
        "discarded": 0,
        "merged": 0,
    } in references
    assert document == {
        "run": MergeRun.objects.get().pk,
        "model": "rivals.User",
        "fields": ["name"],
        "groups": 1,
        "merged": 0,
        "held_back": 1,
        "rows_merged": 0,
        "ties": [],
        "collisions": [
            {"model": "rivals.Membership", "rows": 1, "fields": {"since": 1}, "referenced": 0}
        ],
        "differences": [],
        "repeated_links": [],
        "largest_groups": [],
        "blank_keys": {"groups": 0, "rows": 0},
        "triggers": [],
        "versioned": [],
        "held_back_groups": [
            {
                "values": {"name": "Ann"},
                "rows": [first.user_id, second.user_id],
                "reason": f"rivals.Membership: rows {first.pk} and {second.pk} would break"
                " unique (user, team)",
                "code": "rivals",
            }
        ],
    }


def test_groups_held_back_come_again_until_they_are_settled(
    rivals: tuple[Membership, Membership],
) -> None:
    for _ in range(2):
        User.objects.create(name="Bob")
    merged = run("merge_duplicates", "rivals.User", "--fields", "name", "--no-input", "--limit", 9)
    number = MergeRun.objects.get().pk
    assert f"Merge run {number}: 1 row merged into 1 survivor; 1 group held back." in merged.lines
    rows = [row.user_id for row in rivals]
    line = ("find_duplicates", "rivals.User", "--held-back", "--format", "json")
    (group,) = run(*line).document["held_back_groups"]
    assert (group["run"], group["values"], group["rows"]) == (number, {"name": "Ann"}, rows)
    assert group["reason"].endswith("would break unique (user, team)")
    assert run("find_duplicates", "--held-back", "--check").code == 1
    run("merge_duplicates", "rivals.User", "--pks", *rows, "--on-collision", "merge", "--no-input")
    assert run("find_duplicates", "--held-back").lines == ["No groups are held back."]


def test_merge_ends_with_3_when_some_groups_were_held_back(
    rivals: tuple[Membership, Membership],
) -> None:
    for _ in range(2):
        User.objects.create(name="Bob")
    merged = run("merge_duplicates", "rivals.User", "--fields", "name", "--no-input")
    assert merged.code == 3
    assert "1 group held back:" in merged.lines
    assert User.objects.filter(name="Bob").count() == 1


def test_merge_as_csv_lists_the_references(authors: list[Author]) -> None:
    out = run(*MERGE, "--no-input", "--format", "csv").out
    rows = {row["reference"]: row for row in csv.DictReader(io.StringIO(out))}
    assert rows["links.Book.author"]["repointed"] == "3"


def test_rows_named_by_hand(authors: list[Author]) -> None:
    ivo, ann = authors[5].pk, authors[1].pk
    run("merge_duplicates", "links.Author", "--pks", ivo, ann, "--into", ivo, "--no-input")
    assert not Author.objects.filter(pk=ann).exists()
    assert Book.objects.filter(author=ivo).count() == 2


def test_rows_with_composite_keys_are_named_as_json_lists() -> None:
    for number in (1, 2):
        Measurement.objects.create(station=7, number=number, name="wind")
    line = ("merge_duplicates", "keyed.Measurement", "--pks", "[7, 1]", "[7,2]", "--no-input")
    assert run(*line).code == 0
    assert Measurement.objects.get().pk == (7, 1)


def test_undo_says_what_it_restored(authors: list[Author]) -> None:
    before = snapshot()
    number = run(*MERGE, "--no-input", "--format", "json").document["run"]
    dry = run("undo_merge", number, "--dry-run")
    assert dry.lines == [f"Undoing merge run {number} would restore 3 rows and set 3 rows back."]
    undone = run("undo_merge", number, answer="yes")
    assert undone.lines == [f"Undoing merge run {number} restored 3 rows and set 3 rows back."]
    assert snapshot() == before


def test_undo_of_one_group(authors: list[Author]) -> None:
    number = run(*MERGE, "--no-input", "--format", "json").document["run"]
    dry = run("undo_merge", number, "--survivor", authors[1].pk, "--dry-run")
    undone = run("undo_merge", number, "--survivor", authors[1].pk, "--no-input")
    assert Author.objects.filter(name="Ann").count() == 2
    assert (len(dry.lines), len(undone.lines)) == (1, 2)
    assert undone.lines[1] == (
        "The next merge by their key merges them again, unless dismiss_duplicates says that they"
        " are none."
    )
    assert Author.objects.filter(name="Leo").count() == 1


def test_a_refused_undo_lists_what_is_in_the_way_and_ends_with_1(authors: list[Author]) -> None:
    number = run(*MERGE, "--no-input", "--format", "json").document["run"]
    Book.objects.filter(author=authors[0]).update(author=authors[5])
    undone = run("undo_merge", number, "--no-input")
    assert undone.code == 1
    assert undone.err.startswith(
        f"CommandError: merge run {number} cannot be undone, nothing was changed:\n  links.Book "
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (("find_duplicates", "links.Auhtor", "--fields", "name"),
         "there is no model 'links.Auhtor';"
         " did you mean links.Author or links.AuthorProxy or links.Trace?"),
        (("find_duplicates", "links.Author"),
         "links.Author has no declared keys, and the last audit found none: name one with"
         " --fields F [F …]"),
        ((*FIND, "--database", "defualt"),
         "there is no database 'defualt' in DATABASES; did you mean default?"),
        ((*FIND, "--format", "jsn"),
         "--format takes table, json or csv, not 'jsn'; did you mean json?"),
        ((*FIND, "--limit", "-1"), "--limit takes a whole number from 0, not '-1'"),
        ((*FIND, "--nulls", "equals"),
         "--nulls takes distinct or equal, not 'equals'; did you mean equal?"),
        ((*MERGE, "--on-collision", "keep"),
         "--on-collision takes hold, merge or discard, not 'keep'"),
        ((*MERGE, "--on-conflict", "holdd"),
         "--on-conflict takes survivor or hold, not 'holdd'; did you mean hold?"),
        ((*MERGE, "--field-rule", "bio"), "--field-rule takes FIELD=RULE, not 'bio'"),
        ((*MERGE, "--batch-size", "x"), "--batch-size takes a whole number from 0, not 'x'"),
        ((*MERGE, "--limit", "0"), "--limit takes a whole number from 1, not '0'"),
        ((*MERGE, "--pks", "1", "2"),
         "--pks and --fields exclude each other: name rows, or a key"),
        ((*MERGE, "--into", "1"),
         "--into goes with --pks: it names one of the rows given there"),
        (("merge_duplicates", "links.Author", "--pks", "1"),
         "links.Author: name at least two different rows"),
        (("merge_duplicates", "links.Author", "--pks", "1", "2", "--into", "3"),
         "links.Author: the row to merge into, 3, is not among the rows named"),
        (("undo_merge", "x"), "RUN takes a whole number from 1, not 'x'"),
        (("undo_merge", "2000000000", "--no-input"),
         "there is no merge run 2000000000 in database 'default'"),
        (("find_duplicates", "odd.Mirror", "--fields", "owner"),
         "odd.Mirror has no table 'odd_missing' in database 'default';"
         " run manage.py migrate --database default"),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, tuple) else "",
)  # fmt: skip
def test_what_does_not_exist_is_named_in_one_line(
    authors: list[Author], line: tuple[str, ...], message: str
) -> None:
    before = snapshot()
    outcome = run(*line)
    assert (outcome.code, outcome.out, outcome.err) == (1, "", f"CommandError: {message}\n")
    assert snapshot() == before


def test_a_wrong_option_is_named_in_one_line_too() -> None:
    line = [sys.executable, "manage.py", "find_duplicates", "films.Person", "--feilds", "name"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "CommandError: unrecognized arguments: --feilds name\n"
