"""What is declared of a model holds wherever its rows are merged: as rivals, rivals of rivals,
and as parts of the objects that are merged."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Lower
from django.test.utils import CaptureQueriesContext

from dedupe_toolkit import MergePolicy, match_key, merge, plan_merge
from dedupe_toolkit.admin.choice import collision_choices
from dedupe_toolkit.errors import InvalidOption
from dedupe_toolkit.registry import declared_policy, unregister
from tests.kit import assert_undo_restores, counts, merged, merged_rows, planned, snapshot
from tests.situations.declared.models import (
    Card,
    Contact,
    Customer,
    GiftCard,
    Perk,
    Purchase,
    Receipt,
    Redemption,
    Supplier,
    Wallet,
)
from tests.situations.rivals.models import Nickname, User

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db


def cards(*values: dict[str, Any]) -> list[Card]:
    """A card of one program with these values for each of as many customers of one name."""
    return [
        Card.objects.create(
            **{"customer": Customer.objects.create(name="Ann"), "program": "gold"} | card
        )
        for card in values
    ]


def points(*values: Any) -> list[Card]:
    return cards(*({"points": value} for value in values))


# field rules


def test_points_of_three_rivals_are_added_up(declare: Callable[..., None]) -> None:
    declare(Card, field_rules={"points": "sum"})
    for card in points(100, 200, "0.50"):
        Purchase.objects.create(card=card)
    before = snapshot()
    run = merged(Customer, "name", on_collision="merge")
    card = Card.objects.get()
    assert (card.points, card.purchase_set.count()) == (Decimal("300.50"), 3)
    assert counts(run, "declared.Card.customer") == (0, 0, 2)
    assert_undo_restores(run, before)


def test_rules_of_every_kind_hold_among_rivals(declare: Callable[..., None]) -> None:
    rules = {"is_blocked": "any", "is_valid": "all", "note": "concat", "used": "max"}
    declare(Card, field_rules={**rules, "points": "survivor", "code": "newest"})
    cards(
        {"note": "first", "used": 3, "points": 1, "code": "a"},
        {"note": "second", "used": 9, "points": 2, "code": "b", "is_blocked": True},
        {"note": "first", "used": 4, "points": 3, "code": None, "is_valid": False},
    )
    before = snapshot()
    run = merged(Customer, "name", on_collision="merge")
    card = Card.objects.get()
    assert (card.note, card.used, card.points, card.code) == ("first; second", 9, 1, "b")
    assert (card.is_blocked, card.is_valid) == (True, False)
    assert_undo_restores(run, before)


def test_rules_hold_among_the_rivals_of_rivals(declare: Callable[..., None]) -> None:
    declare(Perk, field_rules={"uses": "sum", "text": "longest"})
    for uses, card in enumerate(cards({}, {"points": 1}, {"points": 2}), start=1):
        perk = Perk.objects.create(card=card, label="tea", uses=uses, text="x" * uses)
        Redemption.objects.create(perk=perk)
    before = snapshot()
    run = merged(Customer, "name", on_collision="merge")
    perk = Perk.objects.get()
    assert (perk.uses, perk.text, perk.redemption_set.count()) == (6, "xxx", 3)
    assert_undo_restores(run, before)


def test_blanks_of_rivals_are_filled_where_nothing_is_declared() -> None:
    kept, *_ = cards({}, {"note": "second", "code": "b"}, {"note": "third", "used": 3})
    before = snapshot()
    run = merged(Customer, "name", on_collision="merge")
    card = Card.objects.get()
    assert (card.pk, card.note, card.code, card.used) == (kept.pk, "second", "b", 3)
    assert_undo_restores(run, before)


def test_rules_of_the_merge_itself_speak_of_its_own_model_only() -> None:
    points(1, 2)
    merged(Customer, "name", on_collision="merge", field_rules={"name": "longest"})
    assert Card.objects.get().points == 1


def test_equal_rivals_are_not_redundant_where_their_values_add_up(
    declare: Callable[..., None],
) -> None:
    declare(Card, field_rules={"points": "sum"})
    points(100, 100)
    (held,) = planned(Customer, "name").held_back
    assert "would break unique (customer, program)" in held.reason
    before = snapshot()
    run = merged(Customer, "name", on_collision="merge")
    assert Card.objects.get().points == 200
    assert counts(run, "declared.Card.customer") == (0, 0, 1)
    assert_undo_restores(run, before)


@pytest.mark.parametrize(
    ("rules", "values"),
    [
        ({"points": "sum"}, {"points": 0}),
        ({"used": "sum"}, {"used": None}),
        ({"points": "max", "note": "concat"}, {"points": 5, "note": "same"}),
    ],
)
def test_equal_rivals_are_redundant_where_a_rule_makes_nothing_of_them(
    declare: Callable[..., None], rules: dict[str, str], values: dict[str, Any]
) -> None:
    declare(Card, field_rules=rules)
    kept, _ = cards(values, values)
    run = merged(Customer, "name")
    assert list(Card.objects.values_list("pk", flat=True)) == [kept.pk]
    assert counts(run, "declared.Card.customer") == (0, 1, 0)


def test_a_preview_knows_that_equal_rivals_add_up(declare: Callable[..., None]) -> None:
    declare(Card, field_rules={"points": "sum"})
    people = [card.customer_id for card in points(100, 100)]
    merged_rows(Customer, *people)  # compares the preview with the plan
    assert Card.objects.count() == 2
    merged_rows(Customer, *people, on_collision="merge")
    assert Card.objects.get().points == 200


def test_rules_hold_for_the_parts_of_objects_whose_parents_collide(
    declare: Callable[..., None],
) -> None:
    declare(Card, field_rules={"points": "sum"})
    declare(GiftCard, field_rules={"balance": "sum"})
    for balance in (5, 5, 7):
        customer = Customer.objects.create(name="Ann")
        GiftCard.objects.create(customer=customer, program="gold", points=1, balance=balance)
    before = snapshot()
    run = merged(Customer, "name", on_collision="merge")
    card = GiftCard.objects.get()
    assert (card.balance, card.points) == (17, 3)
    assert_undo_restores(run, before)


def test_rules_of_a_child_hold_when_its_parents_are_merged(declare: Callable[..., None]) -> None:
    declare(Supplier, field_rules={"orders": "sum", "rating": "max"})
    for orders, rating in ((2, 1), (3, 5), (3, 5)):
        Supplier.objects.create(name="Roma", orders=orders, rating=rating)
    Contact.objects.create(name="Roma", phone="1")
    before = snapshot()
    run = merged(Contact, "name")
    supplier = Supplier.objects.get()
    assert (supplier.orders, supplier.rating, supplier.phone) == (8, 5, "1")
    assert_undo_restores(run, before)


def test_equal_parts_of_the_merged_objects_add_up(declare: Callable[..., None]) -> None:
    for _ in range(2):
        Supplier.objects.create(name="Roma", orders=3)
    before = snapshot()
    run = merged(Supplier, "name", field_rules={"orders": "sum"})
    assert Supplier.objects.get().orders == 6
    assert_undo_restores(run, before)


def test_a_child_inherits_what_is_declared_of_its_parent(declare: Callable[..., None]) -> None:
    declare(Contact, survivor="newest", field_rules={"phone": "concat", "name": "longest"})
    declare(Supplier, field_rules={"orders": "sum", "name": "fill"}, on_conflict="hold")
    policy = declared_policy(Supplier)
    assert (policy.survivor, policy.on_conflict) == ("newest", "hold")
    assert policy.field_rules == {"phone": "concat", "orders": "sum", "name": "fill"}
    assert declared_policy(Contact).on_conflict == "survivor"


def test_the_admin_offers_a_child_what_is_declared_of_its_parent(
    declare: Callable[..., None],
) -> None:
    assert collision_choices(Supplier, None)[0][0] == "hold"
    declare(Contact, on_collision="merge")
    value, text, is_chosen = collision_choices(Supplier, None)[0]
    assert (value, is_chosen) == ("", True)
    assert text == "As declared for this model: merge"


# rules that are not for rows one level down


def best(values: list[Any]) -> Any:
    return max(values)


def test_a_function_holds_back_the_groups_of_a_key_that_lead_to_it(
    declare: Callable[..., None],
) -> None:
    declare(Card, field_rules={"points": best})
    kept, lost = points(100, 200)
    for _ in range(2):
        Customer.objects.create(name="Bob")
    before = snapshot()
    run = merged(Customer, "name", on_collision="merge")
    assert (run.merged, Card.objects.count()) == (1, 2)
    assert run.held_back[0]["reason"] == (
        f"declared.Card: rows {kept.pk} and {lost.pk} would become one, but the field rule of"
        " points, best, is a Python function, which only merges of rows named one by one can use:"
        " merge these rows first (--pks, the admin), or declare another rule"
    )
    assert_undo_restores(run, before)


def test_a_function_is_called_for_rivals_where_a_person_named_the_rows(
    declare: Callable[..., None],
) -> None:
    declare(Card, field_rules={"points": best})
    people = [card.customer_id for card in points(100, 200)]
    before = snapshot()
    run = merged_rows(Customer, *people, on_collision="merge")
    assert Card.objects.get().points == 200
    assert_undo_restores(run, before)


def test_a_function_that_fails_for_rivals_stops_the_plan(declare: Callable[..., None]) -> None:
    def broken(values: list[Any]) -> Any:
        raise RuntimeError("no idea")

    declare(Card, field_rules={"points": broken})
    people = [card.customer_id for card in points(100, 200)]
    with pytest.raises(InvalidOption, match="points: the field rule broken raised"):
        merged_rows(Customer, *people, on_collision="merge")


def test_a_declared_rule_that_cannot_be_is_named_with_its_model(
    declare: Callable[..., None],
) -> None:
    declare(Card, field_rules={"poinst": "sum"})
    points(1, 2)
    with pytest.raises(InvalidOption, match=r"declared\.Card has no field 'poinst'"):
        planned(Customer, "name")
    declare(Card, on_conflict="keep")
    with pytest.raises(InvalidOption, match=r"declared of declared\.Card: 'keep' is not a valid"):
        planned(Customer, "name")


# conflicts


def test_conflicts_are_held_at_every_level_where_the_merge_says_so() -> None:
    kept, lost = points(1, 2)
    before = snapshot()
    run = merged(Customer, "name", on_collision="merge", on_conflict="hold")
    (held,) = run.held_back
    assert held["reason"] == (
        f"declared.Card: its rows, such as {kept.pk} and {lost.pk}, differ in points (points=sum);"
        " declare field_rules of declared.Card in dedupe.py"
    )
    assert snapshot() == before


def test_conflicts_among_the_rivals_of_rivals_hold_the_group_back() -> None:
    perks = [Perk.objects.create(card=card, label="tea", uses=1) for card in cards({}, {})]
    Perk.objects.filter(pk=perks[1].pk).update(text="green")
    assert merged_groups(on_conflict="hold") == 1  # a blank is no conflict
    Customer.objects.all().delete()
    perks = [
        Perk.objects.create(card=card, label="tea", text=text)
        for card, text in zip(cards({}, {}), ("green", "black"), strict=True)
    ]
    (held,) = planned(Customer, "name", on_collision="merge", on_conflict="hold").held_back
    first, second = perks
    assert held.reason == (
        f"declared.Perk: its rows, such as {first.pk} and {second.pk}, differ in text"
        " (text=newest); declare field_rules of declared.Perk in dedupe.py"
    )


def merged_groups(**options: Any) -> int:
    groups: int = merged(Customer, "name", on_collision="merge", **options).merged
    return groups


def test_conflicts_are_held_for_a_model_that_declares_so_and_for_no_other(
    declare: Callable[..., None],
) -> None:
    declare(Card, on_conflict="hold")
    cards({"note": "a"}, {"note": "b"})
    (held,) = planned(Customer, "name", on_collision="merge").held_back
    assert "differ in note (" in held.reason
    Card.objects.update(note="")
    for card, text in zip(Card.objects.all(), "ab", strict=True):
        Perk.objects.create(card=card, label="tea", text=text)
    assert merged_groups() == 1
    assert Perk.objects.get().text == "a"


def test_what_a_model_declares_wins_over_the_options_of_another_models_merge(
    declare: Callable[..., None],
) -> None:
    declare(Card, on_conflict="survivor")
    cards({"note": "a"}, {"note": "b"})
    assert merged_groups(on_conflict="hold") == 1
    assert Card.objects.get().note == "a"


def test_a_field_with_a_rule_is_no_conflict(declare: Callable[..., None]) -> None:
    declare(Card, field_rules={"points": "sum", "note": "survivor"})
    cards({"points": 1, "note": "a"}, {"points": 2, "note": "b"})
    assert merged_groups(on_conflict="hold") == 1
    assert (Card.objects.get().points, Card.objects.get().note) == (3, "a")


def test_references_that_will_be_equal_are_no_conflict() -> None:
    kept, lost = points(1, 1)
    for card in (kept, lost):
        Card.objects.filter(pk=card.pk).update(sponsor=card.customer_id)
    assert merged_groups(on_conflict="hold") == 1
    assert Card.objects.get().sponsor_id == kept.customer_id


def test_references_to_different_rows_are_a_conflict() -> None:
    for card, name in zip(points(1, 1), ("Bob", "Cid"), strict=True):
        Card.objects.filter(pk=card.pk).update(sponsor=Customer.objects.create(name=name))
    (held,) = planned(Customer, "name", on_collision="merge", on_conflict="hold").held_back
    assert "differ in sponsor (" in held.reason


def test_what_a_unique_rule_finds_equal_is_no_conflict() -> None:
    for text in ("Annie", "ANNIE"):
        Nickname.objects.create(user=User.objects.create(name="Ann"), text=text)
    run = merged(User, "name", on_collision="merge", on_conflict="hold")
    assert run.merged == 1
    is_rule = connection.features.supports_expression_indexes
    assert Nickname.objects.count() == (1 if is_rule else 2)


def test_rows_of_one_group_that_stay_apart_are_no_conflict() -> None:
    first, second = cards({"points": 1}, {"points": 1})
    for program, card in (("blue", first), ("blue", second)):
        Card.objects.create(customer=card.customer, program=program, points=9)
    assert merged_groups(on_conflict="hold") == 1
    assert sorted(Card.objects.values_list("program", "points")) == [("blue", 9), ("gold", 1)]


def test_different_values_in_the_parts_of_rivals_hold_the_group_back() -> None:
    for balance in (5, 7):
        customer = Customer.objects.create(name="Ann")
        GiftCard.objects.create(customer=customer, program="gold", balance=balance)
    (held,) = planned(Customer, "name", on_collision="merge", on_conflict="hold").held_back
    assert held.reason.startswith("declared.GiftCard: its rows")
    assert "differ in balance (" in held.reason


def test_the_parts_of_merged_objects_are_held_as_their_own_model_declares(
    declare: Callable[..., None],
) -> None:
    declare(Supplier, on_conflict="hold")
    for orders in (1, 2):
        Supplier.objects.create(name="Roma", orders=orders)
    (held,) = planned(Contact, "name").held_back
    assert "differ in orders (" in held.reason
    declare(Supplier, on_conflict="survivor")
    assert not planned(Contact, "name", on_conflict="hold").held_back
    declare(Contact, on_conflict="survivor")
    unregister(Supplier)
    assert planned(Contact, "name", on_conflict="hold").held_back


# collisions


def test_collisions_below_are_settled_as_the_model_they_point_at_declares(
    declare: Callable[..., None],
) -> None:
    declare(Card, on_collision="discard")
    for card, text in zip(cards({}, {"points": 1}), "ab", strict=True):
        Perk.objects.create(card=card, label="tea", text=text)
    before = snapshot()
    run = merged(Customer, "name", collisions={"declared.Card.customer": "merge"})
    assert counts(run, "declared.Card.customer") == (0, 0, 1)
    assert counts(run, "declared.Perk.card") == (0, 1, 0)
    assert Perk.objects.get().text == "a"
    assert_undo_restores(run, before)


def test_a_collision_declared_for_one_reference_wins_over_one_for_all(
    declare: Callable[..., None],
) -> None:
    declare(Card, on_collision="discard", collisions={"declared.Perk.card": "hold"})
    for card, text in zip(cards({}, {"points": 1}), "ab", strict=True):
        Perk.objects.create(card=card, label="tea", text=text)
    (held,) = planned(Customer, "name", on_collision="merge").held_back
    assert held.reason.startswith("declared.Perk: rows")
    declare(Card, on_collision="discard")
    plan = planned(
        Customer, "name", on_collision="merge", collisions={"declared.Perk.card": "merge"}
    )
    assert not plan.held_back
    assert next(c for c in plan.references if c.reference == "declared.Perk.card").merged == 1


def test_collisions_below_are_settled_as_the_merge_says_where_nothing_is_declared(
    declare: Callable[..., None],
) -> None:
    declare(Card, field_rules={"points": "sum"})
    for card, text in zip(points(1, 2), "ab", strict=True):
        Perk.objects.create(card=card, label="tea", text=text)
    assert merged_groups() == 1
    assert (Card.objects.get().points, Perk.objects.get().text) == (3, "a")


def test_declarations_take_as_many_statements_for_many_groups_as_for_one(
    declare: Callable[..., None],
) -> None:
    rules = {"points": "sum", "used": "max"}
    declare(Card, survivor="-used", field_rules=rules, on_conflict="hold")

    def statements(*names: str) -> int:
        for name in names:
            for used in (1, 2):
                customer = Customer.objects.create(name=name)
                card = Card.objects.create(customer=customer, program="gold", used=used, points=1)
                Perk.objects.create(card=card, label="tea", uses=used)
        with CaptureQueriesContext(connection) as queries:
            assert merged_groups(field_rules={"name": "longest"}) == len(names)
        return len(queries)

    # of a single row MariaDB knows the number without asking
    assert statements("Ann", "Amy") == statements("Bob", "Cid", "Dan", "Eve")


# values that the database refuses


def test_a_value_that_breaks_a_constraint_below_holds_its_group_back_alone(
    declare: Callable[..., None],
) -> None:
    declare(Card, field_rules={"points": "sum"})
    points(600, 600)
    for name in ("Bob", "Bob"):
        Card.objects.create(customer=Customer.objects.create(name=name), program="gold", points=300)
    before = snapshot()
    run = merge(plan_merge(match_key(Customer, ["name"]), policy=MergePolicy(on_collision="merge")))
    assert run.merged == 1
    (held,) = run.held_back
    assert "declared.Card" in held["reason"]
    assert "card_points" in held["reason"]
    assert sorted(Card.objects.values_list("points", flat=True)) == [600, 600, 600]
    assert_undo_restores(run, before)


def test_a_unique_value_that_only_the_rival_has_moves_to_its_winner() -> None:
    kept, _ = cards({"code": None}, {"code": "b"})
    before = snapshot()
    run = merged(Customer, "name", on_collision="merge")
    assert list(Card.objects.values_list("pk", "code")) == [(kept.pk, "b")]
    assert_undo_restores(run, before)


# survivor rules


@pytest.mark.parametrize(
    ("rule", "winner"),
    [
        ("newest", 2),
        ("oldest", 0),
        ("-used", 1),
        ("used,points", 2),
        ("most-complete", 1),
        ("most-referenced", 2),
        ([F("points").desc()], 0),
        (["-points"], 0),
        ([Lower("note").asc(nulls_last=True)], 1),
    ],
)
def test_the_survivor_rule_of_the_rivals_decides_which_wins(
    declare: Callable[..., None], rule: Any, winner: int
) -> None:
    declare(Card, survivor=rule)
    rows = cards(
        {"points": 9, "used": 4, "note": "Z"},
        {"points": 1, "used": 7, "note": "a", "code": "x"},
        {"points": 2, "used": 4, "note": "m"},
    )
    for card in (rows[0], rows[2], rows[2]):
        Purchase.objects.create(card=card)
    before = snapshot()
    run = merged(Customer, "name", on_collision="merge")
    card = Card.objects.get()
    assert (card.pk, card.note) == (rows[winner].pk, rows[winner].note)
    assert (card.customer_id, card.purchase_set.count()) == (rows[0].customer_id, 3)
    assert_undo_restores(run, before)


def test_blanks_are_filled_in_the_order_of_the_rivals_own_rule(
    declare: Callable[..., None],
) -> None:
    declare(Card, survivor="-points")
    rows = cards(
        {"points": 1, "note": "last"}, {"points": 3}, {"points": 2, "note": "next", "used": 5}
    )
    merged(Customer, "name", on_collision="merge")
    card = Card.objects.get()
    assert (card.pk, card.note, card.used) == (rows[1].pk, "next", 5)


def test_the_row_that_pointed_at_the_survivor_wins_where_no_rule_is_declared() -> None:
    lost = Card.objects.create(customer=Customer.objects.create(name="Ann"), program="gold")
    kept = Card.objects.create(customer=Customer.objects.create(name="Ann"), program="gold")
    merged_rows(Customer, lost.customer_id, kept.customer_id, survivor="newest")
    assert Card.objects.get().pk == kept.pk


def test_a_discarded_rival_is_the_one_that_does_not_survive(declare: Callable[..., None]) -> None:
    declare(Card, survivor="-points")
    _, kept = points(1, 2)
    before = snapshot()
    run = merged(Customer, "name", on_collision="discard")
    assert list(Card.objects.values_list("pk", "points")) == [(kept.pk, 2)]
    assert counts(run, "declared.Card.customer") == (1, 1, 0)
    assert_undo_restores(run, before)


def test_of_equal_rivals_the_one_that_survives_stays(declare: Callable[..., None]) -> None:
    declare(Card, survivor="newest")
    _, kept = points(1, 1)
    people = list(Customer.objects.values_list("pk", flat=True))
    run = merged_rows(Customer, *people)
    assert list(Card.objects.values_list("pk", flat=True)) == [kept.pk]
    assert counts(run, "declared.Card.customer") == (1, 1, 0)


def test_a_preview_names_rivals_as_their_survivor_rule_has_them(
    declare: Callable[..., None],
) -> None:
    declare(Card, survivor="newest")
    lost, kept = points(1, 2)
    run = merged_rows(Customer, lost.customer_id, kept.customer_id)
    assert run.held_back[0]["reason"].startswith(
        f"declared.Card: rows {kept.pk} and {lost.pk} would break"
    )


def test_rivals_of_rivals_win_by_their_own_rule(declare: Callable[..., None]) -> None:
    declare(Perk, survivor="-uses")
    rows = [
        Perk.objects.create(card=card, label="tea", uses=uses)
        for uses, card in enumerate(points(1, 2))
    ]
    before = snapshot()
    run = merged(Customer, "name", on_collision="merge")
    assert list(Perk.objects.values_list("pk", "uses")) == [(rows[1].pk, 1)]
    assert_undo_restores(run, before)


def test_the_survivor_rule_of_the_merge_itself_speaks_of_its_own_model_only() -> None:
    _, lost = points(1, 2)
    merged(Customer, "name", on_collision="merge", survivor="newest")
    assert Card.objects.get().pk == lost.pk  # it pointed at the survivor


@pytest.mark.parametrize("policy", ["merge", "discard"])
def test_a_row_whose_key_follows_wins_by_its_own_rule_and_takes_the_survivors_key(
    declare: Callable[..., None], policy: str
) -> None:
    declare(Wallet, survivor="-changed")
    people = [Customer.objects.create(name="Ann") for _ in range(3)]
    for person, changed in zip(people, (1, 9, 5), strict=True):
        Wallet.objects.create(customer=person, balance=10 * changed, changed=changed)
    if policy == "merge":
        for count, person in enumerate(people, start=1):
            for _ in range(count):
                Receipt.objects.create(wallet_id=person.pk)
    before = snapshot()
    run = merged(Customer, "name", on_collision=policy)
    wallet = Wallet.objects.get()
    assert (wallet.pk, wallet.balance, wallet.changed) == (people[0].pk, 90, 9)
    assert wallet.receipt_set.count() == Receipt.objects.count()
    assert_undo_restores(run, before)


def test_parts_of_objects_win_with_their_objects(declare: Callable[..., None]) -> None:
    declare(GiftCard, survivor="newest")
    for balance in (5, 7):
        customer = Customer.objects.create(name="Ann")
        GiftCard.objects.create(customer=customer, program="gold", balance=balance)
    merged(Customer, "name", on_collision="merge")
    assert GiftCard.objects.get().balance == 5
    declare(Card, survivor="newest")
    GiftCard.objects.create(customer=Customer.objects.create(name="Ann"), program="gold", balance=9)
    before = snapshot()
    run = merged(Customer, "name", on_collision="merge")
    assert GiftCard.objects.get().balance == 9
    assert_undo_restores(run, before)
