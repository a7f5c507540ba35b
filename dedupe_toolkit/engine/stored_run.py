"""What is stored of a run beside its journal: the plan's source and policy, groups held back."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from ..models import HeldGroup, MergeRun
from ..values import MatchKey, RowSet, rule_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .. import values
    from ..values import MergePlan


def store_run(plan: MergePlan) -> MergeRun:
    """A new run for the plan, with the groups that it holds back.

    Call it while the lock of the model's runs is yours.
    """
    runs = MergeRun.objects.using(plan.using)
    # the lock is ours, so a run that still calls itself running was cut off
    runs.filter(model=plan.source.label, status=MergeRun.Status.RUNNING).update(
        status=MergeRun.Status.INTERRUPTED
    )
    run = runs.create(
        model=plan.source.label,
        fields=list(plan.source.fields) if isinstance(plan.source, MatchKey) else [],
        policy=_policy(plan),
        groups=plan.groups,
    )
    run.groups_held_back = store_held(run, plan.held_back, plan.using)
    return run


def store_held(run: MergeRun, groups: Iterable[values.HeldGroup], using: str) -> int:
    """Store groups held back with their run; returns how many they are."""
    held = [HeldGroup(run=run, **asdict(group)) for group in groups]
    HeldGroup.objects.using(using).bulk_create(held, batch_size=500)
    return len(held)


def _policy(plan: MergePlan) -> dict[str, Any]:
    """The policy as plain values: functions and ordering expressions as people read them."""
    named = {field: rule_name(rule) for field, rule in plan.policy.field_rules.items()}
    survivor = plan.policy.survivor
    if not isinstance(survivor, str):
        survivor = [str(expression) for expression in survivor]
    policy = asdict(replace(plan.policy, field_rules=named, survivor=survivor))
    if isinstance(plan.source, RowSet):
        return policy | {"pks": list(plan.source.pks), "into": plan.source.into}
    key = plan.source
    return policy | {"nulls": key.nulls, "blanks": key.blanks, "where": dict(key.where)}
