"""Primary keys of every kind, and references by another unique column."""

from __future__ import annotations

import pytest
from django.db import connection, models

from dedupe_toolkit import merge, undo
from dedupe_toolkit.errors import InvalidOption
from tests.kit import assert_undo_restores, counts, merged, merged_rows, planned, snapshot
from tests.situations.keyed.models import (
    Account,
    City,
    Country,
    Device,
    Embassy,
    Enrolment,
    Measurement,
    Offer,
    Product,
    Reading,
    Settings,
    Shortcut,
    Treaty,
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


def test_a_survivor_takes_over_the_unique_value_that_rows_point_at() -> None:
    for code in (None, "FR", "FRA"):
        kept_or_lost = Country.objects.create(name="France", code=code)
        City.objects.create(country=kept_or_lost if code else None)
    before = snapshot()
    run = merged(Country, "name")
    assert Country.objects.get().code == "FR"
    assert list(City.objects.order_by("pk").values_list("country", flat=True)) == [None, "FR", "FR"]
    assert_undo_restores(run, before)


def test_the_database_itself_deletes_nothing_that_points_at_a_duplicate() -> None:
    for code in (None, "FR"):
        country = Country.objects.create(name="France", code=code)
        Embassy.objects.create(country=country if code else None)
        Treaty.objects.create(country=country)
    before = snapshot()
    plan = planned(Country, "name")
    run = merge(plan)
    assert (Embassy.objects.count(), Treaty.objects.count()) == (2, 2)
    # where it would, because what they point at cannot stay, the plan holds the group back
    acts = hasattr(models, "DB_CASCADE")
    embassy = Embassy.objects.get(country="FR")
    assert [held.reason.partition(", and")[0] for held in plan.held_back] == [
        f"keyed.Embassy.country: row {embassy.pk} points at a value that the survivor takes over"
    ] * acts
    assert run.merged == (0 if acts else 1)
    if run.merged:
        assert set(Treaty.objects.values_list("country__code", flat=True)) == {"FR"}
        undo(run)
    assert snapshot() == before


def test_rows_that_the_database_would_delete_follow_as_others_do() -> None:
    for code in ("FR", "FRA"):
        country = Country.objects.create(name="France", code=code)
        Embassy.objects.create(country=country)
        Treaty.objects.create(country=country)
    before = snapshot()
    run = merged(Country, "name")
    assert set(Embassy.objects.values_list("country", flat=True)) == {"FR"}
    assert counts(run, "keyed.Treaty.country") == (1, 0, 0)
    assert_undo_restores(run, before)


STRAY_CITY = {
    "sqlite": (
        "CREATE TRIGGER stray AFTER DELETE ON keyed_country BEGIN"
        " INSERT INTO keyed_city (country_id) VALUES (OLD.code); END",
        "DROP TRIGGER stray",
    ),
    "mysql": (
        "CREATE TRIGGER stray AFTER DELETE ON keyed_country FOR EACH ROW"
        " INSERT INTO keyed_city (country_id) VALUES (OLD.code)",
        "DROP TRIGGER stray",
    ),
    "postgresql": (
        "CREATE FUNCTION stray() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN INSERT INTO keyed_city (country_id) VALUES (OLD.code); RETURN OLD; END';"
        " CREATE TRIGGER stray AFTER DELETE ON keyed_country FOR EACH ROW EXECUTE FUNCTION stray()",
        "DROP FUNCTION stray CASCADE",
    ),
}


@pytest.mark.django_db(transaction=True)
def test_a_value_handed_over_leaves_no_row_that_points_at_nothing() -> None:
    for code in (None, "FR", "FRA"):
        Country.objects.create(name="France", code=code)
    City.objects.create(country_id="FRA")
    before = snapshot()
    create, drop = STRAY_CITY[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(create)
        try:
            run = merge(planned(Country, "name"))
        finally:
            cursor.execute(drop)
    (held,) = run.held_back
    assert held["reason"] == (
        "the database refuses it: 1 rows of keyed.City.country would point at nothing"
    )
    assert snapshot() == before


def test_a_rule_that_would_take_another_value_than_rows_point_at_is_refused() -> None:
    for code in ("FR", "FRA"):
        Country.objects.create(name="France", code=code)
    with pytest.raises(InvalidOption) as error:
        planned(Country, "name", field_rules={"code": "longest"})
    assert str(error.value) == (
        "field rule of code: rows of keyed.City.country point at keyed.Country by this field; use"
        " survivor or fill"
    )
    assert planned(Country, "name", field_rules={"code": "fill", "name": "longest"}).mergeable


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
