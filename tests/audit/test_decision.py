"""The decision procedure, row by row: what a race does to a call, by the rules that there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.db.models import F

from dedupe_toolkit.audit.decision import decide
from dedupe_toolkit.audit.filters import filters_of
from dedupe_toolkit.audit.rules import rules_of
from dedupe_toolkit.audit.values import Call, Given, Null
from tests.situations.audited import models as m

if TYPE_CHECKING:
    from django.db.models import Model

    from dedupe_toolkit.audit.values import Decision

pytestmark = pytest.mark.django_db

VARIABLE = Given(text="value")
KEY = Given(text="obj", is_key=True)
PROMISED = Given(text="declared", null=Null.PROMISED)
FILLED = Given(text="self", null=Null.NEVER, is_key=True)
NOW = Given(text="now()", null=Null.NEVER, varies=True)


def judged(model: type[Model], **lookups: Any) -> Decision:
    """The verdict on ``get_or_create(**lookups)``; plain values stand for literals."""
    special = {name: lookups.pop(name) for name in ("defaults", "many_to_many") if name in lookups}
    filters, excludes = filters_of(lookups.pop("queryset", model._base_manager.all()))
    defaults = special.get("defaults", {})
    call = Call(
        model=model,
        lookups=_given(lookups),
        filters={**filters, **_given(lookups.pop("filters", {}))},
        excludes=excludes,
        defaults=None if defaults is None else _given(defaults),
        many_to_many=special.get("many_to_many", ""),
    )
    return decide(call, rules_of(model, "default"))


def _given(values: dict[str, Any]) -> dict[str, Given]:
    return {name: one if isinstance(one, Given) else Given.of(one) for name, one in values.items()}


def verdict(model: type[Model], **lookups: Any) -> str:
    """The verdict and its reason in one word each."""
    decision = judged(model, **lookups)
    return f"{decision.verdict} {decision.reason}"


def where(feature: str, there: str, elsewhere: str) -> str:
    """What is expected where the database can, and where it makes no such rule."""
    return there if getattr(connection.features, feature) else elsewhere


def test_nothing_unique_within_the_look_up_is_unsafe() -> None:
    assert verdict(m.Loose, key=VARIABLE) == "unsafe no-rule"


def test_a_rule_on_exactly_what_is_looked_up_is_safe() -> None:
    assert verdict(m.Coded, key=VARIABLE) == "safe exact"
    assert verdict(m.Pair, a=VARIABLE, b=VARIABLE) == "safe exact"
    assert judged(m.Pair, a=VARIABLE, b=VARIABLE).rule == "unique (a, b)"


def test_a_rule_on_more_than_is_looked_up_is_unsafe() -> None:
    assert verdict(m.Pair, a=VARIABLE, defaults={"b": Given()}) == "unsafe superset"
    assert judged(m.Pair, a=VARIABLE, defaults={"b": Given()}).fields == ("b",)


def test_a_rule_on_less_than_is_looked_up_is_fragile() -> None:
    assert verdict(m.Pair, a=VARIABLE, b=VARIABLE, c=VARIABLE) == "fragile subset"
    assert judged(m.Pair, a=VARIABLE, b=VARIABLE, c=VARIABLE).fields == ("c",)


def test_a_narrower_rule_beside_the_exact_one_counts() -> None:
    assert verdict(m.Coded, id=VARIABLE, key=VARIABLE) == "fragile subset"


def test_another_rule_within_the_look_up_counts_beside_the_exact_one() -> None:
    assert verdict(m.TwiceUnique, key=VARIABLE) == where(
        "supports_expression_indexes", "fragile other-spelling", "safe exact"
    )
    assert verdict(m.TwiceUnique, a=VARIABLE, b=VARIABLE) == where(
        "supports_partial_indexes", "fragile defaults", "safe exact"
    )
    assert verdict(m.TwiceUnique, a=VARIABLE, b=VARIABLE, defaults={"active": False}) == (
        "safe exact"
    )


def test_an_expression_that_leaves_rows_out_is_a_condition_nobody_knows() -> None:
    assert verdict(m.Chosen, key=VARIABLE) == where(
        "supports_expression_indexes", "unknown open-condition", "unsafe no-rule"
    )


def test_defaults_have_the_last_word_on_what_is_created() -> None:
    assert verdict(m.Coded, key="a", defaults={"key": "a"}) == "safe exact"
    assert verdict(m.Coded, key="a", defaults={"key": "b"}) == "fragile lost"
    assert verdict(m.Coded, key=VARIABLE, defaults={"key": Given(text="x")}) == (
        "unknown opaque-defaults"
    )


def test_a_filter_on_the_looked_up_field_hides_the_row() -> None:
    rows = m.Coded.objects.filter(key="x")
    assert verdict(m.Coded, key=VARIABLE, queryset=rows) == "fragile hidden-rows"
    assert verdict(m.Coded, key="x", queryset=rows) == "safe exact"


def test_what_differs_on_every_call_is_never_the_same_value() -> None:
    assert not NOW.equals(NOW)
    assert verdict(m.Daily, day=NOW) == "safe exact"


def test_a_rule_that_literal_defaults_complete_is_fragile() -> None:
    assert verdict(m.Pair, a=VARIABLE, defaults={"b": ""}) == "fragile defaults"
    assert verdict(m.Pair, a=VARIABLE, defaults={"b": VARIABLE}) == "fragile defaults"


def test_foreign_keys_are_the_same_under_both_names() -> None:
    assert verdict(m.Child, parent=KEY, key=VARIABLE) == "safe exact"
    assert verdict(m.Child, parent_id=VARIABLE, key=VARIABLE) == "safe exact"


@pytest.mark.parametrize("name", ["id", "pk"])
def test_the_primary_key_is_a_rule_like_any_other(name: str) -> None:
    assert verdict(m.Loose, **{name: 1}) == "safe exact"
    assert verdict(m.Loose, **{name: None}) == "unsafe null"


@pytest.mark.parametrize("name", ["id", "pk"])
def test_a_primary_key_that_may_be_none_is_filled_in_anew_if_it_is(name: str) -> None:
    assert verdict(m.Loose, **{name: VARIABLE}) == "fragile unless-null"
    assert verdict(m.Token, **{name: VARIABLE}) == "fragile unless-null"
    assert verdict(m.Token, **{name: PROMISED}) == "fragile unless-null"
    assert verdict(m.Token, **{name: FILLED}) == "safe exact"


def test_a_composite_primary_key_is_safe_as_a_whole() -> None:
    assert verdict(m.Grid, a=VARIABLE, b=VARIABLE) == "safe exact"
    assert verdict(m.Grid, pk=(1, 2)) == "safe exact"
    assert verdict(m.Grid, a=VARIABLE) == "unsafe superset"


def test_rules_of_a_multi_table_parent_count() -> None:
    assert verdict(m.Derived, code=VARIABLE) == "safe exact"
    assert verdict(m.DerivedProxy, code=VARIABLE) == "safe exact"
    assert verdict(m.Derived, id=1) == "safe exact"
    assert verdict(m.Derived, base_ptr=FILLED) == "safe exact"
    assert verdict(m.Derived, base_ptr=VARIABLE) == "fragile unless-null"
    assert verdict(m.Derived, code=VARIABLE, extra=VARIABLE) == "fragile subset"


def test_null_takes_a_row_out_of_the_rule() -> None:
    assert verdict(m.Stray, parent=None, key=VARIABLE) == "unsafe null"
    assert verdict(m.Stray, code=VARIABLE, key=VARIABLE) == "unsafe null"
    assert verdict(m.Stray, parent=FILLED, key=VARIABLE) == "safe exact"
    assert verdict(m.Stray, code=PROMISED, key=VARIABLE) == "fragile unless-null"
    assert verdict(m.Stray, code="x", key=VARIABLE) == "safe exact"


def test_an_instance_that_may_be_none_is_safe_unless_it_is() -> None:
    decision = judged(m.Stray, parent=VARIABLE, key=VARIABLE)
    assert (decision.verdict, decision.reason) == ("fragile", "unless-null")
    assert decision.sentence == (
        "safe by unique (parent, key) unless parent is None, which nothing here rules out"
    )


def test_a_rule_for_rows_with_a_value_and_one_for_those_without_hold_together() -> None:
    for parent in (VARIABLE, FILLED, None):
        covered = "safe exact" if parent is FILLED else "unsafe null"
        covered = "fragile unless-null" if parent is VARIABLE else covered
        assert verdict(m.Either, parent=parent, key=VARIABLE) == where(
            "supports_partial_indexes", "safe exact", covered
        )


def test_nulls_that_are_equal_leave_no_gap() -> None:
    assert verdict(m.NullsEqual, parent=None, key=VARIABLE) == where(
        "supports_nulls_distinct_unique_constraints", "safe exact", "unsafe no-rule"
    )


def test_a_conditional_rule_counts_for_rows_that_meet_it() -> None:
    expected = {
        "safe exact": {"key": VARIABLE, "active": True},
        "unsafe condition": {"key": VARIABLE, "active": False},
        "fragile defaults": {"key": VARIABLE},
        "unknown open-condition": {"key": VARIABLE, "active": VARIABLE},
    }
    for there, lookups in expected.items():
        assert verdict(m.Switched, **lookups) == where(
            "supports_partial_indexes", there, "unsafe no-rule"
        )


def test_a_rule_without_case_needs_a_look_up_without_case() -> None:
    expected = {
        "safe exact": {"key__iexact": VARIABLE, "defaults": {"key": VARIABLE}},
        "fragile other-spelling": {"key": VARIABLE},
        "unknown opaque-defaults": {"key__iexact": VARIABLE, "defaults": None},
        "fragile lost": {"key__iexact": VARIABLE},
    }
    elsewhere = ["unsafe no-rule", "unsafe no-rule", "unsafe no-rule", "unsafe lost"]
    for (there, lookups), other in zip(expected.items(), elsewhere, strict=True):
        assert verdict(m.Folded, **lookups) == where("supports_expression_indexes", there, other)


def test_a_lowered_default_is_the_same_value_without_case() -> None:
    asked, lowered = Given(text="email"), Given(text="email.lower()")
    assert verdict(m.Folded, key__iexact=asked, defaults={"key": lowered}) == where(
        "supports_expression_indexes", "safe exact", "unsafe no-rule"
    )


def test_a_deferrable_rule_fails_too_late() -> None:
    assert verdict(m.Late, key=VARIABLE) == where(
        "supports_deferrable_unique_constraints", "fragile deferrable", "unsafe no-rule"
    )


@pytest.mark.parametrize(
    ("model", "lookups", "expected"),
    [
        (m.Coded, {"key__exact": VARIABLE}, "fragile lost"),
        (m.Coded, {"key__exact": VARIABLE, "defaults": {"key": VARIABLE}}, "safe exact"),
        (m.Loose, {"key__exact": VARIABLE}, "unsafe lost"),
        (m.Stray, {"parent__id": VARIABLE, "key": VARIABLE}, "unsafe lost"),
        (m.Stray, {"parent__pk": VARIABLE, "key": VARIABLE}, "unsafe lost"),
        (m.Child, {"parent__id": VARIABLE, "key": VARIABLE}, "fragile lost"),
        (m.Stray, {"parent__name": VARIABLE, "key": VARIABLE}, "unsafe lost"),
        (m.Child, {"parent__name": "n", "key": VARIABLE}, "fragile lost"),
    ],
)
def test_a_look_up_that_does_not_reach_create_is_lost(
    model: type[Model], lookups: dict[str, Any], expected: str
) -> None:
    assert verdict(model, **lookups) == expected


def test_whether_a_parent_has_the_name_that_it_is_looked_up_by_cannot_be_told() -> None:
    lookups = {"parent__name": "n", "key": VARIABLE, "defaults": {"parent": KEY}}
    assert verdict(m.Child, **lookups) == "unknown opaque-defaults"


def test_a_filter_before_the_call_does_not_reach_create() -> None:
    active = m.Switched.objects.filter(active=False)
    assert verdict(m.Switched, key=VARIABLE, queryset=active) == where(
        "supports_partial_indexes", "fragile lost", "unsafe lost"
    )
    noted = m.Coded.objects.filter(note="x")
    assert verdict(m.Coded, key=VARIABLE, queryset=noted) == "fragile lost"
    assert verdict(m.Loose, key=VARIABLE, queryset=m.Loose.objects.filter(note="x")) == (
        "unsafe lost"
    )


def test_a_filter_that_the_created_row_meets_is_part_of_the_key() -> None:
    assert verdict(m.Kind, key=VARIABLE, queryset=m.Kind.of_b.all(), defaults={"kind": "b"}) == (
        "safe exact"
    )
    assert verdict(m.Kind, key=VARIABLE, queryset=m.Kind.objects.filter(kind="a")) == "safe exact"
    assert verdict(m.Kind, key=VARIABLE, queryset=m.Kind.of_b.all()) == "fragile lost"


def test_rows_that_the_manager_hides_collide() -> None:
    alive = m.Soft.alive.all()
    assert verdict(m.Soft, key=VARIABLE, queryset=alive) == "fragile hidden-rows"
    assert verdict(m.Soft, key=VARIABLE) == "safe exact"


def test_a_rule_with_the_managers_own_condition_is_safe() -> None:
    lookups = {"name": VARIABLE, "defaults": {"key": Given()}}
    assert verdict(m.Soft, **lookups, queryset=m.Soft.alive.all()) == where(
        "supports_partial_indexes", "safe exact", "unsafe no-rule"
    )


def test_a_condition_that_is_no_look_up_hides_rows() -> None:
    shown = m.Coded.objects.exclude(note="x")
    assert verdict(m.Coded, key=VARIABLE, queryset=shown) == "fragile hidden-rows"
    assert verdict(m.Loose, key=VARIABLE, queryset=m.Loose.objects.exclude(note="x")) == (
        "unsafe no-rule"
    )


def test_many_to_many_is_never_safe() -> None:
    assert verdict(m.Coded, key=VARIABLE, many_to_many="Board.coded") == "fragile many-to-many"
    assert verdict(m.Loose, key=VARIABLE, many_to_many="Board.loose") == "unsafe many-to-many"


def test_a_value_that_differs_every_time_never_finds_a_row() -> None:
    assert verdict(m.Loose, key=VARIABLE, seen=NOW) == "unsafe volatile"
    assert verdict(m.Token, id=NOW) == "unsafe volatile"
    assert verdict(m.Coded, key=VARIABLE, seen=NOW) == "fragile volatile"


def test_a_value_that_is_not_stored_as_given_is_not_found_again() -> None:
    assert verdict(m.Coded, key=VARIABLE, stamp=VARIABLE) == "fragile not-stored-as-given"
    assert verdict(m.Coded, price=1.005) == "fragile not-stored-as-given"
    assert verdict(m.Coded, price=1.25) == "safe exact"
    assert verdict(m.Loose, amount=1.005) == "unsafe not-stored-as-given"
    assert verdict(m.Tidied, name=VARIABLE) == "fragile not-stored-as-given"
    assert verdict(m.Tidied, name=Given(text="name.strip()")) == "safe exact"
    assert verdict(m.Coded, key=F("note")) == "fragile not-stored-as-given"


def test_locking_a_row_before_it_is_there_makes_racers_deadlock_where_gaps_are_locked() -> None:
    call = Call(model=m.Coded, lookups={"key": VARIABLE}, deadlocks=True)
    decision = decide(call, rules_of(m.Coded, "default"))
    assert (decision.verdict, decision.reason) == ("fragile", "deadlock")
    loose = Call(model=m.Loose, lookups={"key": VARIABLE}, deadlocks=True)
    assert decide(loose, rules_of(m.Loose, "default")).reason == "no-rule"


def test_a_call_that_looks_for_nothing_is_unsafe() -> None:
    assert verdict(m.Loose) == "unsafe no-lookup"
    assert verdict(m.Loose, defaults={"id": 1}) == "fragile defaults"


def test_a_look_up_that_is_no_column_is_unknown() -> None:
    assert verdict(m.Board, coded=VARIABLE) == "unknown unknown-field"
    assert verdict(m.Mark, about=VARIABLE) == "unknown unknown-field"


def test_a_generic_relation_looks_up_both_its_columns() -> None:
    lookups = {"content_type": FILLED, "object_id": FILLED, "text": VARIABLE}
    assert verdict(m.Mark, **lookups) == "safe exact"


def test_every_sentence_is_complete() -> None:
    assert judged(m.Loose, key=VARIABLE).sentence == (
        "nothing is unique within what it looks up: a race creates duplicates"
    )
    assert judged(m.Coded, key__exact=VARIABLE).sentence == (
        "key__exact is asked for by get() and not given to create(): the row is not found again,"
        " and the next call raises IntegrityError"
    )
    assert judged(m.Coded, key=VARIABLE, seen=NOW).sentence == (
        "seen is given another value by every call: it never finds a row, and unique (key) makes"
        " the second call raise IntegrityError"
    )
