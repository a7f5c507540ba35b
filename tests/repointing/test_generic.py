"""Generic keys: found without a `GenericRelation`, moved without a cascade."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType

from tests.kit import assert_undo_restores, counts, merged, snapshot
from tests.situations.generic.models import (
    Asset,
    Like,
    NumberNote,
    Page,
    PageProxy,
    ProxyNote,
    TextNote,
    UuidNote,
    Vote,
    Word,
)
from tests.situations.keyed.models import Account, Country, Flag, Settings

pytestmark = pytest.mark.django_db


def of(row: Any, *, proxy: bool = False) -> dict[str, Any]:
    types = ContentType.objects
    return {
        "content_type": types.get_for_model(type(row), for_concrete_model=not proxy),
        "object_id": row.pk,
    }


@pytest.fixture
def pages() -> list[Page]:
    # keys of several digits, so that a comparison as text would go wrong
    return [Page.objects.create(pk=pk, slug="home") for pk in (9, 10, 100)]


def test_text_and_number_ids_move(pages: list[Page]) -> None:
    other = Asset.objects.create(name="logo")
    for page in pages:
        TextNote.objects.create(**of(page), text="t")
        NumberNote.objects.create(**of(page), text="n")
    decoy = TextNote.objects.create(**of(other), text="of an asset")
    before = snapshot()
    run = merged(Page, "slug")
    assert NumberNote.objects.filter(object_id=9).count() == 3
    assert TextNote.objects.filter(object_id="9").count() == 3
    assert TextNote.objects.get(pk=decoy.pk).object_id == str(other.pk)
    assert_undo_restores(run, before)


def test_rows_of_another_model_with_the_same_number_are_left_alone(pages: list[Page]) -> None:
    note = NumberNote.objects.create(
        content_type=ContentType.objects.get_for_model(Word), object_id=10, text="n"
    )
    merged(Page, "slug")
    assert NumberNote.objects.get(pk=note.pk).object_id == 10


def test_uuid_ids_move_as_text_and_as_uuid() -> None:
    assets = [Asset.objects.create(name="logo") for _ in range(2)]
    for asset in assets:
        TextNote.objects.create(**of(asset), text="t")
        UuidNote.objects.create(**of(asset))
    before = snapshot()
    run = merged(Asset, "name")
    survivor = Asset.objects.get()
    assert set(TextNote.objects.values_list("object_id", flat=True)) == {str(survivor.pk)}
    assert set(UuidNote.objects.values_list("object_id", flat=True)) == {survivor.pk}
    assert survivor.notes.count() == 2
    assert_undo_restores(run, before)


def test_text_ids_follow_a_row_whose_key_is_another_column_of_the_merged_row() -> None:
    for code in ("DE", "GER"):
        Country.objects.create(name="Germany", code=code)
    note = TextNote.objects.create(**of(Flag.objects.create(country_id="GER")), text="t")
    before = snapshot()
    run = merged(Country, "name")
    assert Flag.objects.get().pk == "DE"
    assert TextNote.objects.get(pk=note.pk).object_id == "DE"
    assert_undo_restores(run, before)


def test_text_ids_follow_a_row_whose_model_alone_has_a_content_type() -> None:
    first, second = (Account.objects.create(name="Ann") for _ in range(2))
    TextNote.objects.create(**of(Settings.objects.create(account=second)), text="t")
    ContentType.objects.filter(app_label="keyed", model="account").delete()
    ContentType.objects.clear_cache()
    before = snapshot()
    run = merged(Account, "name")
    assert TextNote.objects.get().object_id == str(first.pk)
    assert_undo_restores(run, before)


def test_a_text_key_beside_number_ids_is_no_reference_and_no_crash() -> None:
    for text in ("colour", "color"):
        word = Word.objects.create(text=text, meaning="hue")
        TextNote.objects.create(**of(word), text="t")
    before = snapshot()
    run = merged(Word, "meaning")
    assert set(TextNote.objects.values_list("object_id", flat=True)) == {"color"}
    assert not any("NumberNote" in count["reference"] for count in run.references)
    assert_undo_restores(run, before)


def test_rows_stored_under_a_proxys_content_type_move(pages: list[Page]) -> None:
    ProxyNote.objects.create(**of(PageProxy.objects.get(pk=10), proxy=True))
    before = snapshot()
    run = merged(PageProxy, "slug")
    assert ProxyNote.objects.get().object_id == 9
    assert_undo_restores(run, before)


def test_a_pair_that_is_no_generic_key_moves(pages: list[Page]) -> None:
    Like.objects.create(**of(pages[1]), who="Ann")
    before = snapshot()
    run = merged(Page, "slug")
    assert Like.objects.get().object_id == "9"
    assert_undo_restores(run, before)


def test_a_unique_rule_over_a_generic_key_collides(pages: list[Page]) -> None:
    Vote.objects.create(**of(pages[0]), who="Ann", points=1)
    Vote.objects.create(**of(pages[1]), who="Ann", points=1)
    Vote.objects.create(**of(pages[1]), who="Bob", points=1)
    before = snapshot()
    run = merged(Page, "slug")
    assert set(Vote.objects.values_list("object_id", "who")) == {(9, "Ann"), (9, "Bob")}
    assert counts(run, "generic.Vote.subject") == (1, 1, 0)
    assert_undo_restores(run, before)


def test_a_generic_key_of_the_merged_model_itself_keeps_numbers_that_mean_other_models() -> None:
    page = Page.objects.create(pk=500, slug="home")
    kept = NumberNote.objects.create(pk=1, **of(page), text="same")
    lost = NumberNote.objects.create(pk=500, **of(page), text="same")
    about = NumberNote.objects.create(pk=3, **of(lost), text="about a note")
    before = snapshot()
    run = merged(NumberNote, "text")
    assert NumberNote.objects.get(pk=kept.pk).object_id == page.pk
    assert NumberNote.objects.get(pk=about.pk).object_id == kept.pk
    assert_undo_restores(run, before)
