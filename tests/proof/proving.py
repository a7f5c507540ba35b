"""One case of the proof: merged as the reference says, planned as done, and back again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from dedupe_toolkit import MergePolicy, match_key, merge, plan_merge, undo

from .drawn_triggers import trigger_of
from .left_out import LIMITS
from .reference import blamed, merged
from .reference_values import duplicate_groups, kept_ties
from .store import Store

if TYPE_CHECKING:
    from dedupe_toolkit import MergePlan, MergeRun

    from .reference_values import Choices, Group
    from .tables import Rows


def prove_and_roll_back(rows: Rows, choices: Choices) -> None:
    store = Store(choices.schema)
    with transaction.atomic(), store.declaring(choices):
        prove(store, rows, choices)
        transaction.set_rollback(True)


def prove(store: Store, rows: Rows, choices: Choices) -> None:
    store.load(rows)
    start = store.exactly()
    assert store.dump() == rows
    plan = planned(store, choices)
    run = merge(plan)
    after = store.dump()
    check_plan(plan, run, store, rows, choices)
    check_triggers(plan, store, rows, after)
    left = not_held(store, run, rows, choices)
    assert after == merged(rows, left, choices)
    store.check_foreign_keys()
    undo(run)
    assert store.exactly() == start
    store.check_foreign_keys()


def planned(store: Store, choices: Choices) -> MergePlan:
    key = match_key(
        store.model_of(choices.table),
        choices.key,
        nulls=choices.nulls,
        blanks=choices.blanks,
        where=choices.where,
    )
    policy = policy_of(choices, limit=choices.limit, batch_size=choices.batch_size)
    return plan_merge(key, policy=policy)


def policy_of(choices: Choices, **more: Any) -> MergePolicy:
    return MergePolicy(
        survivor=choices.survivor,
        field_rules=choices.rules,
        on_collision=choices.on_collision,
        collisions=dict.fromkeys(kept_ties(choices), "keep"),
        on_conflict=choices.on_conflict,
        **more,
    )


def check_plan(plan: MergePlan, run: MergeRun, store: Store, rows: Rows, choices: Choices) -> None:
    """The run did what the plan said, and what is held back is to blame for something."""
    groups = duplicate_groups(rows, choices)
    assert plan.groups == len(groups)
    merged_by_plan = (plan.mergeable, plan.rows_to_merge)
    assert (run.merged, run.rows_merged) == merged_by_plan, run.held_back
    assert len(groups) - len(not_held(store, run, rows, choices)) == len(run.held_back)
    told = [one for one in run.held_back if one["code"] not in LIMITS]
    held = {group for group in groups if _named(store, group, told, choices)}
    assert held <= blamed(rows, groups, choices), told
    said = {c.reference: (c.repointed, c.discarded, c.merged) for c in plan.references}
    did = {c["reference"]: (c["repointed"], c["discarded"], c["merged"]) for c in run.references}
    # one may list a reference of which the other says nothing, as long as no row of it counts
    nothing = (0, 0, 0)
    counts = {each: (said.get(each, nothing), did.get(each, nothing)) for each in said | did}
    differing = {each: both for each, both in counts.items() if both[0] != both[1]}
    # a row that points into groups of two batches is settled in two steps, each of which counts
    assert not differing or run.batches > 1, differing


def check_triggers(plan: MergePlan, store: Store, rows: Rows, after: Rows) -> None:
    """What the database changes by itself is no part of the merge, so the plan names it."""
    for table in store.schema.tables:
        before, now = rows[table.name], after[table.name]
        if table.stamped and any(row != before.get(pk, row) for pk, row in now.items()):
            said = f"{store.model_of(table.name)._meta.label} ({trigger_of(table.name)})"
            assert said in plan.triggers


def not_held(store: Store, run: MergeRun, rows: Rows, choices: Choices) -> list[Group]:
    groups = duplicate_groups(rows, choices)
    return [group for group in groups if not _named(store, group, run.held_back, choices)]


def _named(store: Store, group: Group, held: list[dict[str, Any]], choices: Choices) -> bool:
    keys = ({store.key_of(choices.table, pk) for pk in one["rows"]} for one in held)
    return set(group) in keys
