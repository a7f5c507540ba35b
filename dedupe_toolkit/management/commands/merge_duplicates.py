"""Merges the rows of each duplicate group into one."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError

import dedupe_toolkit

from ...errors import InvalidOption
from ...keys import check_alias, resolve_model, row_set
from ...models import MergeRun
from ...printing import counted
from ...reports.formats import Format, as_json
from ...reports.held_back import held_lines
from ...reports.plans import plan_document, print_plan
from ...reports.runs import merge_csv, merged_document, print_run, run_document
from ...source.known import note_on_promise
from ...values import MatchKey
from ..base import DedupeCommand
from ..confirm import confirmed
from ..merging import merge_shown, stopped
from ..options import (
    add_format,
    add_key_arguments,
    add_model,
    add_no_input,
    add_options,
    duration,
    keys_from_options,
    one_of,
    refuse_refining,
)
from ..policy import add_policy_arguments, policy_from_options

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.core.management.base import CommandParser

    from ...plan_values import MergePlan
    from ...values import RowSet

_ROWS = {
    "--pks PK [PK …]": "Merge these rows into one; composite keys as JSON lists.",
    "--into PK": "The row of --pks that survives.",
}
_GIVING_WAY = {
    "--wait TIME": "How long to wait for another merge of the model to end (default: not at all).",
    "--max-lag TIME": "Wait between batches while a replica is further behind: 5s, 1m.",
    "--replicas ALIAS [ALIAS …]": "The replicas that --max-lag asks (default: all that mirror the"
    " database in tests).",
}
STOPPED = 4
"""The exit code when the time given was over before all groups were merged."""
HELD_BACK = 3
"""The exit code when some groups were held back and the others merged."""


class Command(DedupeCommand):
    help = (
        "Merge the rows of each duplicate group into one: every reference is repointed, every"
        " change is journaled, and the run can be undone."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_model(parser)
        add_key_arguments(parser)
        add_options(parser.add_argument_group("rows named one by one"), _ROWS)
        add_options(parser.add_argument_group("giving way"), _GIVING_WAY)
        add_policy_arguments(parser)
        how_much = {
            "--limit N": "Merge at most N groups.",
            "--stop-after TIME": "End after the transaction that is under way then; the same"
            " command goes on.",
            "--dry-run": "Show the plan, write nothing.",
        }
        add_options(parser, how_much)
        add_no_input(parser)
        add_format(parser, Format)

    def handle(self, **options: Any) -> None:
        shape = one_of("--format", options["format"], Format)
        documents = []
        self.is_over, self.giving_way = _end(options["stop_after"]), _giving_way(options)
        self.stopped = ""
        for source in _sources(options):
            documents.append(self._merge_source(source, options, shape))
            if self.stopped:
                break
            if isinstance(source, MatchKey):
                self.tell(note_on_promise(source, options["database"]))
        document = merged_document(documents)
        if shape != Format.TABLE:
            self.stdout.write(as_json(document) if shape == Format.JSON else merge_csv(document))
            for line in held_lines(document["held_back_groups"]):
                self.stderr.write(line)
        if self.stopped:
            raise CommandError(self.stopped, returncode=STOPPED)
        if document["held_back"]:
            raise CommandError(_held_back(document), returncode=HELD_BACK)

    def _merge_source(
        self, source: MatchKey | RowSet, options: dict[str, Any], shape: str
    ) -> dict[str, Any]:
        policy = policy_from_options(source.model, options)
        plan = dedupe_toolkit.plan_merge(source, using=options["database"], policy=policy)
        if shape == Format.TABLE:
            print_plan(self.console, plan)
        if not plan.groups or options["dry_run"] or not self._is_confirmed(plan, options):
            return plan_document(plan)
        run = merge_shown(plan, options["verbosity"], stop=self.is_over, **self.giving_way)
        if run.status == MergeRun.Status.INTERRUPTED:
            self.stopped = stopped(run, plan.using)
        if shape == Format.TABLE:
            print_run(self.console, plan, run)
        return run_document(plan, run)

    def _is_confirmed(self, plan: MergePlan, options: dict[str, Any]) -> bool:
        question = f"Merge {counted(plan.rows_to_merge, 'row')} of {plan.source.label}?"
        # with every group held back nothing is merged, and the reasons are kept for review
        if not plan.mergeable or not options["interactive"] or confirmed(self.stderr, question):
            return True
        self.stderr.write("Nothing was merged.")
        return False


def _end(stop_after: str | None) -> Callable[[], bool]:
    """Whether it is time to stop, from now on."""
    if stop_after is None:
        return lambda: False
    end = monotonic() + duration("--stop-after", stop_after)
    return lambda: monotonic() >= end


def _giving_way(options: dict[str, Any]) -> dict[str, Any]:
    lag, wait = options["max_lag"], options["wait"]
    return {
        "wait": 0 if wait is None else duration("--wait", wait),
        "max_lag": None if lag is None else duration("--max-lag", lag),
        "replicas": options["replicas"] or (),
    }


def _held_back(document: Mapping[str, Any]) -> str:
    held = counted(document["held_back"], "group")
    was = "was" if document["held_back"] == 1 else "were"
    return f"{held} {was} held back: see the reasons above."


def _sources(options: dict[str, Any]) -> tuple[MatchKey | RowSet, ...]:
    if options["pks"]:
        if options["fields"]:
            raise InvalidOption("--pks and --fields exclude each other: name rows, or a key")
        refuse_refining(options, "and --pks exclude each other: name rows, or a key")
        if options["into"] is not None and options["survivor"] is not None:
            raise InvalidOption("--into and --survivor exclude each other: both say who survives")
        check_alias(options["database"])
        model = resolve_model(options["model"])
        return (row_set(model, options["pks"], into=options["into"]),)
    if options["into"] is not None:
        raise InvalidOption("--into goes with --pks: it names one of the rows given there")
    return keys_from_options(options)
