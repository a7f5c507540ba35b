"""django-taggit: tagged items have a unique rule over their generic key."""

from __future__ import annotations

import pytest
from taggit.models import Tag, TaggedItem

from tests.kit import assert_undo_restores, counts
from tests.real_apps.integrity import soundly_merged
from tests.real_apps.models import Food

pytestmark = pytest.mark.django_db


def test_a_merged_object_has_the_tags_of_both_once() -> None:
    survivor, duplicate, other = (Food.objects.create(name=n) for n in ("pea", "pea", "fig"))
    survivor.tags.add("green", "round")
    duplicate.tags.add("round", "sweet")
    other.tags.add("sweet")
    run, before = soundly_merged(Food, "name")
    assert set(survivor.tags.names()) == {"green", "round", "sweet"}
    assert set(Food.objects.filter(tags__name__in=["sweet"])) == {survivor, other}
    assert list(Food.objects.filter(tags__name__in=["round"])) == [survivor]
    assert counts(run, "taggit.TaggedItem.content_object") == (1, 1, 0)
    assert list(survivor.tags.similar_objects()) == [other]
    assert_undo_restores(run, before)


def test_merged_tags_are_on_every_object_that_had_one_of_them() -> None:
    pea, fig = (Food.objects.create(name=name) for name in ("pea", "fig"))
    survivor, duplicate = (Tag.objects.create(name=name) for name in ("deep green", "deep  green"))
    pea.tags.add(survivor, duplicate)
    fig.tags.add(duplicate)
    run, before = soundly_merged(Tag, "name__collapse")
    assert set(Food.objects.filter(tags__name="deep green")) == {pea, fig}
    assert TaggedItem.objects.count() == 2
    assert_undo_restores(run, before)
