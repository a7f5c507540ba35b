"""Primary keys of every kind, and references by another unique column."""

from __future__ import annotations

import pytest

from tests.kit import assert_undo_restores, counts, merged, merged_rows, snapshot
from tests.situations.keyed.models import (
    Account,
    City,
    Country,
    Device,
    Enrolment,
    Measurement,
    Offer,
    Product,
    Reading,
    Settings,
    Shortcut,
)

pytestmark = pytest.mark.django_db


def test_a_foreign_key_by_another_column_takes_the_survivors_value_of_it() -> None:
    kept = Country.objects.create(name="France", code="FR")
    Country.objects.create(name="France", code="FRA")
    for code in ("FR", "FRA"):
        City.objects.create(country_id=code)
    before = snapshot()
    run = merged(Country, "name")
    assert set(City.objects.values_list("country_id", flat=True)) == {"FR"}
    assert counts(run, "keyed.City.country") == (1, 0, 0)
    assert Country.objects.get() == kept
    assert_undo_restores(run, before)


def test_uuid_keys() -> None:
    for _ in range(3):
        Reading.objects.create(device=Device.objects.create(serial="1"), value=0.1)
    last = Device.objects.order_by("-key")[0]
    before = snapshot()
    run = merged(Device, "serial", survivor="-key")
    assert {reading.device for reading in Reading.objects.all()} == {last}
    assert_undo_restores(run, before)


def test_text_keys() -> None:
    for sku in ("b", "a"):
        Offer.objects.create(product=Product.objects.create(sku=sku, name="Pen"))
    before = snapshot()
    run = merged(Product, "name")
    assert {offer.product_id for offer in Offer.objects.all()} == {"a"}
    assert_undo_restores(run, before)


@pytest.fixture
def accounts() -> list[Account]:
    return [Account.objects.create(name="Ann") for _ in range(3)]


def with_settings(account: Account, **values: str) -> Settings:
    settings = Settings.objects.create(account=account, **values)
    Shortcut.objects.create(settings=settings, keys=f"ctrl-{account.pk}")
    return settings


def test_a_row_keyed_by_the_duplicate_moves_to_the_survivor_with_what_points_at_it(
    accounts: list[Account],
) -> None:
    with_settings(accounts[1], theme="dark")
    before = snapshot()
    run = merged(Account, "name")
    settings = Settings.objects.get()
    assert (settings.pk, settings.theme) == (accounts[0].pk, "dark")
    assert Shortcut.objects.get().settings_id == accounts[0].pk
    assert counts(run, "keyed.Shortcut.settings") == (1, 0, 0)
    assert_undo_restores(run, before)


def test_rows_keyed_by_several_members_merge_into_the_survivors(accounts: list[Account]) -> None:
    with_settings(accounts[1], theme="dark")
    with_settings(accounts[2], language="fr")
    before = snapshot()
    run = merged(Account, "name", on_collision="merge")
    settings = Settings.objects.get()
    assert (settings.pk, settings.theme, settings.language) == (accounts[0].pk, "dark", "fr")
    assert Shortcut.objects.filter(settings=settings).count() == 2
    assert_undo_restores(run, before)


def test_a_reference_inside_a_composite_key(accounts: list[Account]) -> None:
    Enrolment.objects.create(account=accounts[0], course=1, grade=None)
    Enrolment.objects.create(account=accounts[1], course=1, grade=5)
    Enrolment.objects.create(account=accounts[1], course=2, grade=4)
    before = snapshot()
    run = merged(Account, "name", on_collision="merge")
    rows = set(Enrolment.objects.values_list("account", "course", "grade"))
    assert rows == {(accounts[0].pk, 1, 5), (accounts[0].pk, 2, 4)}
    assert_undo_restores(run, before)


def test_a_model_with_a_composite_key_merges() -> None:
    Measurement.objects.create(station=1, number=2, name="wind")
    Measurement.objects.create(station=1, number=1, name="wind", note="strong")
    before = snapshot()
    run = merged(Measurement, "name")
    row = Measurement.objects.get()
    assert (row.pk, row.note) == ((1, 1), "strong")
    assert_undo_restores(run, before)


def test_rows_named_by_hand_merge_into_the_one_named(accounts: list[Account]) -> None:
    before = snapshot()
    run = merged_rows(Account, *(account.pk for account in accounts[:2]), into=accounts[1].pk)
    assert set(Account.objects.all()) == set(accounts[1:])
    assert_undo_restores(run, before)
