"""django-parler: translations follow, and one of each language is enough."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache

from tests.kit import assert_undo_restores, merged
from tests.real_apps.integrity import soundly_merged
from tests.real_apps.models import Planet

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    cache.clear()


def planet(**names: str) -> Any:
    row = Planet.objects.create(code="mars")
    for language, name in names.items():
        row.create_translation(language, name=name)
    return row


def words(row: Any) -> dict[str, tuple[str, str]]:
    cache.clear()
    fresh = Planet.objects.get(pk=row.pk)
    return {one.language_code: (one.name, one.about) for one in fresh.translations.all()}


def test_a_translation_that_the_survivor_lacks_follows() -> None:
    survivor, duplicate = planet(en="Mars"), planet(de="Der Mars")
    run, before = soundly_merged(Planet, "code")
    assert words(survivor) == {"en": ("Mars", ""), "de": ("Der Mars", "")}
    assert Planet.objects.get(pk=survivor.pk).has_translation("de")
    assert_undo_restores(run, before)
    assert words(duplicate) == {"de": ("Der Mars", "")}


def test_two_of_a_language_are_held_back_or_become_one_with_blanks_filled() -> None:
    survivor, duplicate = planet(en="Mars"), planet(en="mars", de="Der Mars")
    duplicate.translations.filter(language_code="en").update(about="red")
    held = merged(Planet, "code")
    assert (held.merged, held.held_back[0]["rows"]) == (0, [survivor.pk, duplicate.pk])
    run, before = soundly_merged(Planet, "code", on_collision="merge")
    assert words(survivor) == {"en": ("Mars", "red"), "de": ("Der Mars", "")}
    assert_undo_restores(run, before)
