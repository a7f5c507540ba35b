"""References that survivors are given and that move on count as the plan says: not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dedupe_toolkit import merge
from tests.kit import assert_undo_restores, counts, merged, planned, snapshot
from tests.situations.declared.models import Card, Customer
from tests.situations.objects.models import Licence, Pilot, Stem, Twig

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("batch_size", [0, 1])
@pytest.mark.parametrize("group", [0, 1])
def test_a_winner_is_given_a_duplicate_that_moves_on(group: int, batch_size: int) -> None:
    customers = [Customer.objects.create(name=name) for name in "aabb"]
    for customer, sponsor in zip(customers, (None, customers[2 * group + 1]), strict=False):
        Card.objects.create(customer=customer, program="p", sponsor=sponsor)
    before = snapshot()
    plan = planned(Customer, "name", on_collision="merge", batch_size=batch_size)
    run = merge(plan)
    assert Card.objects.get().sponsor == customers[2 * group]
    assert [c.repointed for c in plan.references if c.reference == "declared.Card.sponsor"] == [0]
    assert counts(run, "declared.Card.sponsor") == (0, 0, 0)
    assert_undo_restores(run, before)


def test_what_a_winner_pointed_at_before_it_was_given_another_counts(
    declare: Callable[..., None],
) -> None:
    customers = [Customer.objects.create(name=name) for name in "aabb"]
    for customer, sponsor in zip(customers[:2], customers[:1:-1], strict=True):
        Card.objects.create(customer=customer, program="p", sponsor=sponsor)
    declare(Card, field_rules={"sponsor": "newest"})
    before = snapshot()
    run = merged(Customer, "name", on_collision="merge")
    assert Card.objects.get().sponsor == customers[2]
    assert counts(run, "declared.Card.sponsor") == (1, 0, 0)
    assert_undo_restores(run, before)


def test_a_winner_is_given_a_part_of_an_object_that_moves_on() -> None:
    parents = [Stem.objects.create(name=name) for name in "ab"]
    twigs = [Twig.objects.create(name=name, label=name) for name in "aab"]
    Twig.objects.filter(pk=twigs[1].pk).update(parent=twigs[2])
    before = snapshot()
    plan = planned(Stem, "name", on_collision="merge", on_conflict="survivor")
    run = merge(plan)
    assert set(Twig.objects.values_list("pk", "parent")) == {
        (parents[0].pk, parents[1].pk),
        (parents[1].pk, None),
    }
    assert [c.repointed for c in plan.references if c.reference == "objects.Twig.parent"] == [0]
    assert counts(run, "objects.Twig.parent") == (0, 0, 0)
    assert_undo_restores(run, before)


@pytest.mark.parametrize(("replaced", "expected"), [(4, 3), (3, 3), (1, None), (0, None)])
def test_a_winner_is_given_no_row_that_goes(replaced: int, expected: int | None) -> None:
    pilots = [Pilot.objects.create(name=name) for name in "aaabb"]
    licences = [Licence.objects.create(pilot=pilot) for pilot in pilots]
    Licence.objects.filter(pk=licences[2].pk).update(replaces=licences[replaced])
    before = snapshot()
    run = merged(Pilot, "name", on_collision="merge")
    assert run.held_back == []
    assert set(Licence.objects.values_list("pilot", "replaces")) == {
        (pilots[0].pk, None if expected is None else licences[expected].pk),
        (pilots[3].pk, None),
    }
    assert_undo_restores(run, before)


def test_a_winner_is_given_a_rival_of_a_later_batch() -> None:
    licences = [Licence.objects.create(pilot=Pilot.objects.create(name=name)) for name in "aabb"]
    Licence.objects.filter(pk=licences[1].pk).update(replaces=licences[3])
    before = snapshot()
    plan = planned(Pilot, "name", on_collision="merge", batch_size=1)
    run = merge(plan)
    assert (run.batches, run.merged) == (2, 2)
    assert Licence.objects.get(pk=licences[0].pk).replaces == licences[2]
    said = [c.repointed for c in plan.references if c.reference == "objects.Licence.replaces"]
    assert said == [counts(run, "objects.Licence.replaces")[0]] == [0]
    assert_undo_restores(run, before)
