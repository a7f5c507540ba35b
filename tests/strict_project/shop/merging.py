"""The way from finding to undoing, with the type of each step written out."""

from __future__ import annotations

from dedupe_toolkit import (
    DedupeError,
    DismissedGroup,
    DuplicateGroup,
    MatchKey,
    MergePlan,
    MergePolicy,
    MergeRun,
    audit_get_or_create,
    dismiss,
    find_duplicates,
    make_unique,
    match_key,
    merge,
    offer_again,
    plan_merge,
    row_set,
    survivor_of,
    undo,
)

from .models import Customer

KEY: MatchKey = match_key(Customer, ["email"], ignore_case=True, nulls="equal")


def largest() -> tuple[DuplicateGroup, ...]:
    return find_duplicates(KEY, limit=5).duplicate_groups


def merge_all() -> int:
    policy = MergePolicy(survivor="newest", on_collision="discard", batch_size=100)
    plan: MergePlan = plan_merge(KEY, policy=policy)
    held: list[str] = [group.reason for group in plan.held_back]
    rows: int = sum(count.repointed for count in plan.references)
    try:
        run: MergeRun = merge(plan)
    except DedupeError as error:
        raise SystemExit(str(error)) from error
    return run.rows_merged + rows + len(held)


def merge_two(first: int, second: int) -> MergeRun:
    return merge(plan_merge(row_set(Customer, [first, second], into=first)))


def take_back(run: MergeRun) -> int:
    return undo(run).restored + undo(run.pk, dry_run=True).changed


def keep_apart(first: int, second: int) -> None:
    group: DismissedGroup = dismiss(row_set(Customer, [first, second]), by="ann", note="twins")
    offer_again(group)


def current(pk: int) -> Customer:
    return Customer.objects.get(pk=survivor_of(Customer, pk))


def constrain() -> None:
    make_unique(KEY).write()
    audit_get_or_create("shop")
