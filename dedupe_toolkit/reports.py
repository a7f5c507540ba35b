"""One value in, one report out: as a table for people, as JSON or CSV for programs."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict
from enum import StrEnum
from io import StringIO
from typing import TYPE_CHECKING, Any

from django.core.serializers.json import DjangoJSONEncoder

from .plain import plain_group, plain_held, plain_key, plain_values, plain_where
from .printing import counted, on_one_line, print_table, say, shown_value
from .values import (
    FieldDifference,
    FoundDuplicates,
    MatchKey,
    MergePlan,
    ReferenceCount,
    TieCount,
    Unsearched,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import Console

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
            "values": _json_line(group["values"]),
            "survivor": _key(group["survivor"]),
            "duplicates": " ".join(map(_key, group["duplicates"])),
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
            _key(group["survivor"]),
            ", ".join(map(_key, group["duplicates"])),
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


# -- held back -------------------------------------------------------------------------------


def held_document(groups: Iterable[models.HeldGroup]) -> dict[str, Any]:
    return {"held_back_groups": [_held_row(group) for group in groups]}


def held_csv(groups: Iterable[models.HeldGroup]) -> str:
    rows = [_held_row(group) for group in groups]
    texts = [
        row
        | {
            "fields": " ".join(row["fields"]),
            "values": _json_line(row["values"]),
            "rows": " ".join(map(_key, row["rows"])),
        }
        for row in rows
    ]
    return as_csv(texts, ["run", "model", "fields", "values", "rows", "reason"])


def print_held_back(console: Console, groups: Sequence[models.HeldGroup]) -> None:
    if not groups:
        say(console, "No groups are held back.")
        return
    rows = [
        [str(group.run_id), group.run.model, ", ".join(map(_key, group.rows)), group.reason]
        for group in groups
    ]
    print_table(console, ["run", "model", "rows", "reason"], rows)


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
        print_facts(console, plan)
        _print_held(console, [plain_held(plan.source, group) for group in plan.held_back])
    for warning in plan.warnings:
        say(console, f"Note: {warning}.")


def print_run(console: Console, plan: MergePlan, run: MergeRun) -> None:
    """What the run did, which groups it held back that the plan did not, and how to undo it."""
    # those of the plan are stored first, and have been shown with it
    _print_held(console, run.held_back[len(plan.held_back) :])
    say(
        console,
        f"Merge run {run.pk}: {counted(run.rows_merged, 'row')} merged into"
        f" {counted(run.merged, 'survivor')}; {counted(run.groups_held_back, 'group')} held back.",
    )
    if not run.rows_merged:
        return
    say(console, f"Undo it with: {undo_line(run, plan.using)}")


def undo_line(run: MergeRun, using: str) -> str:
    """The command that undoes a run."""
    database = "" if using == "default" else f" --database {using}"
    return f"manage.py undo_merge {run.pk}{database}"


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
        **facts_document(plan),
        "held_back_groups": [plain_held(plan.source, group) for group in plan.held_back],
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
        **facts_document(plan),
        "held_back_groups": run.held_back,
    }


def merged_document(documents: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The documents of one key or several as one, of the same shape: totals, and each key's own.

    With several keys the top has no run and no fields; each of ``keys`` has.
    """
    first, *others = documents
    if not others:
        return first | {"keys": [first]}
    totals = {name: sum(one[name] for one in documents) for name in _TOTALS}
    models = {one["model"] for one in documents}
    return {
        "run": None,
        "model": first["model"] if len(models) == 1 else None,
        "fields": [],
        **totals,
        "references": _summed(one for document in documents for one in document["references"]),
        **{name: [one for document in documents for one in document[name]] for name in _LISTS},
        "blank_keys": {
            name: sum(one["blank_keys"][name] for one in documents) for name in ("groups", "rows")
        },
        "triggers": [*dict.fromkeys(one for document in documents for one in document["triggers"])],
        "unsearched": first["unsearched"],  # they are keys of one model
        "keys": list(documents),
    }


_TOTALS = ("groups", "merged", "held_back", "rows_merged")
_LISTS = (
    "ties",
    "collisions",
    "differences",
    "repeated_links",
    "largest_groups",
    "held_back_groups",
)


def _summed(references: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The counts of each reference added up."""
    counts: dict[tuple[str, str], dict[str, Any]] = {}
    for one in references:
        name = {"reference": one["reference"], "kind": one["kind"]}
        so_far = counts.setdefault(
            (one["reference"], one["kind"]), name | dict.fromkeys(_COUNTS, 0)
        )
        for count in _COUNTS:
            so_far[count] += one[count]
    return list(counts.values())


_COUNTS = ("repointed", "discarded", "merged")


def held_lines(groups: Iterable[Mapping[str, Any]]) -> list[str]:
    """A line for each group held back, for standard error beside a document."""
    return [f"held back: {_named(group)}: {on_one_line(group['reason'])}" for group in groups]


def _named(group: Mapping[str, Any]) -> str:
    rows = f"rows {', '.join(map(_key, group['rows']))}"
    values = ", ".join(map(shown_value, group["values"].values()))
    return f"{on_one_line(values)} ({rows})" if values else rows


def merge_csv(document: Mapping[str, Any]) -> str:
    return as_csv(document["references"], ["reference", "kind", *_COUNTS])


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


def _print_references(console: Console, references: Iterable[ReferenceCount]) -> None:
    rows = [
        [count.reference, count.kind, *(f"{getattr(count, name):,}" for name in _COUNTS)]
        for count in references
    ]
    if rows:
        print_table(console, ["reference", "kind", *_COUNTS], rows, numbers=_COUNTS)


def _print_held(console: Console, held: Sequence[Mapping[str, Any]]) -> None:
    if not held:
        return
    say(console, f"{counted(len(held), 'group')} held back:")
    rows = [
        [
            ", ".join(map(shown_value, group["values"].values())),
            ", ".join(map(_key, group["rows"])),
            group["reason"],
        ]
        for group in held[:SHOWN]
    ]
    print_table(console, ["key", "rows", "reason"], rows)
    if len(held) > SHOWN:
        say(console, f"and {counted(len(held) - SHOWN, 'more group')}.")


# -- what a person would regret --------------------------------------------------------------


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
        "unsearched": asdict(plan.unsearched),
    }


def print_facts(console: Console, plan: MergePlan) -> None:
    _print_differences(console, plan.differences)
    _print_ties(console, plan.ties)
    _print_largest(console, [plain_group(plan.source, group) for group in plan.largest])
    for links in plan.repeated_links:
        say(
            console,
            f"{links.model} has no unique rule: {counted(links.rows, 'row')} will link what another"
            " row links already.",
        )
    blank = plan.blank_keys
    if blank.groups:
        say(
            console,
            f"An empty text in the key makes {counted(blank.groups, 'group')} of"
            f" {counted(blank.rows, 'row')}; --blanks distinct leaves these out.",
        )
    _print_triggers(console, plan.triggers)
    _print_unsearched(console, plan.unsearched)


def _print_triggers(console: Console, found: Sequence[str]) -> None:
    if found:
        say(
            console,
            f"Triggers fire as rows are written: {', '.join(found)}. What they change is in no"
            " journal, and no undo takes it back.",
        )


def _print_unsearched(console: Console, found: Unsearched) -> None:
    if found.tables:
        tables = counted(found.tables, "table")
        say(console, f"JSON and array columns of {tables} were not searched for keys.")
    if found.holding:
        say(
            console,
            f"Texts there that look like a type and a key: {', '.join(found.holding)}. References"
            " in dedupe.py let a merge follow them.",
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
        rows = [
            [
                ", ".join(tie.references),
                *(f"{n:,}" for n in (tie.held_back, tie.discarded, tie.kept)),
            ]
            for tie in ties
        ]
        counts = ["held back", "discarded", "kept"]
        print_table(console, ["references", *counts], rows, numbers=counts)


def _print_largest(console: Console, groups: Sequence[Mapping[str, Any]]) -> None:
    if groups:
        say(console, "The largest groups:")
        rows = [
            [
                ", ".join(map(shown_value, group["values"].values())),
                _key(group["survivor"]),
                _listed(group),
            ]
            for group in groups
        ]
        print_table(console, ["key", "survivor", "duplicates"], rows)


def _listed(group: Mapping[str, Any]) -> str:
    more = group["rows"] - 1 - len(group["duplicates"])
    return ", ".join([*map(_key, group["duplicates"]), *([f"and {more:,} more"] if more else [])])


# -- shared ----------------------------------------------------------------------------------


def described(source: Any) -> str:
    """A match key, or a set of rows, as a sentence names it."""
    if not isinstance(source, MatchKey):
        return f"{source.label} rows {', '.join(map(_key, source.pks))}"
    conditions = "".join(f", {lookup}={value}" for lookup, value in plain_where(source).items())
    return f"{source.label} by {', '.join(source.fields)}{conditions}"


def _json_line(value: Any) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)


def _key(pk: Any) -> str:
    """A primary key as it is typed on the command line: composite ones as a JSON list."""
    return _json_line(list(pk)) if isinstance(pk, list | tuple) else str(pk)
