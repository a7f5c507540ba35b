"""What a person would regret: the facts of a plan beside its counts."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..plain import plain_group
from ..printing import counted, print_table, say, shown_value
from .formats import shown_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import Console

    from ..plan_values import FieldDifference, MergePlan, TieCount


def facts_document(plan: MergePlan) -> dict[str, Any]:
    """What a plan tells beside references and groups held back: each value by its fields."""
    return {
        "ties": [asdict(count) for count in plan.ties],
        "collisions": [asdict(one) for one in plan.collisions],
        "differences": [asdict(one) for one in plan.differences],
        "repeated_links": [asdict(one) for one in plan.repeated_links],
        "largest_groups": [plain_group(plan.source, group) for group in plan.largest],
        "blank_keys": asdict(plan.blank_keys),
        "triggers": list(plan.triggers),
        "versioned": list(plan.versioned),
        "unsearched": asdict(plan.unsearched),
    }


def print_facts(console: Console, plan: MergePlan) -> None:
    _print_differences(console, plan.differences)
    _print_ties(console, plan.ties)
    _print_largest(console, [plain_group(plan.source, group) for group in plan.largest])
    for sentence in _sentences(plan):
        say(console, sentence)


def _sentences(plan: MergePlan) -> Iterator[str]:
    for links in plan.repeated_links:
        yield (
            f"{links.model} has no unique rule: {counted(links.rows, 'row')} will link what another"
            " row links already."
        )
    blank, unsearched = plan.blank_keys, plan.unsearched
    if blank.groups:
        yield (
            f"An empty text in the key makes {counted(blank.groups, 'group')} of"
            f" {counted(blank.rows, 'row')}; --blanks distinct leaves these out."
        )
    if plan.triggers:
        yield (
            f"Triggers fire as rows are written: {', '.join(plan.triggers)}. What they change is in"
            " no journal, and no undo takes it back."
        )
    if plan.versioned:
        yield (
            f"The database keeps the history of {', '.join(plan.versioned)}: merge and undo are in"
            " it, and undone rows start (ROW START) when they are undone."
        )
    if unsearched.tables:
        tables = counted(unsearched.tables, "table")
        yield f"JSON and array columns of {tables} were not searched for keys."
    if unsearched.holding:
        yield (
            f"Texts there that look like a type and a key: {', '.join(unsearched.holding)}."
            " References in dedupe.py let a merge follow them."
        )


def _print_differences(console: Console, found: Sequence[FieldDifference]) -> None:
    if found:
        say(console, "Values that differ among rows that become one:")
        rows = [[f"{one.model}.{one.field}", f"{one.groups:,}", _what_stays(one)] for one in found]
        print_table(console, ["field", "groups", "what stays"], rows, numbers=["groups"])


def _what_stays(one: FieldDifference) -> str:
    if one.rule:
        return f"as the field rule {one.rule} says"
    gives = "gives" if one.values == 1 else "give"
    return f"the survivor's; {counted(one.values, 'value')} {gives} way to the journal"


def _print_ties(console: Console, ties: Sequence[TieCount]) -> None:
    if ties:
        say(console, "Rows that tie survivor and duplicate together by two references of theirs:")
        counts = {"held back": "held_back", "discarded": "discarded", "kept": "kept"}
        rows = [
            [", ".join(tie.references), *(f"{getattr(tie, name):,}" for name in counts.values())]
            for tie in ties
        ]
        print_table(console, ["references", *counts], rows, numbers=list(counts))


def _print_largest(console: Console, groups: Sequence[Mapping[str, Any]]) -> None:
    if groups:
        say(console, "The largest groups:")
        rows = [
            [
                ", ".join(map(shown_value, group["values"].values())),
                shown_key(group["survivor"]),
                _listed(group),
            ]
            for group in groups
        ]
        print_table(console, ["key", "survivor", "duplicates"], rows)


def _listed(group: Mapping[str, Any]) -> str:
    more = group["rows"] - 1 - len(group["duplicates"])
    return ", ".join(
        [*map(shown_key, group["duplicates"]), *([f"and {more:,} more"] if more else [])]
    )
