"""A proof as a person reads it, and as a program does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..printing import counted, print_table, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from .proof import Proof, Race

_COLUMNS = ("", "calls", "duplicates", "per 1,000", "calls/s", "errors")
_BAR = 40


def proof_document(proof: Proof, using: str) -> dict[str, Any]:
    """The proof as JSON holds it."""
    return {
        "model": proof.key.label,
        "fields": list(proof.key.fields),
        "nulls": proof.key.nulls,
        "database": using,
        "processes": proof.processes,
        "inside_transaction": proof.inside_transaction,
        "isolation": proof.isolation or None,
        "constraint": proof.constraint,
        "without": _race_document(proof.without),
        "with": _race_document(proof.constrained),
        "notes": list(proof.notes),
    }


def _race_document(race: Race) -> dict[str, Any]:
    return {
        "calls": race.calls,
        "duplicates": race.duplicates,
        "duplicates_per_thousand": round(race.duplicates_per_thousand, 1),
        "errors": dict(race.errors),
        "calls_per_second": race.calls_per_second,
    }


def print_proof(console: Console, proof: Proof) -> None:
    """A table of both races, at a terminal a bar for each, and what may need an explanation."""
    fields = ", ".join(proof.key.fields)
    say(
        console,
        f"{proof.processes} processes call get_or_create for the same {proof.key.label}"
        f" ({fields}), on a scratch copy of its table.",
    )
    races = {"without the constraint": proof.without, "with the constraint": proof.constrained}
    rows = [_row(name, race) for name, race in races.items()]
    print_table(console, _COLUMNS, rows, numbers=_COLUMNS[1:5])
    if console.file.isatty():
        _print_bars(console, races)
    for note in proof.notes:
        console.print(f"{note}.", soft_wrap=True, highlight=False, markup=False)


def _row(name: str, race: Race) -> tuple[str, ...]:
    errors = ", ".join(f"{number:,} {kind}" for kind, number in race.errors.items())
    return (
        name,
        f"{race.calls:,}",
        f"{race.duplicates:,}",
        f"{race.duplicates_per_thousand:,.0f}",
        f"{race.calls_per_second:,.0f}",
        errors or "none",
    )


def _print_bars(console: Console, races: Mapping[str, Race]) -> None:
    """How many of a thousand calls leave a duplicate: the whole width would be all of them."""
    width = min(_BAR, max(console.width - 4, 1))
    for name, race in races.items():
        length = round(width * race.duplicates_per_thousand / 1000)
        length = max(length, 1) if race.duplicates else 0
        say(console, f"{name}: {counted(race.duplicates, 'duplicate')}")
        console.print(f"[red]{'█' * length}[/red][dim]{'·' * (width - length)}[/dim]")
