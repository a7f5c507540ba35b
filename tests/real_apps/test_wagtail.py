"""Wagtail: images, documents and snippets, and who uses them by its reference index."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from wagtail.documents.models import Document
from wagtail.images.models import Image, Rendition
from wagtail.images.tests.utils import get_test_image_file
from wagtail.models import Collection, Page, ReferenceIndex, Revision
from wagtail.search.models import IndexEntry

from tests.kit import assert_undo_restores, merged, merged_rows, snapshot
from tests.real_apps.integrity import soundly_merged, soundly_merged_rows
from tests.real_apps.models import Advert, Article, Attachment

pytestmark = [
    pytest.mark.django_db,
    # Wagtail leaves the temporary file of a rendition to the garbage collector
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

INDEXED = {"wagtailsearch.IndexEntry.content_object": "discard"}


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def images() -> tuple[Image, Image]:
    one, two = (
        Image.objects.create(title="sea", file=get_test_image_file(f"{n}.png")) for n in range(2)
    )
    return one, two


def article(title: str = "news", **values: Any) -> Article:
    return Page.objects.get(depth=1).add_child(instance=Article(title=title, **values))


def used_by(target: Any) -> set[Any]:
    groups = ReferenceIndex.get_references_to(target).group_by_source_object()
    return {source for source, _ in groups}


def found_by_search(text: str) -> set[int]:
    """What the search finds; nothing on MariaDB, where it sees only what is committed."""
    return {image.pk for image in Image.objects.all().search(text, backend="default")}


def trees_are_whole() -> bool:
    return Page.find_problems() == Collection.find_problems() == ([], [], [], [], [])


def test_a_merged_image_is_used_wherever_either_was() -> None:
    survivor, duplicate = images()
    adverts = {Advert.objects.create(text=str(i.pk), image=i) for i in (survivor, duplicate)}
    run, before = soundly_merged(Image, "title", collisions=INDEXED)
    assert {advert.image for advert in Advert.objects.all()} == {survivor}
    assert used_by(survivor) == adverts
    assert survivor.get_usage().count() == 2
    assert trees_are_whole()
    assert_undo_restores(run, before)


def test_renditions_of_both_sizes_collide_until_told_that_one_is_enough() -> None:
    survivor, duplicate = images()
    kept = survivor.get_rendition("width-100")
    duplicate.get_rendition("width-100")
    duplicate.get_rendition("width-50")
    before = snapshot()
    assert "Rendition" in merged(Image, "title", collisions=INDEXED).held_back[0]["reason"]
    assert snapshot() == before
    rules = INDEXED | {"wagtailimages.Rendition.image": "discard"}
    run, before = soundly_merged(Image, "title", collisions=rules)
    assert Rendition.objects.filter(image=survivor).count() == 2
    assert Image.objects.get().get_rendition("width-100") == kept
    assert_undo_restores(run, before)


def test_entries_of_the_search_index_collide_unless_they_say_the_same() -> None:
    survivor, duplicate = images()
    duplicate.title = "Sea!"
    duplicate.save()
    pair = (survivor.pk, duplicate.pk)
    before = snapshot()
    (held,) = merged_rows(Image, *pair).held_back
    assert held["reason"].startswith("wagtailsearch.IndexEntry: rows ")
    assert snapshot() == before
    found = found_by_search("sea")
    assert found == ({*pair} if connection.vendor != "mysql" else set())
    run, before = soundly_merged_rows(Image, *pair, collisions=INDEXED)
    assert found_by_search("sea") == found & {survivor.pk}
    assert [entry.object_id for entry in IndexEntry.objects.all()] == [str(survivor.pk)]
    assert_undo_restores(run, before)
    assert found_by_search("sea") == found


def test_documents_attached_to_pages_follow_though_pages_themselves_are_refused() -> None:
    survivor, duplicate = (
        Document.objects.create(title="plan", file=ContentFile(b"x", name=f"{n}.txt"))
        for n in range(2)
    )
    page = article()
    Attachment.objects.create(article=page, file=duplicate)
    page.refresh_from_db()
    page.save_revision().publish()
    run, before = soundly_merged(Document, "title", collisions=INDEXED)
    assert Attachment.objects.get().file == survivor
    assert used_by(survivor) == {Page.objects.get(pk=page.pk)}
    assert trees_are_whole()
    assert_undo_restores(run, before)


def test_a_merged_snippet_has_the_revisions_of_both_and_keeps_its_latest() -> None:
    survivor, duplicate = (Advert.objects.create(text="buy") for _ in range(2))
    latest = survivor.save_revision()
    other = duplicate.save_revision()
    page = article(advert=duplicate)
    run, before = soundly_merged(Advert, "text")
    survivor.refresh_from_db()
    assert survivor.latest_revision == latest
    assert set(survivor.revisions) == {latest, other}
    assert Revision.objects.for_instance(survivor).count() == 2
    assert Article.objects.get(pk=page.pk).advert == survivor
    assert used_by(survivor) == {Page.objects.get(pk=page.pk)}
    assert_undo_restores(run, before)


def test_what_a_merged_snippet_uses_is_indexed_under_its_own_id() -> None:
    sea, shore = images()
    survivor, duplicate = (Advert.objects.create(text="buy") for _ in range(2))
    Advert.objects.filter(pk=survivor.pk).update(image=None)
    duplicate.image = sea
    duplicate.body = f'<embed embedtype="image" id="{shore.pk}" format="left" alt="x"/>'
    duplicate.save()
    run, before = soundly_merged(Advert, "text")
    survivor.refresh_from_db()
    assert survivor.image == sea
    assert used_by(sea) == used_by(shore) == {survivor}
    now = set(ReferenceIndex.objects.values_list("to_object_id", "object_id", "content_path"))
    ReferenceIndex.create_or_update_for_object(survivor)
    again = set(ReferenceIndex.objects.values_list("to_object_id", "object_id", "content_path"))
    assert now == again
    assert_undo_restores(run, before)


def test_an_image_that_rich_text_names_is_held_back_until_the_text_names_the_survivor() -> None:
    survivor, duplicate = images()
    text = '<embed embedtype="image" id="{}" format="left" alt="x"/>'
    page = article(body=text.format(duplicate.pk))
    before = snapshot()
    (held,) = merged(Image, "title").held_back
    assert held["reason"].startswith(f"real_apps.Article names row {duplicate.pk} in body")
    assert snapshot() == before
    page.body = text.format(survivor.pk)
    page.save()
    run, before = soundly_merged(Image, "title")
    assert run.merged == 1
    assert used_by(survivor) == {Page.objects.get(pk=page.pk)}
    assert_undo_restores(run, before)


def test_text_that_names_the_survivor_is_no_reason_to_hold_back() -> None:
    survivor, _ = images()
    article(body=f'<embed embedtype="image" id="{survivor.pk}" format="left" alt="x"/>')
    assert soundly_merged(Image, "title")[0].merged == 1
