"""A merge plan, before anything is written."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..plain import plain_held
from ..printing import counted, print_table, say
from .facts import facts_document, print_facts
from .formats import described
from .held_back import print_held_groups

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from ..plan_values import MergePlan, ReferenceCount

COUNTS = ("repointed", "discarded", "merged")


def print_plan(console: Console, plan: MergePlan) -> None:
    subject = described(plan.source)
    if not plan.groups:
        say(
            console,
            f"{subject}: the table is empty." if plan.is_empty else f"{subject}: no duplicates.",
        )
    else:
        say(
            console,
            f"{subject}: {counted(plan.groups, 'duplicate group')};"
            f" {counted(plan.rows_to_merge, 'row')} to merge into"
            f" {counted(plan.mergeable, 'survivor')}.",
        )
        _print_references(console, plan.references)
        print_facts(console, plan)
        print_held_groups(console, [plain_held(plan.source, group) for group in plan.held_back])
    for warning in plan.warnings:
        say(console, f"Note: {warning}.")


def plan_document(plan: MergePlan) -> dict[str, Any]:
    return {
        "run": None,
        "model": plan.source.label,
        "fields": list(plan.source.fields),
        "groups": plan.groups,
        "merged": plan.mergeable,
        "held_back": len(plan.held_back),
        "rows_merged": plan.rows_to_merge,
        "references": [asdict(count) for count in plan.references],
        **facts_document(plan),
        "held_back_groups": [plain_held(plan.source, group) for group in plan.held_back],
    }


def _print_references(console: Console, references: Iterable[ReferenceCount]) -> None:
    rows = [
        [count.reference, count.kind, *(f"{getattr(count, name):,}" for name in COUNTS)]
        for count in references
    ]
    if rows:
        print_table(console, ["reference", "kind", *COUNTS], rows, numbers=COUNTS)
