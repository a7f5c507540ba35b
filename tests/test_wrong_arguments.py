"""What is handed to a public function and is of a wrong kind: one sentence, never a traceback."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
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
ANYTHING = {"ignore_case", "ignore_space", "include_dismissed", "dry_run", "keep_pairs", "by"}


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
