"""What a merge run did; the runs of several keys of a model as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..command_lines import in_database
from ..printing import counted, say
from .facts import facts_document
from .formats import as_csv
from .held_back import print_held_groups
from .plans import COUNTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import Console

    from ..models import MergeRun
    from ..plan_values import MergePlan


def print_run(console: Console, plan: MergePlan, run: MergeRun) -> None:
    """What the run did, which groups it held back that the plan did not, and how to undo it."""
    # those of the plan are stored first, and have been shown with it
    print_held_groups(console, run.held_back[len(plan.held_back) :])
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
    return f"manage.py undo_merge {run.pk}{in_database(using)}"


def run_document(plan: MergePlan, run: MergeRun) -> dict[str, Any]:
    return {
        "run": run.pk,
        "model": plan.source.label,
        "fields": list(plan.source.fields),
        "groups": run.groups,
        "merged": run.merged,
        "held_back": run.groups_held_back,
        "rows_merged": run.rows_merged,
        "references": run.references,
        **facts_document(plan),
        "held_back_groups": run.held_back,
    }


def merge_csv(document: Mapping[str, Any]) -> str:
    return as_csv(document["references"], ["reference", "kind", *COUNTS])


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
        "versioned": [
            *dict.fromkeys(one for document in documents for one in document["versioned"])
        ],
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
        so_far = counts.setdefault((one["reference"], one["kind"]), name | dict.fromkeys(COUNTS, 0))
        for count in COUNTS:
            so_far[count] += one[count]
    return list(counts.values())
