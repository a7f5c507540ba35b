"""One value in, one report out: as a table for people, as JSON or CSV for programs."""

from __future__ import annotations

import csv
import json
from enum import StrEnum
from io import StringIO
from typing import TYPE_CHECKING, Any

from django.core.serializers.json import DjangoJSONEncoder

from .values import FoundDuplicates, HeldGroup, MatchKey, MergePlan, ReferenceCount

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import Console
    from rich.table import Table

    from . import models
    from .models import MergeRun

SHOWN = 20


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def as_json(document: Any) -> str:
    return json.dumps(document, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2)


def as_csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    out = StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().rstrip("\n")


def counted(number: int, noun: str) -> str:
    """``1 row``, ``1,200 rows``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def shown_value(value: Any) -> str:
    """A value as it stands in a table: visible where it is empty, exact where it has spaces."""
    if isinstance(value, str) and (not value or value != value.strip()):
        return repr(value)
    return "NULL" if value is None else str(value)


# -- find ------------------------------------------------------------------------------------


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
                "values": dict(group.values),
                "survivor": group.survivor,
                "duplicates": list(group.duplicates),
            }
            for group in found.duplicate_groups
        ],
    }


def found_csv(found: Iterable[FoundDuplicates]) -> str:
    columns = ["model", "fields", "values", "survivor", "duplicates"]
    rows = [
        {
            "model": one.key.label,
            "fields": " ".join(one.key.fields),
            "values": json.dumps(dict(group.values), cls=DjangoJSONEncoder, ensure_ascii=False),
            "survivor": group.survivor,
            "duplicates": " ".join(map(str, group.duplicates)),
        }
        for one in found
        for group in one.duplicate_groups
    ]
    return as_csv(rows, columns)


def print_found(console: Console, found: FoundDuplicates) -> None:
    say(console, f"{described(found.key)}: {_totals(found)}.")
    if found.dismissed:
        say(console, f"Left out: {counted(found.dismissed, 'dismissed group')}.")
    if not found.duplicate_groups:
        return
    table = _table(*found.key.fields, "survivor", "duplicates")
    for group in found.duplicate_groups:
        values = [shown_value(group.values[field]) for field in found.key.fields]
        table.add_row(*values, str(group.survivor), ", ".join(map(str, group.duplicates)))
    console.print(table)
    left = found.groups - len(found.duplicate_groups)
    if left:
        say(console, f"and {counted(left, 'more group')}; --limit 0 lists all.")


def _totals(found: FoundDuplicates) -> str:
    if not found.groups:
        return "the table is empty" if found.is_empty else "no duplicates"
    return (
        f"{counted(found.groups, 'duplicate group')}, {counted(found.rows, 'row')} in them,"
        f" {found.surplus:,} surplus"
    )


# -- held back -------------------------------------------------------------------------------


def held_document(groups: Iterable[models.HeldGroup]) -> dict[str, Any]:
    return {"held_back_groups": [_held_row(group) for group in groups]}


def held_csv(groups: Iterable[models.HeldGroup]) -> str:
    rows = [_held_row(group) for group in groups]
    return as_csv(rows, ["run", "model", "fields", "values", "rows", "reason"])


def print_held_back(console: Console, groups: Sequence[models.HeldGroup]) -> None:
    if not groups:
        say(console, "No groups are held back.")
        return
    table = _table("run", "model", "rows", "reason")
    for group in groups:
        rows = ", ".join(map(str, group.rows))
        table.add_row(str(group.run_id), group.run.model, rows, group.reason)
    console.print(table)


def _held_row(group: models.HeldGroup) -> dict[str, Any]:
    return {
        "run": group.run_id,
        "model": group.run.model,
        "fields": group.run.fields,
        "values": group.values,
        "rows": group.rows,
        "reason": group.reason,
    }


# -- merge -----------------------------------------------------------------------------------


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
        _print_held(console, plan.held_back)
    for warning in plan.warnings:
        say(console, f"Note: {warning}.")


def print_run(console: Console, run: MergeRun, using: str) -> None:
    say(
        console,
        f"Merge run {run.pk}: {counted(run.rows_merged, 'row')} merged into"
        f" {counted(run.merged, 'survivor')}; {counted(run.groups_held_back, 'group')} held back.",
    )
    if not run.rows_merged:
        return
    database = "" if using == "default" else f" --database {using}"
    say(console, f"Undo it with: manage.py undo_merge {run.pk}{database}")


def plan_document(plan: MergePlan) -> dict[str, Any]:
    return {
        "run": None,
        "model": plan.source.label,
        "fields": _fields(plan),
        "groups": plan.groups,
        "merged": plan.mergeable,
        "held_back": len(plan.held_back),
        "rows_merged": plan.rows_to_merge,
        "references": [_reference(count) for count in plan.references],
        "held_back_groups": [_held(group) for group in plan.held_back],
    }


def run_document(plan: MergePlan, run: MergeRun) -> dict[str, Any]:
    return {
        "run": run.pk,
        "model": plan.source.label,
        "fields": _fields(plan),
        "groups": run.groups,
        "merged": run.merged,
        "held_back": run.groups_held_back,
        "rows_merged": run.rows_merged,
        "references": run.references,
        "held_back_groups": run.held_back,
    }


def merge_csv(document: Mapping[str, Any]) -> str:
    columns = ["reference", "kind", "repointed", "discarded", "merged"]
    return as_csv(document["references"], columns)


def _fields(plan: MergePlan) -> list[str]:
    return list(plan.source.fields) if isinstance(plan.source, MatchKey) else []


def _reference(count: ReferenceCount) -> dict[str, Any]:
    return {
        "reference": count.reference,
        "kind": count.kind,
        "repointed": count.repointed,
        "discarded": count.discarded,
        "merged": count.merged,
    }


def _held(group: HeldGroup) -> dict[str, Any]:
    return {"values": dict(group.values), "rows": list(group.rows), "reason": group.reason}


def _print_references(console: Console, references: Iterable[ReferenceCount]) -> None:
    table = _table("reference", "kind")
    for name in ("repointed", "discarded", "merged"):
        table.add_column(name, justify="right")
    for count in references:
        table.add_row(
            count.reference,
            count.kind,
            f"{count.repointed:,}",
            f"{count.discarded:,}",
            f"{count.merged:,}",
        )
    if table.row_count:
        console.print(table)


def _print_held(console: Console, held: Sequence[HeldGroup]) -> None:
    if not held:
        return
    say(console, f"{counted(len(held), 'group')} held back:")
    table = _table("key", "rows", "reason")
    for group in held[:SHOWN]:
        values = ", ".join(shown_value(value) for value in group.values.values())
        table.add_row(values, ", ".join(map(str, group.rows)), group.reason)
    console.print(table)
    if len(held) > SHOWN:
        say(console, f"and {counted(len(held) - SHOWN, 'more group')}.")


# -- shared ----------------------------------------------------------------------------------


def described(source: Any) -> str:
    """A match key, or a set of rows, as a sentence names it."""
    if not isinstance(source, MatchKey):
        return f"{source.label} rows {', '.join(map(str, source.pks))}"
    conditions = "".join(f", {lookup}={value}" for lookup, value in source.where)
    return f"{source.label} by {', '.join(source.fields)}{conditions}"


def say(console: Console, text: str) -> None:
    """One line as it stands: never wrapped, never coloured by accident."""
    console.print(text, soft_wrap=True, markup=False, highlight=False)


def _table(*columns: str) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
