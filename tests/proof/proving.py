"""One case of the proof: merged as the reference says, planned as done, and back again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from dedupe_toolkit import MergePolicy, match_key, merge, plan_merge, undo

from .drawn_triggers import trigger_of
from .left_out import uncounted
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
    key = match_key(store.model_of(choices.table), choices.key, nulls=choices.nulls)
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
    assert (run.merged, run.rows_merged) == (plan.mergeable, plan.rows_to_merge)
    held = set(groups) - set(not_held(store, run, rows, choices))
    assert len(held) == len(run.held_back)
    assert held <= blamed(rows, groups, choices)
    said = {c.reference: (c.repointed, c.discarded, c.merged) for c in plan.references}
    did = {c["reference"]: (c["repointed"], c["discarded"], c["merged"]) for c in run.references}
    said |= {
        reference: did[reference] for reference in uncounted(choices.schema) if reference in did
    }
    # a row that points into groups of two batches is settled in two steps, each of which counts
    assert did == said or run.batches > 1


def check_triggers(plan: MergePlan, store: Store, rows: Rows, after: Rows) -> None:
    """What the database changes by itself is no part of the merge, so the plan names it."""
    for table in store.schema.tables:
        before, now = rows[table.name], after[table.name]
        if table.stamped and any(row != before.get(pk, row) for pk, row in now.items()):
            said = f"{store.model_of(table.name)._meta.label} ({trigger_of(table.name)})"
            assert said in plan.triggers


def not_held(store: Store, run: MergeRun, rows: Rows, choices: Choices) -> list[Group]:
    held: list[dict[str, Any]] = run.held_back
    keys = {frozenset(store.key_of(choices.table, pk) for pk in group["rows"]) for group in held}
    return [g for g in duplicate_groups(rows, choices) if frozenset(g) not in keys]
