"""django-reversion: versions follow the object, under a unique rule of theirs."""

from __future__ import annotations

import pytest
import reversion
from reversion.models import Revision, Version

from tests.kit import assert_undo_restores, merged, snapshot
from tests.real_apps.integrity import soundly_merged
from tests.real_apps.models import Recipe

pytestmark = pytest.mark.django_db


def saved(*recipes: Recipe) -> None:
    with reversion.create_revision():
        for recipe in recipes:
            recipe.save()


def recipes() -> tuple[Recipe, Recipe]:
    survivor, duplicate = Recipe(title="soup", text="salt"), Recipe(title="soup", text="pepper")
    saved(survivor)
    saved(duplicate)
    return survivor, duplicate


def test_the_survivor_has_the_versions_of_both() -> None:
    survivor, _ = recipes()
    survivor.text = "more salt"
    saved(survivor)
    run, before = soundly_merged(Recipe, "title")
    versions = Version.objects.get_for_object(survivor)
    assert [version.field_dict["text"] for version in versions] == ["more salt", "pepper", "salt"]
    assert not Version.objects.get_deleted(Recipe).exists()
    assert_undo_restores(run, before)


def test_reverting_a_version_of_its_own_gives_the_survivor_its_old_values() -> None:
    survivor, _ = recipes()
    survivor.text = "more salt"
    saved(survivor)
    soundly_merged(Recipe, "title")
    Version.objects.get_for_object(survivor).last().revert()
    assert Recipe.objects.get().text == "salt"


def test_reverting_a_version_of_the_duplicate_brings_the_duplicate_back() -> None:
    survivor, duplicate = recipes()
    soundly_merged(Recipe, "title")
    Version.objects.get_for_object(survivor).first().revert()
    assert set(Recipe.objects.values_list("pk", "text")) == {
        (survivor.pk, "salt"),
        (duplicate.pk, "pepper"),
    }


def test_objects_saved_in_one_revision_are_held_back() -> None:
    survivor, duplicate = recipes()
    saved(survivor, duplicate)
    before = snapshot()
    run = merged(Recipe, "title")
    assert "reversion.Version: rows" in run.held_back[0]["reason"]
    assert "would break unique" in run.held_back[0]["reason"]
    assert snapshot() == before


def test_of_objects_saved_in_one_revision_the_survivors_version_stays_on_demand() -> None:
    survivor, duplicate = recipes()
    saved(survivor, duplicate)
    rule = {"reversion.Version.object": "discard"}
    run, before = soundly_merged(Recipe, "title", collisions=rule)
    versions = Version.objects.get_for_object(survivor)
    assert [version.field_dict["text"] for version in versions] == ["salt", "pepper", "salt"]
    assert Revision.objects.count() == 3
    assert_undo_restores(run, before)
