"""What is wrong on a command line or handed to a function: one sentence, never a traceback."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command
from django.http import Http404

import dedupe_toolkit
from dedupe_toolkit import DedupeError, MergePolicy, match_key, plan_merge, row_set
from dedupe_toolkit.arguments import _KINDS
from testproject.library.models import Author

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db

WRONG: dict[str, Any] = {
    "nothing": None,
    "an object": object(),
    "a number": 3,
    "a huge number": 10**30,
    "a fraction": 3.5,
    "a text": "xyz",
    "bytes": b"x",
    "objects": [object()],
    "texts": ["x"],
    "a mapping": {"x": 1},
    "a class": int,
    "a function": len,
}
MODEL = {"model": Author}
# what else each function needs: see `right`
FUNCTIONS: dict[str, list[str]] = {
    "dismiss": ["rows"],
    "find_duplicates": ["key"],
    "get_object_or_survivor": ["rows", "pk"],
    "match_key": ["model", "fields"],
    "merge": ["plan"],
    "offer_again": [],
    "plan_merge": ["source"],
    "prune_merge_runs": ["before"],
    "row_set": ["model", "pks"],
    "survivor_of": ["model", "pk"],
    "survivors_of": ["model", "pks"],
    "undo": ["run"],
}
# a truth value may be anything; the rest is for the functions that build on these
ANYTHING = {
    *("ignore_case", "ignore_space", "include_dismissed", "dry_run", "keep_pairs", "dismiss"),
    "by",
}


def right(function: str) -> dict[str, Any]:
    authors = [Author.objects.create(first_name="a", last_name="b") for _ in range(2)]
    pks = [author.pk for author in authors]
    key = match_key(Author, ["first_name", "last_name"])
    known: dict[str, Any] = {
        "model": Author,
        "fields": ["first_name"],
        "key": key,
        "source": key,
        "rows": Author if function == "get_object_or_survivor" else row_set(Author, pks),
        "pk": pks[0],
        "pks": pks,
        "run": 1,
        "before": datetime(2000, 1, 1, tzinfo=UTC),
    }
    if function == "merge":
        known["plan"] = plan_merge(key)
    return {name: known[name] for name in FUNCTIONS[function]}


def places() -> Iterator[tuple[str, str]]:
    for function in FUNCTIONS:
        for name, one in inspect.signature(getattr(dedupe_toolkit, function)).parameters.items():
            if one.kind is not one.VAR_POSITIONAL and name not in ANYTHING:
                yield function, name


def told(given: dict[str, Any], function: str) -> str:
    """What a function has to say against what it is given; anything else that it raises is not
    caught."""
    try:
        getattr(dedupe_toolkit, function)(**given)
    except (DedupeError, Http404) as error:
        return str(error)
    return ""


@pytest.mark.parametrize(("function", "name"), [*places()])
def test_a_value_of_a_wrong_kind_is_told_in_one_sentence(function: str, name: str) -> None:
    for wrong in WRONG.values():
        # what a function of the project raises is its own
        if not (name == "progress" and callable(wrong)):
            assert "\n" not in told({**right(function), name: wrong}, function)


@pytest.mark.parametrize("name", [n for n in vars(MergePolicy()) if n in _KINDS or n == "survivor"])
def test_a_policy_of_wrong_kinds_is_told_in_one_sentence(name: str) -> None:
    for wrong in WRONG.values():
        policy = MergePolicy(**{name: wrong})
        assert "\n" not in told({**right("plan_merge"), "policy": policy}, "plan_merge")


def test_the_sentence_names_the_function_and_the_argument() -> None:
    with pytest.raises(DedupeError, match=r"find_duplicates\(\): limit is a whole number or None"):
        dedupe_toolkit.find_duplicates(**right("find_duplicates"), limit="5")  # type: ignore[arg-type]
    with pytest.raises(DedupeError, match="using is the alias of a database, not None"):
        dedupe_toolkit.undo(1, using=None)  # type: ignore[arg-type]


AUTHOR = ("library.Author", "--fields", "last_name")
HUGE = str(10**30)
# what is typed, and what of the sentence a person needs
LINES: list[tuple[tuple[str, ...], str]] = [
    (("find_duplicates", "library.Autor"), "no model 'library.Autor'; did you mean library.Author"),
    (("find_duplicates", "", "--fields", "name"), "MODEL is empty; give it a value, or leave it"),
    (("find_duplicates", "--fields", "name"), "--fields names fields of a model: MODEL --fields F"),
    (("find_duplicates", "--where", "last_name=x"), "--where goes with --fields"),
    (("find_duplicates", "library.Author", "--ignore-case"), "--ignore-case goes with --fields"),
    (("find_duplicates", *AUTHOR, "--held-back"), "--held-back and --fields exclude each other"),
    (
        ("find_duplicates", "library.Author", "--held-back", "--survivor", "oldest"),
        "--held-back and --survivor exclude each other",
    ),
    (
        ("find_duplicates", "--held-back", "--where", "last_name=x"),
        "--where and --held-back exclude each other",
    ),
    (("find_duplicates", *AUTHOR, "--survivor", ""), "--survivor is empty; give it a value"),
    (("find_duplicates", *AUTHOR, "--survivor", "oldst"), "did you mean oldest?"),
    (
        ("find_duplicates", *AUTHOR, "--where", "lastname=x"),
        "no field or look-up 'lastname'; did you mean",
    ),
    (("find_duplicates", *AUTHOR, "--format", "jsn"), "--format takes table, json or csv"),
    (("find_duplicates", *AUTHOR, "--database", "defualt"), "did you mean default?"),
    (
        ("merge_duplicates", "library.Author", "--where", "last_name=x"),
        "--where goes with --fields",
    ),
    (("merge_duplicates", "library.Author", "--nulls", "equal"), "--nulls goes with --fields"),
    (("merge_duplicates", "library.Author", "--blanks", "distinct"), "--blanks goes with --fields"),
    (("merge_duplicates", *AUTHOR, "--pks", "{a}", "{b}"), "--pks and --fields exclude each other"),
    (
        ("merge_duplicates", "library.Author", "--pks", "{a}", "{b}", "--where", "last_name=x"),
        "--where and --pks exclude each other: name rows, or a key",
    ),
    (
        ("merge_duplicates", "library.Author", "--pks", "{a}", "{b}", "--nulls", "equal"),
        "--nulls and --pks exclude each other: name rows, or a key",
    ),
    (
        (
            *("merge_duplicates", "library.Author", "--pks", "{a}", "{b}"),
            *("--into", "{a}", "--survivor", "newest"),
        ),
        "--into and --survivor exclude each other: both say who survives",
    ),
    (("merge_duplicates", "library.Author", "--pks", "{a}", HUGE), "cannot be a primary key"),
    (("merge_duplicates", *AUTHOR, "--into", "{a}"), "--into goes with --pks"),
    (("merge_duplicates", *AUTHOR, "--survivor", ""), "--survivor is empty; give it a value"),
    (
        (
            "merge_duplicates",
            *AUTHOR,
            "--field-rule",
            "isni=longest",
            "--field-rule",
            "isni=concat",
        ),
        "--field-rule is given twice for 'isni'",
    ),
    (("merge_duplicates", *AUTHOR, "--batch-seconds", "0"), "--batch-seconds takes a time such as"),
    (("merge_duplicates", *AUTHOR, "--on-conflict", "merge"), "--on-conflict takes survivor or"),
    (("merge_duplicates", *AUTHOR, "--replicas", "other"), "(--max-lag)"),
    (
        ("merge_duplicates", *AUTHOR, "--dry-run", "--max-lag", "soon"),
        "--max-lag takes a time such as 5s",
    ),
    (
        ("merge_duplicates", *AUTHOR, "--dry-run", "--wait", "soon"),
        "--wait takes a time such as 5s",
    ),
    (("undo_merge", HUGE), f"there is no merge run {HUGE}"),
    (("undo_merge", ""), "RUN is empty; give it a value, or leave it out"),
    (("undo_merge", "1", "--note", "two"), "--note goes with --dismiss"),
    (("dismiss_duplicates", "--pks", "{a}", "{b}"), "--pks names rows of a model: MODEL --pks PK"),
    (("dismiss_duplicates", "library.Author", "--pks", "{a}"), "name at least two different rows"),
    (("dismiss_duplicates", "library.Author", "--pks", "{a}", HUGE), "cannot be a primary key"),
    (("dismiss_duplicates", *AUTHOR), "--fields goes with --pks: it says more of the verdict"),
    (("dismiss_duplicates", "--note", "two"), "--note goes with --pks"),
    (("dismiss_duplicates", "--offer-again", "x"), "--offer-again takes a whole number from 1"),
    (("dismiss_duplicates", "--offer-again", HUGE), f"there is no dismissed group {HUGE}"),
    (
        ("dismiss_duplicates", "library.Author", "--offer-again", "1"),
        "--offer-again takes the numbers of dismissed groups",
    ),
    (("merge_runs", HUGE), f"there is no merge run {HUGE}"),
    (("merge_runs", "--model", ""), "--model is empty; give it a value, or leave it out"),
    (("merge_runs", "--limit", "-1"), "--limit takes a whole number from 0, not '-1'"),
    (("prune_merge_runs", "--older-than", ""), "--older-than is empty; give it a value"),
    (("prune_merge_runs", "--older-than", "x"), "--older-than takes an age such as 90d, 12h"),
    (("make_unique", *AUTHOR, "--into-app", ""), "--into-app is empty; give it a value"),
    (("make_unique", *AUTHOR, "--style", "uniqe"), "--style takes unique_together, constraint or"),
    (("audit_get_or_create", "libary"), "there is no app 'libary'; did you mean library?"),
    (("audit_get_or_create", "--write-baseline", ""), "--write-baseline is empty; give it a value"),
    (("prove_get_or_create", "auth.Group"), "name one with --fields F [F …]"),
    (("prove_get_or_create", *AUTHOR, "--calls", "7"), "--calls takes a whole number from 8"),
    # what only the last steps of the loop need is told before rows are merged
    (("dedupe", *AUTHOR, "--processes", "1"), "--processes takes a whole number from 2, not '1'"),
    (("dedupe", *AUTHOR, "--calls", "x"), "--calls takes a whole number from 8, not 'x'"),
    (("dedupe", *AUTHOR, "--style", "uniqe"), "--style takes unique_together, constraint or"),
    (("dedupe", *AUTHOR, "--style", "generated"), "the style cannot be generated: its fields have"),
    (("dedupe", *AUTHOR, "--name", "a b"), "--name 'a b': a name has letters, digits and"),
    (("dedupe", *AUTHOR, "--into-app", "films"), "is the project's own: leave out --into-app"),
]


@pytest.mark.parametrize(("line", "sentence"), LINES, ids=[" ".join(line) for line, _ in LINES])
def test_a_wrong_command_line_is_one_sentence_and_merges_nothing(
    line: tuple[str, ...], sentence: str
) -> None:
    rows = [Author.objects.create(last_name="Ann") for _ in range(2)]
    words = [word.format(a=rows[0].pk, b=rows[1].pk) for word in line]
    asking = {"merge_duplicates", "undo_merge", "prune_merge_runs", "dedupe"}
    with pytest.raises(CommandError) as caught:
        call_command(*words, *(["--no-input"] if words[0] in asking else []), verbosity=0)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.returncode == 1
    assert Author.objects.count() == 2
