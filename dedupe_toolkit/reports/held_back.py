"""Groups that merges held back: those of stored runs, and those of one report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..printing import counted, on_one_line, print_table, say, shown_value
from .formats import as_csv, json_line, shown_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import Console

    from ..models import HeldGroup

SHOWN = 20


def held_document(groups: Iterable[HeldGroup]) -> dict[str, Any]:
    return {"held_back_groups": [_held_row(group) for group in groups]}


def held_csv(groups: Iterable[HeldGroup]) -> str:
    rows = [_held_row(group) for group in groups]
    texts = [
        row
        | {
            "fields": " ".join(row["fields"]),
            "values": json_line(row["values"]),
            "rows": " ".join(map(shown_key, row["rows"])),
        }
        for row in rows
    ]
    return as_csv(texts, ["run", "model", "fields", "values", "rows", "reason"])


def print_held_back(console: Console, groups: Sequence[HeldGroup]) -> None:
    if not groups:
        say(console, "No groups are held back.")
        return
    rows = [
        [str(group.run_id), group.run.model, ", ".join(map(shown_key, group.rows)), group.reason]
        for group in groups
    ]
    print_table(console, ["run", "model", "rows", "reason"], rows)


def _held_row(group: HeldGroup) -> dict[str, Any]:
    return {
        "run": group.run_id,
        "model": group.run.model,
        "fields": group.run.fields,
        "values": group.values,
        "rows": group.rows,
        "reason": group.reason,
        "code": group.reason.code,
    }


def print_held_groups(console: Console, held: Sequence[Mapping[str, Any]]) -> None:
    if not held:
        return
    say(console, f"{counted(len(held), 'group')} held back:")
    rows = [
        [
            ", ".join(map(shown_value, group["values"].values())),
            ", ".join(map(shown_key, group["rows"])),
            group["reason"],
        ]
        for group in held[:SHOWN]
    ]
    print_table(console, ["key", "rows", "reason"], rows)
    if len(held) > SHOWN:
        say(console, f"and {counted(len(held) - SHOWN, 'more group')}.")


def held_lines(groups: Iterable[Mapping[str, Any]]) -> list[str]:
    """A line for each group held back, for standard error beside a document."""
    return [f"held back: {_named(group)}: {on_one_line(group['reason'])}" for group in groups]


def _named(group: Mapping[str, Any]) -> str:
    rows = f"rows {', '.join(map(shown_key, group['rows']))}"
    values = ", ".join(map(shown_value, group["values"].values()))
    return f"{on_one_line(values)} ({rows})" if values else rows
