"""What is stored of a run beside its journal: the plan's source and policy, groups held back."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.utils import timezone

from ..models import HeldGroup, MergeRun
from ..plain import plain_held, plain_key, plain_where
from ..values import MatchKey, RowSet, rule_name
from ..verbose import user_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import Model

    from .. import plan_values
    from ..plan_values import MergePlan
    from ..values import MergePolicy


def store_run(plan: MergePlan, by: Any, origin: MergeRun.Origin) -> MergeRun:
    """A new run for the plan, with the groups that it holds back.

    ``by`` is the user who merges, or a name. Call it while the lock of the model's runs is yours.
    """
    _interrupt_others(plan)
    run = open_run(plan.source, plan.policy, plan.groups, plan.using, by, origin)
    run.groups_held_back = store_held(run, plan.source, plan.held_back, plan.using)
    return run


def carry_on(run: MergeRun, plan: MergePlan) -> MergeRun:
    """The same of a run that was begun earlier, of whose groups the plan has some."""
    _interrupt_others(plan, run.pk)
    run.refresh_from_db(using=plan.using)
    run.groups_held_back += store_held(run, plan.source, plan.held_back, plan.using)
    run.status, run.finished, run.progressed = MergeRun.Status.RUNNING, None, timezone.now()
    changed = ["status", "finished", "progressed", "groups_held_back"]
    run.save(using=plan.using, update_fields=changed)
    return run


def open_run(
    source: MatchKey | RowSet,
    policy: MergePolicy,
    groups: int,
    using: str,
    by: Any,
    origin: MergeRun.Origin,
) -> MergeRun:
    """A new run of so many groups, none of them merged."""
    return MergeRun.objects.using(using).create(
        model=source.label,
        fields=list(source.fields),
        policy=_policy(source, policy),
        groups=groups,
        origin=origin,
        **_author(by),
    )


def _interrupt_others(plan: MergePlan, run: int | None = None) -> None:
    # the lock is ours, so any other run that still calls itself running was cut off
    runs = MergeRun.objects.using(plan.using).exclude(pk=run or 0)
    runs.filter(model=plan.source.label, status=MergeRun.Status.RUNNING).update(
        status=MergeRun.Status.INTERRUPTED
    )


def _author(by: Any) -> dict[str, Any]:
    """Who merges: a name, and the key of a user."""
    if isinstance(by, AbstractBaseUser):
        return {"by": user_name(by), "user_key": str(by.pk)}
    return {"by": user_name(by)}


def latest_run(model: type[Model], using: str) -> MergeRun | None:
    """The latest run of a model, if there is one."""
    return MergeRun.objects.using(using).filter(model=model._meta.label).order_by("pk").last()


def store_held(
    run: MergeRun, source: MatchKey | RowSet, groups: Iterable[plan_values.HeldGroup], using: str
) -> int:
    """Store groups held back with their run; returns how many they are."""
    held = [
        HeldGroup(run_id=run.pk, values=told["values"], rows=told["rows"], reason=told["reason"])
        for told in (plain_held(source, group) for group in groups)
    ]
    HeldGroup.objects.using(using).bulk_create(held, batch_size=500)
    return len(held)


def _policy(source: MatchKey | RowSet, given: MergePolicy) -> dict[str, Any]:
    """The policy as plain values: functions and ordering expressions as people read them."""
    named = {field: rule_name(rule) for field, rule in given.field_rules.items()}
    survivor = given.survivor
    if not isinstance(survivor, str):
        survivor = [str(expression) for expression in survivor]
    policy = asdict(replace(given, field_rules=named, survivor=survivor))
    if isinstance(source, RowSet):
        model = source.model
        pks = [plain_key(model, pk) for pk in source.pks]
        return policy | {"pks": pks, "into": plain_key(model, source.into)}
    return policy | {"nulls": source.nulls, "blanks": source.blanks, "where": plain_where(source)}
