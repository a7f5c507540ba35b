"""Old addresses of merged rows answer with the address of the survivor, and nothing else does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.db import connection
from django.http import HttpResponse, HttpResponseNotFound
from django.shortcuts import get_object_or_404
from django.test.utils import CaptureQueriesContext
from django.urls import include, path
from django.views.generic import DetailView

from dedupe_toolkit import redirect_merged, undo
from dedupe_toolkit.errors import InvalidMatchKey
from tests.kit import merged
from tests.situations.keyed.models import Device
from tests.situations.links.models import Author

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.test import AsyncClient, Client
    from pytest_django.fixtures import SettingsWrapper

    from dedupe_toolkit import MergeRun

pytestmark = pytest.mark.django_db


@redirect_merged(Author)
def author(request: HttpRequest, pk: str) -> HttpResponse:
    return HttpResponse(get_object_or_404(Author, pk=pk).name)


@redirect_merged(Author, pk="number", permanent=False)
def books(request: HttpRequest, number: int, order: str) -> HttpResponse:
    is_there = Author.objects.filter(pk=number).exists()
    return HttpResponse(order) if is_there else HttpResponseNotFound()


@redirect_merged(Author)
async def fast(request: HttpRequest, pk: int) -> HttpResponse:
    there = await Author.objects.filter(pk=pk).aexists()
    return HttpResponse("there") if there else HttpResponseNotFound()


class Devices(DetailView):  # type: ignore[type-arg]  # generic to type checkers only
    model = Device

    def render_to_response(self, context: Any, **_: Any) -> HttpResponse:
        return HttpResponse(str(self.object.pk))


urlpatterns = [
    path("authors/<pk>/", author, name="author"),
    path("authors/<int:number>/books/<order>/", books, name="books"),
    path("unnamed/<int:pk>/", redirect_merged(Author)(author)),
    path("fast/<int:pk>/", fast, name="fast"),
    path(
        "shop/",
        include(
            ([path("<uuid:pk>/", redirect_merged(Device)(Devices.as_view()), name="one")], "shop")
        ),
    ),
]


@pytest.fixture(autouse=True)
def addresses(settings: SettingsWrapper) -> None:
    settings.ROOT_URLCONF = __name__


@pytest.fixture
def pair() -> tuple[Author, Author, MergeRun]:
    kept, gone = (Author.objects.create(name="Ann") for _ in range(2))
    return kept, gone, merged(Author, "name")


Pair = tuple[Author, Author, "MergeRun"]


def test_the_address_of_a_merged_row_leads_to_its_survivor_for_good(
    pair: Pair, client: Client
) -> None:
    kept, gone, _ = pair
    answer = client.get(f"/authors/{gone.pk}/?page=2&sort=name")
    assert (answer.status_code, answer.url) == (301, f"/authors/{kept.pk}/?page=2&sort=name")
    assert client.head(f"/authors/{gone.pk}/").status_code == 301
    assert client.get(answer.url).content == b"Ann"


def test_chains_of_merges_are_followed_to_their_end(pair: Pair, client: Client) -> None:
    kept, gone, _ = pair
    first = Author.objects.create(name="Ann")
    merged(Author, "name", survivor="newest")
    for old in (kept, gone):
        assert client.get(f"/authors/{old.pk}/").url == f"/authors/{first.pk}/"


def test_a_view_may_answer_404_itself_and_name_the_key_as_it_likes(
    pair: Pair, client: Client
) -> None:
    kept, gone, _ = pair
    answer = client.get(f"/authors/{gone.pk}/books/new/")
    assert (answer.status_code, answer.url) == (302, f"/authors/{kept.pk}/books/new/")


def test_views_without_a_name_and_class_based_ones_in_a_namespace_redirect(
    pair: Pair, client: Client
) -> None:
    kept, gone, _ = pair
    assert client.get(f"/unnamed/{gone.pk}/").url == f"/unnamed/{kept.pk}/"
    keys = {Device.objects.create(serial="one").pk for _ in range(2)}
    merged(Device, "serial")
    (left,) = Device.objects.values_list("pk", flat=True)
    (old,) = keys - {left}
    assert client.get(f"/shop/{old}/").url == f"/shop/{left}/"


def test_asynchronous_views_redirect(pair: Pair, async_client: AsyncClient) -> None:
    kept, gone, _ = pair
    get = async_to_sync(async_client.get)
    answer = get(f"/fast/{gone.pk}/")
    assert (answer.status_code, answer.url) == (301, f"/fast/{kept.pk}/")
    assert get(f"/fast/{kept.pk}/").content == b"there"


def test_a_model_of_which_no_row_is_ever_merged_is_an_error_at_once(
    settings: SettingsWrapper,
) -> None:
    settings.AUTH_USER_MODEL = "links.Author"
    with pytest.raises(InvalidMatchKey, match=r"auth\.User is swapped out for links\.Author"):
        redirect_merged(User)
    with pytest.raises(InvalidMatchKey, match=r"a model class is needed, not 'links\.Author'"):
        redirect_merged("links.Author")  # type: ignore[arg-type]  # the mistake


def test_what_was_never_merged_is_not_found(pair: Pair, client: Client) -> None:
    _, gone, run = pair
    assert client.get("/authors/999999/").status_code == 404
    assert client.post(f"/authors/{gone.pk}/").status_code == 404
    assert client.get("/authors/none/books/").status_code == 404
    undo(run)
    Author.objects.filter(pk=gone.pk).delete()
    assert client.get(f"/authors/{gone.pk}/").status_code == 404


def test_a_row_that_is_there_costs_what_it_always_did(pair: Pair, client: Client) -> None:
    kept, _, _ = pair
    with CaptureQueriesContext(connection) as asked:
        assert client.get(f"/authors/{kept.pk}/").status_code == 200
    assert len(asked) == 1
