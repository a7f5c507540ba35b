"""The tables of the demo that do sums: what went where, and what the constraint changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS_BY_REFERENCE = {
    "films.Credit.": "credits",
    "films.PersonProfile.": "profiles",
    "films.Award.": "awards",
    "films.Note.": "notes",
    "films.Person.genres": "genre links",
    "films.Person_genres.": "genre links",
}
KINDS = ["people", "credits", "profiles", "awards", "notes", "genre links"]
PROOF = [
    "processes",
    "films",
    "calls of get_or_create",
    "MultipleObjectsReturned",
    "people",
    "different names",
    "credits",
    "awards",
    "notes",
    "duplicate people",
]
NOT_UNIQUE = ["awards", "notes"]
"""What each import writes as often as it meets a person, and no rule of their table forbids."""


def rows_leaving(before: Mapping[str, int], plan: Mapping[str, Any]) -> dict[str, int]:
    """How many rows of each kind the merge takes out: surplus people, and what the plan says."""
    leaving = dict.fromkeys(KINDS, 0) | {"people": before["duplicate people"]}
    for reference in plan["references"]:
        for start, kind in KINDS_BY_REFERENCE.items():
            if reference["reference"].startswith(start):
                leaving[kind] += reference["discarded"] + reference["merged"]
    return leaving


def adds_up(before: Mapping[str, int], plan: Mapping[str, Any], after: Mapping[str, int]) -> bool:
    """Whether every row that is gone is one that the plan said would go."""
    leaving = rows_leaving(before, plan)
    return all(before[kind] - leaving[kind] == after[kind] for kind in KINDS)


def merge_table(
    before: Mapping[str, int], plan: Mapping[str, Any], after: Mapping[str, int]
) -> Table:
    """Rows before, rows that the plan merged into another or found to be redundant, rows after."""
    table = Table(title="Nothing is lost: every row is accounted for")
    for heading in ["", "before", "merged or redundant", "after"]:
        table.add_column(heading, justify="right" if heading else "left")
    leaving = rows_leaving(before, plan)
    for kind in KINDS:
        numbers = [before[kind], leaving[kind], after[kind]]
        table.add_row(kind, *(f"{number:,}" for number in numbers))
    return table


def written_twice(merged: Mapping[str, int], with_it: Mapping[str, int]) -> str:
    """Why the merged catalogue has more awards and notes than one imported with the constraint."""
    more = {what: merged[what] - with_it[what] for what in NOT_UNIQUE}
    surplus = [f"{rows:,} {what}" for what, rows in more.items() if rows > 0]
    if not surplus:
        return ""
    return (
        f"The merged catalogue keeps {' and '.join(surplus)} more: the first import wrote them once"
        " for each duplicate. No rule of their tables says that two of them are one, so the merge"
        " repointed them all and deleted none."
    )


def proof_table(
    without: Mapping[str, int], merged: Mapping[str, int], with_it: Mapping[str, int]
) -> Table:
    """The same import without the unique constraint, what the merge made of it, and with it."""
    table = Table(title="The same import without the unique constraint and with it")
    for heading in ["", "without", "then merged", "with"]:
        table.add_column(heading, justify="right" if heading else "left")
    for what in PROOF:
        numbers = (each.get(what) for each in (without, merged, with_it))
        cells = ("" if number is None else f"{number:,}" for number in numbers)
        table.add_row(what, *cells, style="bold" if what == PROOF[-1] else None)
    return table
