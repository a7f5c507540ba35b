"""Trees of packages, and Wagtail's pages: refused, what hangs on them is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dedupe_toolkit.errors import MergeRefused
from tests.kit import assert_undo_restores, merged, planned, snapshot
from tests.real_apps.integrity import soundly_merged
from tests.real_apps.models import (
    Article,
    Branch,
    Folder,
    Genre,
    Leaflet,
    Record,
    Region,
    Shelf,
    Subject,
)

if TYPE_CHECKING:
    from django.db.models import Model

pytestmark = pytest.mark.django_db

NO_PROBLEMS = ([], [], [], [], [])


def mptt_columns() -> list[tuple[object, ...]]:
    return list(Genre.objects.order_by("pk").values_list("pk", "tree_id", "lft", "rght", "level"))


@pytest.mark.parametrize(
    ("model", "key", "names"),
    [
        (Genre, "name", ["django-mptt", "move_to()"]),
        (Folder, "name", ["django-treebeard", "move()"]),
        (Branch, "name", ["django-treebeard", "move()"]),
        (Shelf, "name", ["django-treebeard", "move()"]),
        (Subject, "name", ["django-treenode", "set_parent()"]),
        (Article, "title", ["Wagtail", "redirect"]),
    ],
)
def test_a_tree_is_refused_in_one_line_that_says_why_and_what_to_do(
    model: type[Model], key: str, names: list[str]
) -> None:
    before = snapshot()
    with pytest.raises(MergeRefused) as refused:
        planned(model, key)
    text = str(refused.value)
    assert text.startswith(f"{model._meta.label} cannot be merged: ")
    assert all(name in text for name in names)
    assert "\n" not in text
    assert snapshot() == before


def test_what_points_at_nodes_merges_and_the_nested_set_stays_right() -> None:
    rock = Genre.objects.create(name="rock")
    hard, soft = (Genre.objects.create(name=name, parent=rock) for name in ("hard", "soft"))
    survivor, duplicate = (Record.objects.create(name="one") for _ in range(2))
    survivor.genres.set([rock, hard])
    duplicate.genres.set([hard, soft])
    run, before = soundly_merged(Record, "name")
    assert set(survivor.genres.all()) == {rock, hard, soft}
    now = mptt_columns()
    Genre.objects.rebuild()
    assert mptt_columns() == now
    assert_undo_restores(run, before)


def test_what_points_at_paths_merges_and_treebeard_finds_no_problems() -> None:
    root = Folder.add_root(name="root")
    child = root.add_child(name="child")
    for folder in (root, child):
        Leaflet.objects.create(name="x", folder=folder)
    run, before = soundly_merged(Leaflet, "name")
    assert Folder.find_problems() == NO_PROBLEMS
    assert_undo_restores(run, before)


def test_what_points_from_a_node_moves_and_the_node_keeps_its_parents_and_children() -> None:
    survivor, duplicate = (Region.objects.create(name="north") for _ in range(2))
    rock = Subject.objects.create(name="rock", region=survivor)
    hard = Subject.objects.create(name="hard", region=duplicate, tn_parent=rock)
    run, before = soundly_merged(Region, "name")
    assert set(Subject.objects.filter(region=survivor)) == {rock, hard}
    assert Subject.objects.get(pk=rock.pk).get_children_pks() == [str(hard.pk)]
    assert_undo_restores(run, before)


def two_regions_with_a_folder_and_a_genre_of_the_same_name() -> tuple[Region, Region]:
    regions = [Region.objects.create(name="north") for _ in range(2)]
    for region in regions:
        Folder.add_root(name="x", region=region).add_child(name=f"y{region.pk}", region=region)
        Genre.objects.create(name="x", region=region)
    return regions[0], regions[1]


@pytest.mark.parametrize("policy", ["hold", "merge", "discard"])
def test_no_policy_merges_or_deletes_nodes_on_the_way(policy: str) -> None:
    two_regions_with_a_folder_and_a_genre_of_the_same_name()
    before = snapshot()
    run = merged(Region, "name", on_collision=policy)
    assert run.merged == 0
    assert "would have to become one, but django-" in run.held_back[0]["reason"]
    assert snapshot() == before


def test_nodes_that_do_not_collide_move_and_stay_where_they_are_in_their_tree() -> None:
    survivor, duplicate = two_regions_with_a_folder_and_a_genre_of_the_same_name()
    Folder.objects.filter(name="x", region=duplicate).update(name="z")
    Genre.objects.filter(region=duplicate).update(name="z")
    run, before = soundly_merged(Region, "name")
    assert Folder.objects.filter(region=survivor).count() == 4
    assert Folder.find_problems() == NO_PROBLEMS
    now = mptt_columns()
    Genre.objects.rebuild()
    assert mptt_columns() == now
    assert_undo_restores(run, before)
