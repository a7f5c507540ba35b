"""django-watson: a search entry for each object, under a number or the digits of a UUID."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from watson import search

from tests.kit import assert_undo_restores
from tests.real_apps.integrity import soundly_merged
from tests.real_apps.models import Contract, Parcel

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def searched() -> Iterator[None]:
    for model in (Contract, Parcel):
        search.register(model, fields=["title"])
    yield
    for model in (Contract, Parcel):
        search.unregister(model)


@pytest.mark.parametrize("model", [Contract, Parcel])
def test_what_is_found_is_the_survivor(model: type[Contract] | type[Parcel]) -> None:
    with search.update_index():
        for _ in range(3):
            model.objects.create(title="harbour")
    assert search.search("harbour").count() == 3
    run, before = soundly_merged(model, "title")
    survivor = model.objects.get()
    assert {found.object for found in search.search("harbour")} == {survivor}
    assert set(search.filter(model, "harbour")) == {survivor}
    assert_undo_restores(run, before)
