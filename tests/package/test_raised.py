"""What a public function raises stands in its docstring."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.http import Http404

import dedupe_toolkit
from dedupe_toolkit import (
    DedupeError,
    MergePolicy,
    audit_get_or_create,
    dismiss,
    find_duplicates,
    get_object_or_survivor,
    make_unique,
    match_key,
    merge,
    offer_again,
    plan_merge,
    prove_get_or_create,
    prune_merge_runs,
    redirect_merged,
    row_set,
    survivor_of,
    survivors_of,
    undo,
)
from tests.situations.links.models import Author, Book

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db

ALIAS = "nowhere"


def by_name() -> Any:
    return match_key(Author, ["name"])


def authors(*names: str) -> Any:
    return row_set(Author, [Author.objects.create(name=name).pk for name in names or ("A", "A")])


def expired() -> Any:
    plan = plan_merge(authors())
    merge(plan)
    return plan


def changed_since() -> Any:
    source = authors()
    Book.objects.create(title="One", author_id=source.pks[1])
    run = merge(plan_merge(source))
    Book.objects.update(author=Author.objects.create(name="B"))
    return run


MISTAKES: list[tuple[Callable[..., Any], Callable[[], Any]]] = [
    (audit_get_or_create, lambda: audit_get_or_create("nothing")),
    (audit_get_or_create, lambda: audit_get_or_create("library", using=ALIAS)),
    (audit_get_or_create, lambda: audit_get_or_create("library", baseline=Path(__file__))),
    (audit_get_or_create, lambda: audit_get_or_create("library", observed=Path(__file__))),
    (dismiss, lambda: dismiss(authors(), using=ALIAS)),
    (dismiss, lambda: dismiss(by_name())),
    (dismiss, lambda: dismiss(authors("A", "B"), key=by_name())),
    (dismiss, lambda: dismiss(authors(), key=match_key(Book, ["title"]))),
    (dismiss, lambda: dismiss(row_set(Author, [1, 2]))),
    (find_duplicates, lambda: find_duplicates(by_name(), using=ALIAS)),
    (find_duplicates, lambda: find_duplicates(by_name(), survivor="best")),
    (find_duplicates, lambda: find_duplicates(by_name(), limit=-1)),
    (find_duplicates, lambda: find_duplicates(authors())),
    (get_object_or_survivor, lambda: get_object_or_survivor(Author, -1)),
    (get_object_or_survivor, lambda: get_object_or_survivor(Author, "one")),
    (make_unique, lambda: make_unique(by_name(), using=ALIAS)),
    (make_unique, lambda: make_unique(by_name(), style="pretty")),
    (make_unique, lambda: make_unique(by_name(), style="unique_together", name="a_name")),
    (make_unique, lambda: make_unique(by_name(), into_app="links")),
    (make_unique, lambda: authors() and make_unique(by_name())),
    (match_key, lambda: match_key(Author, ["nmae"])),
    (match_key, lambda: match_key(Author, "name")),
    (match_key, lambda: match_key(Author, ["name"], nulls="none")),
    (match_key, lambda: match_key(Author, ["name"], where={"nmae": "A"})),
    (merge, lambda: merge(by_name())),
    (merge, lambda: merge(expired())),
    (offer_again, lambda: offer_again(-1)),
    (offer_again, lambda: offer_again(using=ALIAS)),
    (offer_again, lambda: offer_again("first")),
    (plan_merge, lambda: plan_merge(by_name(), using=ALIAS)),
    (plan_merge, lambda: plan_merge(Author)),
    (plan_merge, lambda: plan_merge(row_set(Author, [1, 2]))),
    (plan_merge, lambda: plan_merge(authors(), policy=MergePolicy(survivor="best"))),
    (plan_merge, lambda: plan_merge(authors(), policy=MergePolicy(field_rules={"nmae": "min"}))),
    (prove_get_or_create, lambda: prove_get_or_create(by_name(), using=ALIAS)),
    (prove_get_or_create, lambda: prove_get_or_create(by_name(), processes=1)),
    (prove_get_or_create, lambda: prove_get_or_create(match_key(Author, ["id"]))),
    (prune_merge_runs, lambda: prune_merge_runs(datetime.now(UTC), using=ALIAS)),
    (redirect_merged, lambda: redirect_merged("links.Author")),
    (row_set, lambda: row_set(Author, [1])),
    (row_set, lambda: row_set(Author, ["one", "two"])),
    (row_set, lambda: row_set(Author, [1, 2], into=3)),
    (survivor_of, lambda: survivor_of(Author, "one")),
    (survivor_of, lambda: survivor_of(Author, 1, using=ALIAS)),
    (survivors_of, lambda: survivors_of(Author, ["one"])),
    (survivors_of, lambda: survivors_of(Author, 1)),
    (survivors_of, lambda: survivors_of(Author, [1], using=ALIAS)),
    (undo, lambda: undo(-1)),
    (undo, lambda: undo("first")),
    (undo, lambda: undo(1, using=ALIAS)),
    (undo, lambda: undo(changed_since())),
    (undo, lambda: undo(merge(plan_merge(authors())), survivors=[-1])),
    (undo, lambda: undo(merge(plan_merge(authors())), survivors=["one"])),
]
"""Each a function, and a mistake that it answers with a sentence."""


@pytest.mark.parametrize(("function", "mistake"), MISTAKES)
def test_what_a_mistake_raises_is_documented(
    function: Callable[..., Any], mistake: Callable[[], Any]
) -> None:
    with pytest.raises((DedupeError, Http404)) as raised:
        mistake()
    names = {kind.__name__ for kind in type(raised.value).__mro__} - {"DedupeError", "Exception"}
    documented = inspect.getdoc(function) or ""
    assert any(f"`{name}`" in documented for name in names), f"{names}: {raised.value}"


def test_every_function_that_raises_has_mistakes_here() -> None:
    functions = {getattr(dedupe_toolkit, name) for name in dedupe_toolkit.__all__}
    raising = {
        function
        for function in functions
        if inspect.isfunction(function) and "Raises `" in (inspect.getdoc(function) or "")
    }
    assert raising == {function for function, _ in MISTAKES}
