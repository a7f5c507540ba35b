"""What was found: the duplicate groups of match keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..plain import plain_key, plain_values
from ..printing import counted, print_table, say, shown_value
from .formats import as_csv, described, json_line, shown_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from ..values import FoundDuplicates


def found_document(found: Iterable[FoundDuplicates]) -> dict[str, Any]:
    return {"keys": [_found_key(one) for one in found]}


def _found_key(found: FoundDuplicates) -> dict[str, Any]:
    return {
        "model": found.key.label,
        "fields": list(found.key.fields),
        "nulls": found.key.nulls.value,
        "groups": found.groups,
        "rows": found.rows,
        "surplus": found.surplus,
        "dismissed": found.dismissed,
        "duplicate_groups": [
            {
                "values": plain_values(found.key, group.values),
                "survivor": plain_key(found.key.model, group.survivor),
                "duplicates": [plain_key(found.key.model, pk) for pk in group.duplicates],
            }
            for group in found.duplicate_groups
        ],
    }


def found_csv(found: Iterable[FoundDuplicates]) -> str:
    columns = ["model", "fields", "values", "survivor", "duplicates"]
    rows = [
        {
            "model": one["model"],
            "fields": " ".join(one["fields"]),
            "values": json_line(group["values"]),
            "survivor": shown_key(group["survivor"]),
            "duplicates": " ".join(map(shown_key, group["duplicates"])),
        }
        for one in map(_found_key, found)
        for group in one["duplicate_groups"]
    ]
    return as_csv(rows, columns)


def print_found(console: Console, found: FoundDuplicates) -> None:
    say(console, f"{described(found.key)}: {_totals(found)}.")
    if found.dismissed:
        say(console, f"Left out: {counted(found.dismissed, 'dismissed group')}.")
    if not found.duplicate_groups:
        return
    rows = [
        [
            *map(shown_value, group["values"].values()),
            shown_key(group["survivor"]),
            ", ".join(map(shown_key, group["duplicates"])),
        ]
        for group in _found_key(found)["duplicate_groups"]
    ]
    print_table(console, [*found.key.fields, "survivor", "duplicates"], rows)
    left = found.groups - len(found.duplicate_groups)
    if left:
        say(console, f"and {counted(left, 'more group')}; --limit 0 lists all.")


def _totals(found: FoundDuplicates) -> str:
    if not found.groups:
        return "the table is empty" if found.is_empty else "no duplicates"
    return (
        f"{counted(found.groups, 'duplicate group')}, {counted(found.rows, 'row')} in"
        f" {'it' if found.groups == 1 else 'them'}, {found.surplus:,} surplus"
    )
