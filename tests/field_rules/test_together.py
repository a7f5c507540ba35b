"""Values that belong together come from one row, and only like is added to like."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType

from dedupe_toolkit import row_set
from dedupe_toolkit.errors import InvalidOption
from dedupe_toolkit.reviewing.side_by_side import side_by_side
from tests.kit import assert_undo_restores, merged, merged_rows, planned, snapshot
from tests.situations.together.models import (
    Account,
    Employee,
    Order,
    Parcel,
    Person,
    Pin,
    Purse,
    Shop,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import Model

pytestmark = pytest.mark.django_db


def left(model: type[Model], *fields: str) -> tuple[Any, ...]:
    """What the only row has in these fields."""
    return model._base_manager.values_list(*fields).get()


def accounts(*values: tuple[Any, str], of: str = "limit") -> None:
    for amount, currency in values:
        Account.objects.create(name="A", **{of: amount, f"{of}_currency": currency})


# amounts


def test_an_amount_brings_its_currency() -> None:
    accounts((None, "EUR"), (5000, "JPY"))
    before = snapshot()
    run = merged(Account, "name")
    assert left(Account, "limit", "limit_currency") == (5000, "JPY")
    assert_undo_restores(run, before)


def test_a_currency_without_an_amount_says_nothing() -> None:
    accounts((None, "USD"), (None, "GBP"), (5000, "JPY"), (6000, "CHF"))
    plan = planned(Account, "name")
    assert [(each.field, each.values) for each in plan.differences] == [
        ("limit", 1),
        ("limit_currency", 1),
    ]
    merged(Account, "name")
    assert left(Account, "limit", "limit_currency") == (5000, "JPY")


def test_empty_amounts_do_not_conflict_by_their_currency() -> None:
    accounts((None, "EUR"), (5000, "JPY"), (None, "USD"))
    run = merged(Account, "name", on_conflict="hold")
    assert run.groups_held_back == 0
    assert left(Account, "limit", "limit_currency") == (5000, "JPY")


def test_an_amount_that_is_there_keeps_its_currency() -> None:
    accounts((0, "EUR"), (5000, "JPY"))
    merged(Account, "name")
    assert left(Account, "limit", "limit_currency") == (0, "EUR")


def test_other_blanks_are_filled_from_other_rows() -> None:
    Account.objects.create(name="A", limit=None)
    Account.objects.create(name="A", limit=None, limit_currency="USD", note="good")
    Account.objects.create(name="A", limit=7, limit_currency="JPY", note="bad")
    merged(Account, "name")
    assert left(Account, "limit", "limit_currency", "note") == (7, "JPY", "good")


@pytest.mark.parametrize("rule", ["sum", "max", "min"])
def test_amounts_of_different_currencies_hold_the_group_back(rule: str) -> None:
    accounts((10, "EUR"), (700, "JPY"), of="balance")
    plan = planned(Account, "name", field_rules={"balance": rule})
    one, other = Account.objects.order_by("pk").values_list("pk", flat=True)
    assert [group.reason for group in plan.held_back] == [
        f"rows {one} and {other} differ in balance_currency, so that balance has no {rule}:"
        " these values belong together"
    ]


@pytest.mark.parametrize(
    ("rule", "amount"), [("sum", 710), ("max", 700), ("min", 10), ("newest", 700)]
)
def test_amounts_of_one_currency_follow_their_rule(rule: str, amount: int) -> None:
    accounts((10, "JPY"), (700, "JPY"), of="balance")
    before = snapshot()
    run = merged(Account, "name", field_rules={"balance": rule})
    assert left(Account, "balance", "balance_currency") == (amount, "JPY")
    assert_undo_restores(run, before)


def test_groups_of_one_currency_merge_beside_those_held_back() -> None:
    accounts((10, "EUR"), (700, "JPY"), of="balance")
    for amount in (1, 2):
        Account.objects.create(name="B", balance=amount, balance_currency="CHF")
    run = merged(Account, "name", field_rules={"balance": "sum"})
    assert (run.merged, run.groups_held_back) == (1, 1)
    assert Account.objects.get(name="B").balance == 3


def test_a_sum_takes_the_currency_of_what_was_added_up() -> None:
    accounts((None, "EUR"), (5, "JPY"), (6, "JPY"))
    merged(Account, "name", field_rules={"limit": "sum"})
    assert left(Account, "limit", "limit_currency") == (11, "JPY")


def test_a_rule_that_picks_an_amount_picks_its_currency() -> None:
    accounts((10, "EUR"), (None, "CHF"), (700, "JPY"), (None, "USD"))
    merged(Account, "name", field_rules={"limit": "newest"})
    assert left(Account, "limit", "limit_currency") == (700, "JPY")


def test_what_stays_the_survivors_stays_whole() -> None:
    accounts((None, "EUR"), (700, "JPY"))
    merged(Account, "name", field_rules={"limit_currency": "survivor"})
    assert left(Account, "limit", "limit_currency") == (None, "EUR")


def test_two_rules_for_what_belongs_together_are_refused() -> None:
    with pytest.raises(InvalidOption, match="limit=max, limit_currency=newest: these fields"):
        planned(Account, "name", field_rules={"limit": "max", "limit_currency": "newest"})


def test_a_function_is_given_amounts_of_one_currency_only() -> None:
    accounts((10, "EUR"), (700, "JPY"), of="balance")
    pks = list(Account.objects.values_list("pk", flat=True))
    run = merged_rows(Account, *pks, field_rules={"balance": sum})
    assert (run.merged, run.groups_held_back) == (0, 1)
    Account.objects.update(balance_currency="JPY")
    merged_rows(Account, *pks, field_rules={"balance": sum})
    assert left(Account, "balance", "balance_currency") == (710, "JPY")


def test_rivals_keep_their_currencies_too(declare: Callable[..., None]) -> None:
    for amount, currency in ((None, "EUR"), (9, "JPY")):
        account = Account.objects.create(name="A")
        Purse.objects.create(account=account, amount=amount, amount_currency=currency)
    before = snapshot()
    run = merged(Account, "name", on_collision="merge")
    assert left(Purse, "amount", "amount_currency") == (9, "JPY")
    assert_undo_restores(run, before)
    Purse.objects.update(amount=1)
    declare(Purse, field_rules={"amount": "sum"})
    (held,) = planned(Account, "name", on_collision="merge").held_back
    assert held.reason.startswith("together.Purse: rows ")
    assert "differ in amount_currency, so that amount has no sum" in held.reason


# what names tell, and what is declared instead


def test_a_weight_brings_the_unit_of_its_row() -> None:
    Parcel.objects.create(code="p")
    Parcel.objects.create(code="p", weight=12, unit="lb", pieces=3)
    merged(Parcel, "code")
    assert left(Parcel, "weight", "unit", "pieces") == (12, "lb", 3)


def test_counts_have_no_unit() -> None:
    for unit in ("kg", "lb"):
        Parcel.objects.create(code="p", pieces=2, unit=unit)
    merged(Parcel, "code", field_rules={"pieces": "sum"})
    assert left(Parcel, "pieces", "unit") == (4, "kg")


def test_a_declaration_stands_in_place_of_names(declare: Callable[..., None]) -> None:
    declare(Parcel, together=())
    for weight, unit in ((1, "kg"), (2, "lb")):
        Parcel.objects.create(code="p", weight=weight, unit=unit)
    merged(Parcel, "code", field_rules={"weight": "sum"})
    assert left(Parcel, "weight", "unit") == (3, "kg")


def people(*rows: dict[str, Any], model: type[Person] = Person) -> None:
    for row in rows:
        model.objects.create(name="Ann", **row)


ADDRESS = ("street", "city", "country")


@pytest.mark.parametrize("together", [ADDRESS, [ADDRESS]])
def test_an_address_is_taken_whole(together: Any, declare: Callable[..., None]) -> None:
    declare(Person, together=together)
    people(
        {},
        {"phone": "1"},
        {"street": "5 Main", "city": "Leeds", "country": "UK"},
        {"street": "8 Rue", "city": "Lyon", "phone": "2"},
    )
    before = snapshot()
    run = merged(Person, "name")
    assert left(Person, *ADDRESS, "phone") == ("5 Main", "Leeds", "UK", "1")
    assert_undo_restores(run, before)


def test_half_an_address_is_not_completed_with_that_of_another_town(
    declare: Callable[..., None],
) -> None:
    declare(Person, together=ADDRESS)
    people({"city": "Paris"}, {"street": "5 Main", "city": "Leeds", "country": "UK"})
    merged(Person, "name")
    assert left(Person, *ADDRESS) == ("", "Paris", "FR")


def test_half_an_address_is_completed_by_a_row_that_agrees(declare: Callable[..., None]) -> None:
    declare(Person, together=ADDRESS)
    people({"city": "Paris"}, {"street": "1 Rue", "city": "Nice"}, {"street": "2", "city": "Paris"})
    merged(Person, "name")
    assert left(Person, *ADDRESS) == ("2", "Paris", "FR")


def test_what_the_database_demands_is_asked_of_the_whole(declare: Callable[..., None]) -> None:
    people({"country": "UK"}, {"city": "Lyon"})
    assert "lyon_is_french" in planned(Person, "name").held_back[0].reason
    declare(Person, together=ADDRESS)
    run = merged(Person, "name")  # the country is no default: this address is the survivor's own
    assert left(Person, *ADDRESS) == ("", None, "UK")
    assert run.groups_held_back == 0


def test_inherited_fields_belong_together_as_the_child_declares(
    declare: Callable[..., None],
) -> None:
    declare(Employee, together=ADDRESS)
    people({}, {"city": "Leeds", "country": "UK"}, {"street": "1 Rue"}, model=Employee)
    merged(Employee, "name")
    assert left(Employee, *ADDRESS) == ("", "Leeds", "UK")


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (("street", "citty"), "no field 'citty'; did you mean city"),
        (("street",), "name two fields"),
        (("street", "id"), "Person.id has no column whose value could be filled"),
    ],
)
def test_what_cannot_belong_together_is_said(
    names: tuple[str, ...], reason: str, declare: Callable[..., None]
) -> None:
    declare(Person, together=[names])
    people({}, {})
    with pytest.raises(InvalidOption, match=reason):
        planned(Person, "name")


# generic keys and relations by several columns


def test_a_generic_key_is_one_value() -> None:
    types = ContentType.objects.get_for_model
    Pin.objects.create(label="x", content_type=types(Group))
    Pin.objects.create(label="x", object_id=7)
    Pin.objects.create(label="x", content_type=types(Shop), object_id=9)
    before = snapshot()
    run = merged(Pin, "label")
    assert left(Pin, "content_type", "object_id") == (types(Group).pk, None)
    assert_undo_restores(run, before)
    Pin.objects.filter(object_id=None).update(content_type=None)
    Pin.objects.filter(object_id=7).delete()
    merged(Pin, "label")
    assert left(Pin, "content_type", "object_id") == (types(Shop).pk, 9)


def test_a_relation_by_several_columns_is_one_value() -> None:
    for tenant, number in ((1, 5), (2, 5), (1, 6)):
        Shop.objects.create(tenant=tenant, number=number)
    Order.objects.create(code="o", tenant=1)
    Order.objects.create(code="o", tenant=2, shop_number=5)
    Order.objects.create(code="o", tenant=1, depot_number=6)
    merged(Order, "code")
    assert left(Order, "tenant", "shop_number", "depot_number") == (1, None, 6)


# what is shown


def test_rows_side_by_side_show_what_comes_along() -> None:
    accounts((None, "EUR"), (None, "USD"), (5000, "JPY"))
    source = row_set(Account, Account.objects.values_list("pk", flat=True))
    lines = {line.field.name: line for line in side_by_side(source).lines}
    for name in ("limit", "limit_currency"):
        assert [lines[name].cell(place).fills for place in range(3)] == [False, False, True]
    assert not any(lines["balance_currency"].cell(place).fills for place in range(3))
    assert Decimal(lines["limit"].cell(2).value) == 5000
