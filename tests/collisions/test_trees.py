"""Trees whose children are unique below their parents: the plan says what the run will do."""

from __future__ import annotations

import pytest

from dedupe_toolkit import MergePolicy, match_key
from dedupe_toolkit.databases import database
from dedupe_toolkit.planning.session import Session
from tests.kit import assert_undo_restores, counts, merged, planned, snapshot
from tests.situations.objects.models import Folder, Index, Tab, Topic, Twig

pytestmark = pytest.mark.django_db


def folder(parent: Folder | None, name: str, code: str) -> Folder:
    return Folder.objects.create(parent=parent, name=name, code=code)


def test_a_survivor_that_would_take_a_place_which_a_later_duplicate_holds_is_held_back() -> None:
    root = folder(None, "u", "v")
    first = folder(None, "u", "u")
    child = folder(root, "v", "u")
    other = folder(root, "u", "v")
    plan = planned(Folder, "code")
    (held,) = plan.held_back
    assert held.rows == (first.pk, child.pk)
    assert held.reason == (
        f"objects.Folder: rows {other.pk} and {first.pk} would violate unique (parent, name)"
    )
    run = merged(Folder, "code")
    assert (run.merged, run.rows_merged) == (plan.mergeable, plan.rows_to_merge) == (1, 1)
    assert [group["reason"] for group in run.held_back] == [held.reason]
    before = snapshot()
    again = merged(Folder, "code")  # the place is free now
    assert (again.merged, again.held_back) == (1, [])
    first.refresh_from_db()
    assert first.parent == root
    assert_undo_restores(again, before)


def test_a_survivor_whose_new_target_is_another_duplicates_place_is_held_back() -> None:
    loop = folder(None, "u", "v")
    Folder.objects.filter(pk=loop.pk).update(parent=loop)
    child = folder(loop, "v", "u")
    grandchild = folder(child, "u", "u")
    alone = folder(None, "v", "v")
    plan = planned(Folder, "code", survivor="newest")
    (held,) = plan.held_back
    assert held.rows == (grandchild.pk, child.pk)
    run = merged(Folder, "code", survivor="newest")
    assert (run.merged, run.rows_merged) == (plan.mergeable, plan.rows_to_merge) == (1, 1)
    assert Folder.objects.filter(code="v").get() == alone


def test_children_that_are_parts_of_objects_become_one_before_their_parents() -> None:
    first, second = (Twig.objects.create(name="top", label=label) for label in "ab")
    for parent in (first, second):
        Twig.objects.create(name="below", label="c", parent=parent)
    before = snapshot()
    run = merged(Twig, "name")
    assert (run.merged, run.held_back) == (2, [])
    assert Twig.objects.get(name="below").parent == Twig.objects.get(name="top")
    assert_undo_restores(run, before)


def test_children_that_point_by_another_column_become_one_before_their_parents() -> None:
    first, second = (Topic.objects.create(code="top", name=slug, slug=slug) for slug in "ab")
    for number, parent in enumerate((first, second)):
        Topic.objects.create(code="below", name="c", slug=str(number), parent=parent)
    before = snapshot()
    run = merged(Topic, "code")
    assert (run.merged, run.held_back) == (2, [])
    assert Topic.objects.get(code="below").parent_id == "a"
    assert_undo_restores(run, before)


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        ("", "a", None),
        ("b", "", None),
        ("b", "a", None),
        ("", "o", "o"),
        ("b", "o", "o"),
        ("b", "p", "o"),
        ("o", "a", "o"),
    ],
)
def test_a_row_that_names_its_parent_by_another_column_is_never_below_itself(
    first: str, second: str, kept: str | None
) -> None:
    for slug, code in (("o", "other"), ("p", "other"), ("a", "one"), ("b", "one")):
        Topic.objects.create(code=code, name=slug, slug=slug)
    for slug, parent in (("a", first), ("b", second)):
        Topic.objects.filter(slug=slug).update(parent=parent or None)
    before = snapshot()
    run = merged(Topic, "code")
    assert (run.merged, run.held_back) == (2, [])
    assert Topic.objects.get(slug="a").parent_id == kept
    assert_undo_restores(run, before)


@pytest.mark.parametrize("policy", ["hold", "merge", "discard"])
def test_a_row_of_the_merged_model_that_nobody_named_is_never_discarded(policy: str) -> None:
    parents = [folder(None, "tools", "tools"), folder(None, "more tools", "tools")]
    children = [folder(parent, "saws", f"saws {parent.pk}") for parent in parents]
    before = snapshot()
    plan = planned(Folder, "code", on_collision=policy)
    (held,) = plan.held_back
    assert f"{children[0].pk} and {children[1].pk} would" in held.reason
    run = merged(Folder, "code", on_collision=policy)
    assert (run.merged, snapshot()) == (0, before)


def test_a_table_for_a_wave_is_never_that_of_a_level() -> None:
    session = Session(database("default"), match_key(Folder, ["code"]), MergePolicy(), "plan")
    fresh = {session.fresh_table("map") for _ in range(100)}
    assert len(fresh) == 100
    assert fresh.isdisjoint(session.work_table("map", number) for number in range(100))


def test_rivals_that_go_in_a_later_wave_are_not_counted_before() -> None:
    tops = [folder(None, name, "top") for name in "ab"]
    children = [folder(top, "c", "below") for top in tops]
    below = [Index.objects.create(folder=child) for child in children]
    Index.objects.create(folder=tops[0])
    Index.objects.create(folder=tops[1], about=children[1], beside=below[1])
    before = snapshot()
    run = merged(Folder, "code", on_collision="merge")
    above = Index.objects.get(folder=tops[0])
    assert (run.merged, run.held_back) == (2, [])
    assert (above.about, above.beside_id) == (children[0], below[0].pk)
    assert [counts(run, f"objects.{name}")[0] for name in ("Index.about", "Entry.beside")] == [0, 0]
    assert_undo_restores(run, before)


def test_rivals_that_are_discarded_in_a_later_wave_are_not_counted_before() -> None:
    tops = [folder(None, name, "top") for name in "ab"]
    children = [folder(top, "c", "below") for top in tops]
    for top, about in zip(tops, (None, children[1]), strict=True):
        Tab.objects.create(folder=top, about=about)
    before = snapshot()
    run = merged(Folder, "code", on_collision="discard")
    assert (run.merged, run.held_back) == (2, [])
    assert counts(run, "objects.Tab.about") == (0, 1, 0)
    assert_undo_restores(run, before)
