"""The engine against the reference: whatever the rows, merged alike, and back again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import transaction
from hypothesis import given

from dedupe_toolkit import MergePolicy, match_key, merge, plan_merge, undo

from .database import check_foreign_keys, dump, load, model_of
from .left_out import UNCOUNTED
from .reference import blamed, merged
from .reference_values import duplicate_groups
from .size import proof_settings
from .strategies import situations

if TYPE_CHECKING:
    from dedupe_toolkit import MergePlan, MergeRun

    from .reference_values import Choices, Group
    from .schema import Rows

    Situation = tuple[Rows, Choices]

pytestmark = pytest.mark.django_db


# one test for each policy, so that they can run side by side
@proof_settings(share=0.2)
@given(situation=situations("person", policies=("merge",)))
def test_persons_merge_with_their_rivals_as_in_the_reference(situation: Situation) -> None:
    prove_and_roll_back(*situation)


@proof_settings(share=0.2)
@given(situation=situations("person", policies=("hold",)))
def test_persons_whose_references_collide_are_held_back_as_in_the_reference(
    situation: Situation,
) -> None:
    prove_and_roll_back(*situation)


@proof_settings(share=0.2)
@given(situation=situations("person", policies=("discard",)))
def test_persons_merge_and_rivals_are_discarded_as_in_the_reference(situation: Situation) -> None:
    prove_and_roll_back(*situation)


@proof_settings(share=0.2)
@given(situation=situations("employee"))
def test_rows_that_inherit_merge_as_in_the_reference(situation: Situation) -> None:
    prove_and_roll_back(*situation)


@proof_settings(share=0.2)
@given(situation=situations("team", "tag"))
def test_the_far_ends_of_links_merge_as_in_the_reference(situation: Situation) -> None:
    prove_and_roll_back(*situation)


def prove_and_roll_back(rows: Rows, choices: Choices) -> None:
    with transaction.atomic():
        prove(rows, choices)
        transaction.set_rollback(True)


def prove(rows: Rows, choices: Choices) -> None:
    load(rows)
    start = dump()
    plan = planned(choices)
    run = merge(plan)
    after = dump()
    check_plan(plan, run, rows, choices)
    left = not_held(run, rows, choices)
    assert after == merged(rows, left, choices)
    check_foreign_keys()
    undo(run)
    assert dump() == start
    check_foreign_keys()


def planned(choices: Choices) -> MergePlan:
    key = match_key(model_of(choices.table), choices.key, nulls=choices.nulls)
    policy = MergePolicy(
        survivor=choices.survivor,
        field_rules=choices.rules,
        on_collision=choices.on_collision,
        on_conflict=choices.on_conflict,
        limit=choices.limit,
        batch_size=choices.batch_size,
    )
    return plan_merge(key, policy=policy)


def check_plan(plan: MergePlan, run: MergeRun, rows: Rows, choices: Choices) -> None:
    """The run did what the plan said, and what is held back is to blame for something."""
    groups = duplicate_groups(rows, choices)
    assert plan.groups == len(groups)
    assert (run.merged, run.rows_merged) == (plan.mergeable, plan.rows_to_merge)
    held = set(groups) - set(not_held(run, rows, choices))
    assert len(held) == len(run.held_back)
    assert held <= blamed(rows, groups, choices)
    said = {c.reference: (c.repointed, c.discarded, c.merged) for c in plan.references}
    did = {c["reference"]: (c["repointed"], c["discarded"], c["merged"]) for c in run.references}
    said |= {reference: did[reference] for reference in UNCOUNTED if reference in did}
    # a row that points into groups of two batches is settled in two steps, each of which counts
    assert did == said or run.batches > 1


def not_held(run: MergeRun, rows: Rows, choices: Choices) -> list[Group]:
    held: list[dict[str, Any]] = run.held_back
    keys = {frozenset(int(pk) for pk in group["rows"]) for group in held}
    return [g for g in duplicate_groups(rows, choices) if frozenset(g) not in keys]
