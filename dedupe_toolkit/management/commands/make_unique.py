"""Edits a model and writes the migration that makes a match key unique."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

import dedupe_toolkit

from ...command_lines import merge_line, migrate_line
from ...errors import ConstraintRefused
from ...planning.plan import collision_advice
from ...printing import counted, say
from ...source.known import DuplicatesLeft
from ...values import MatchKey
from ..base import DedupeCommand
from ..constraining import (
    add_constraint_arguments,
    edit_from_options,
    one_key,
    print_calls,
    print_edit,
)
from ..merging import merge_shown
from ..options import add_key_arguments, add_model, add_options
from ..until_unique import ROUNDS, until_it_sticks

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

    from ...models import MergeRun
    from ...plan_values import MergePlan
    from ...source.edits import ConstraintEdit

_SHOWN = 3


class Command(DedupeCommand):
    # what imports the rest of a project in its usual order, which writing migrations relies on
    requires_system_checks = "__all__"
    help = "Make the database keep a match key unique: edit the model and write the migration."

    def add_arguments(self, parser: CommandParser) -> None:
        add_model(parser)
        add_key_arguments(parser)
        add_constraint_arguments(parser)
        writing = {
            "--merge": "Merge the duplicates that are left first, by the default rules.",
            "--merge-until-unique": "Merge, write and migrate; merge what arrived meanwhile and"
            f" migrate again, until the constraint is there ({ROUNDS} rounds at most).",
            "--dry-run": "Print the diff and write nothing.",
        }
        add_options(parser, writing)

    def handle(self, **options: Any) -> None:
        edit = self._merged_and_computed(options)
        print_edit(self.console, edit)
        print_calls(self.console, edit, options)
        if not edit.files or options["dry_run"]:
            return
        edit.write()
        line = migrate_line(edit.app_label, options["database"])
        if not options["merge_until_unique"]:
            self._print(f"Written. Now run: {line}")
            return
        self._print(f"Written. Running: {line}")
        merge = partial(self._merge, options=options, written=True)
        until_it_sticks(edit, options["database"], merge, self._print)

    def _merged_and_computed(self, options: dict[str, Any]) -> ConstraintEdit:
        """The edit; where asked to, duplicates are merged once everything else is in place."""
        key = one_key("make_unique", options)
        rounds = ROUNDS if options["merge_until_unique"] else int(options["merge"])
        for _ in range(0 if options["dry_run"] else rounds):
            try:
                return edit_from_options(key, options)
            except DuplicatesLeft as left:
                self._merge(left.key, options=options)
        try:
            return edit_from_options(key, options)
        except DuplicatesLeft as left:
            if options["dry_run"] or not options["merge_until_unique"]:
                raise
            raise ConstraintRefused(_still_arriving(left.key)) from left

    def _merge(self, key: MatchKey, *, options: dict[str, Any], written: bool = False) -> None:
        plan = dedupe_toolkit.plan_merge(key, using=options["database"])
        run = merge_shown(plan, options["verbosity"])
        self._print(f"Merge run {run.pk}: {run.merged} of {counted(run.groups, 'group')} merged.")
        if run.groups_held_back:
            raise ConstraintRefused(_held_back(plan, run, written=written))

    def _print(self, text: str) -> None:
        say(self.console, text)


def _still_arriving(key: MatchKey) -> str:
    return (
        f"{key.label}: duplicates on {', '.join(key.fields)} still arrive after {ROUNDS} rounds, so"
        " nothing was written: stop what writes them for a moment, and run make_unique again"
    )


def _held_back(plan: MergePlan, run: MergeRun, *, written: bool) -> str:
    """Why groups are left, and what to try: the same command would hold them back again."""
    reasons = Counter(group["reason"] for group in run.held_back)
    told = [f"{reason} ({count})" for reason, count in reasons.most_common(_SHOWN)]
    more = [f"and {len(reasons) - _SHOWN} more reasons"] if len(reasons) > _SHOWN else []
    line = merge_line(plan.source, plan.using) if isinstance(plan.source, MatchKey) else ""
    advice = collision_advice(plan.collisions)
    are = "is" if run.groups_held_back == 1 else "are"
    return (
        f"{plan.source.label}: {run.groups_held_back} of {counted(run.groups, 'group')} {are} held"
        f" back, so {'the migration is not applied' if written else 'nothing was written'}:"
        f" {'; '.join([*told, *more])}. {line} merges them once you settle"
        f" that: {'; '.join([*advice, 'by the rows one by one, or with --pks'])}. Then"
        f" {'migrate' if written else 'run make_unique again'}"
    )
