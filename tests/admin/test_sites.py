"""The admin on a site of one's own, for rows with every kind of key and of every kind of model."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib import admin
from django.urls import path

from dedupe_toolkit import match_key, merge, plan_merge, register, registry, row_set
from dedupe_toolkit.admin import install, queued_review
from dedupe_toolkit.models import DismissedGroup as Verdict
from dedupe_toolkit.models import MergeRun, RowChange
from testproject.films.admin import PersonAdmin
from testproject.films.models import Film, Person
from tests.admin.kit import GARBAGE, fields_of, messages_of, people_called, text_of
from tests.queue.scanning import scanned
from tests.situations.family.models import Pizzeria, Restaurant, Visit
from tests.situations.keyed.models import Account, Device, Offer, Product, Reading, Settings
from tests.situations.odd.models import Person as Reader
from tests.situations.ties.models import Person as Relative
from tests.situations.ties.models import Transfer
from tests.situations.typed.models import Wide

if TYPE_CHECKING:
    from django.db.models import Model
    from django.test import Client

site = admin.AdminSite(name="own")
site.register([Person, Device, Product, Settings, Restaurant, Pizzeria, Reader, Relative, Wide])
install(site)
bare = admin.AdminSite(name="bare")
"""A site without the desk, whose people tell of their duplicates all the same."""
bare.register(Person, PersonAdmin)
urlpatterns = [path("own/", site.urls), path("bare/", bare.urls)]

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


def test_the_desk_of_a_site_is_about_the_models_that_it_has(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_declarations", {})
    register(Person, keys=["name"])
    register(Film, keys=["title"])
    people_called("Agnès Varda", "Agnès Varda")
    for number in range(2):
        Film.objects.create(catalogue_id=number, title="Lola", year=1961)
    groups = [
        scanned(match_key(*key)).queued.get() for key in ((Person, ["name"]), (Film, ["title"]))
    ]
    shown = [
        text_of(admin_client.get(f"/own/dedupe_toolkit/{page}/"))
        for page in ("scan", "queuedgroup")
    ]
    assert "People · same name" in shown[0]
    assert "Agnès Varda" in shown[1]
    assert not any("Lola" in told or "Films ·" in told for told in shown)
    opened = [admin_client.get(f"/own/dedupe_toolkit/queuedgroup/{one.pk}/") for one in groups]
    assert [page.status_code for page in opened] == [200, 404]
    for group, answer in zip(groups, (200, 403), strict=True):
        for page in (f"scan/{group.scan_id}", f"queuedgroup/merge-safe/{group.scan_id}"):
            assert admin_client.get(f"/own/dedupe_toolkit/{page}/").status_code == answer


def test_a_site_without_the_desk_shows_duplicates_and_leads_nowhere(admin_client: Client) -> None:
    first, second, third = people_called("Agnès Varda", "Agnès Varda", "A. Varda")
    run = merge(plan_merge(row_set(Person, [first.pk, third.pk])))
    page = admin_client.get(f"/bare/films/person/{first.pk}/change/")
    shown = text_of(page)
    assert f"Possible duplicates: Agnès Varda ({second.pk})" in shown
    assert f"Merged from: {third.pk} (Merge run {run.pk})" in shown
    assert "Compare" not in shown
    assert "dedupe_toolkit/mergerun" not in page.content.decode()


def test_a_project_may_take_lists_of_ours_from_a_site(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = {key: own for key, own in site._registry.items() if key not in (RowChange, Verdict)}
    monkeypatch.setattr(site, "_registry", kept)
    merged(admin_client, people_called("Agnès Varda", "Agnès Varda"))
    run = MergeRun.objects.get()
    assert admin_client.get(f"/own/dedupe_toolkit/mergerun/{run.pk}/change/").status_code == 200
    page = select(admin_client, people_called("Jacques Demy", "Jacques Demy"))
    url = "/own/dedupe_toolkit/mergerun/merge/films/person/"
    told = admin_client.post(url, fields_of(page) | {"dismiss": "Dismiss"}, follow=True)
    assert "Dismissed:" in messages_of(told)


def test_lists_and_mappings_that_differ_stand_side_by_side(admin_client: Client) -> None:
    rows = [Reader.objects.create(name="ann", data=data) for data in ({"a": [1]}, [{"b": None}])]
    shown = text_of(select(admin_client, rows))
    assert "1 value gives way to another" in shown
    assert '{"a": [1]}' in shown
    assert '[{"b": null}]' in shown
    merged(admin_client, rows)
    assert Reader.objects.get().data == {"a": [1]}


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


def test_a_large_group_of_many_fields_is_not_too_much_to_send_and_tells_what_has_changed(
    admin_client: Client, settings: Any
) -> None:
    rows = 400
    fields: list[Any] = [f for f in Wide._meta.fields if f.name.startswith("value_")]
    Wide.objects.bulk_create(
        Wide(name="one", **{f.name: place * 1000.5 + n for n, f in enumerate(fields)})
        for place in range(rows)
    )
    (group,) = scanned(match_key(Wide, ["name"])).queued.all()
    url = f"/own/dedupe_toolkit/queuedgroup/{group.pk}/"
    sent = fields_of(admin_client.get(url)) | {"merge": "Merge"}
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE / queued_review.MOST
    assert len(sent["memory"]) / rows < most
    last = Wide.objects.latest("pk")
    Wide.objects.filter(pk=last.pk).update(value_7=0.25)
    told = text_of(admin_client.post(url, sent)).partition("What has changed")[2]
    assert f"#{last.pk} has another value in one of its fields" in told.partition("become one")[0]
    assert Wide.objects.count() == rows
