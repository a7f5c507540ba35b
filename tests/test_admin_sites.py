"""The admin on a site of one's own, for rows with every kind of key and of every kind of model."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib import admin
from django.urls import path

from dedupe_toolkit.admin import install
from dedupe_toolkit.models import MergeRun
from testproject.films.models import Person
from tests.situations.family.models import Pizzeria, Restaurant, Visit
from tests.situations.keyed.models import Account, Device, Offer, Product, Reading, Settings
from tests.situations.ties.models import Person as Relative
from tests.situations.ties.models import Transfer
from tests.test_admin import GARBAGE, fields_of, messages_of

if TYPE_CHECKING:
    from django.db.models import Model
    from django.test import Client

site = admin.AdminSite(name="own")
site.register([Person, Device, Product, Settings, Restaurant, Pizzeria, Relative])
install(site)
urlpatterns = [path("own/", site.urls)]

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


def select(client: Client, rows: list[Model]) -> Any:
    options = rows[0]._meta
    data = {"action": "merge_selected", "_selected_action": [row.pk for row in rows]}
    return client.post(f"/own/{options.app_label}/{options.model_name}/", data)


def merged(client: Client, rows: list[Model]) -> Any:
    page = select(client, rows)
    assert page.status_code == 200, messages_of(client.get(page.url))
    (url,) = re.findall(r'<form method="post" action="(/own/[^"]*)"', page.content.decode())
    response = client.post(url, fields_of(page) | {"merge": "Merge"}, follow=True)
    assert "Merged 1 row" in messages_of(response)
    return response


def test_every_address_stays_on_the_site(admin_client: Client) -> None:
    people = [Person.objects.create(name="Agnès Varda") for _ in range(2)]
    response = merged(admin_client, people)
    run = MergeRun.objects.get()
    assert f'<a href="/own/dedupe_toolkit/mergerun/{run.pk}/change/">' in messages_of(response)
    pages = [select(admin_client, [*people[:1], Person.objects.create(name="Chris Marker")])]
    pages += [
        admin_client.get(f"/own/dedupe_toolkit/mergerun/{run.pk}/{name}/")
        for name in ("change", "undo")
    ]
    for page in pages:
        assert page.status_code == 200
        assert "/admin/" not in re.sub(r'"/?static/[^"]*"', "", page.content.decode())
    admin_client.post(f"/own/dedupe_toolkit/mergerun/{run.pk}/undo/")
    assert Person.objects.filter(name="Agnès Varda").count() == 2


def test_rows_with_uuids_are_merged(admin_client: Client) -> None:
    devices = [Device.objects.create(serial="Arriflex 16") for _ in range(2)]
    for device in devices:
        Reading.objects.create(device=device, value=1.5)
    merged(admin_client, devices)
    assert Reading.objects.filter(device=Device.objects.get()).count() == 2


def test_rows_with_texts_for_keys_are_merged(admin_client: Client) -> None:
    products = [
        Product.objects.create(sku=sku, name="Reel") for sku in ('16 mm/"A"', "16,mm&b=<c>")
    ]
    Offer.objects.create(product=products[1])
    merged(admin_client, products)
    assert Offer.objects.get().product == Product.objects.get()


def test_rows_whose_key_is_a_reference_are_merged(admin_client: Client) -> None:
    accounts = [Account.objects.create(name="varda") for _ in range(2)]
    merged(admin_client, [Settings.objects.create(account=account) for account in accounts])
    assert Settings.objects.count() == 1


def test_rows_of_a_child_table_are_merged_with_their_parents(admin_client: Client) -> None:
    places = [Pizzeria.objects.create() for _ in range(2)]
    Visit.objects.create(place_id=places[1].pk)
    merged(admin_client, places)
    assert Visit.objects.get().place_id == Pizzeria.objects.get().pk == Restaurant.objects.get().pk


@pytest.mark.parametrize("choice", ["", "discard"])
def test_a_row_that_ties_the_rows_since_they_were_shown_is_shown_first(
    choice: str, admin_client: Client
) -> None:
    ann, twin = (Relative.objects.create(name="Ann") for _ in range(2))
    review = "/own/dedupe_toolkit/mergerun/merge/ties/person/"
    data = {"rows": [ann.pk, twin.pk], "on_collision": choice}
    page = admin_client.get(review, data)
    Transfer.objects.create(payer=ann, payee=twin)
    page = admin_client.post(review, fields_of(page) | {"merge": "Merge"})
    assert "this is not what you were shown" in messages_of(page)
    assert (Relative.objects.count(), Transfer.objects.count()) == (2, 1)
    page = admin_client.post(review, fields_of(page) | {"merge": "Merge"}, follow=True)
    assert ("Merged 1 row" in messages_of(page)) == (choice == "discard")


@pytest.mark.parametrize("model", ["keyed/device", "keyed/product", "keyed/settings"])
def test_what_cannot_be_a_key_of_any_kind_leads_back_with_a_message(
    model: str, admin_client: Client
) -> None:
    for garbage in GARBAGE:
        rows = [garbage, "1", "5c8b8f8e-0000-4000-8000-000000000000"]
        address = {"rows": rows, "into": garbage}
        page = admin_client.get(f"/own/dedupe_toolkit/mergerun/merge/{model}/", address)
        assert (page.status_code, page.url) == (302, f"/own/{model}/"), garbage
        assert messages_of(admin_client.get(page.url)), garbage
