"""The steps that write, or need other processes: merge, make_unique, migrate, prove."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn

from django.core.management.base import CommandError

from ...command_lines import key_words
from ...errors import ConstraintRefused
from ...printing import counted
from ...reports.runs import print_run, undo_line
from ..commands.merge_duplicates import HELD_BACK
from ..constraining import edit_from_options, print_calls, print_edit
from ..merging import merge_shown

if TYPE_CHECKING:
    from ...source.edits import ConstraintEdit
    from .walk import Walk


def merge(walk: Walk) -> None:
    """Merge what was planned; end there when groups are held back."""
    plan = walk.plan
    if plan is None or not plan.groups:
        walk.say("Nothing to merge.")
        return
    if plan.mergeable:
        walk.ask(f"Merge {counted(plan.rows_to_merge, 'row')} of {walk.key.label}?")
    # where every group is held back nothing is merged, and the reasons are kept for review
    run = merge_shown(plan, walk.options["verbosity"])
    print_run(walk.console, plan, run)
    if run.rows_merged:
        walk.done.append(
            f"{counted(run.rows_merged, 'row')} merged in run {run.pk}"
            f" ({undo_line(run, plan.using)} takes it back)"
        )
    if run.groups_held_back:
        _hold(run.groups_held_back)


def _hold(groups: int) -> NoReturn:
    was = "was" if groups == 1 else "were"
    raise CommandError(
        f"{counted(groups, 'group')} {was} held back: see the reasons above. Once they are settled,"
        " the same command goes on.",
        returncode=HELD_BACK,
    )


def make_unique(walk: Walk) -> None:
    """Edit the model and write the migration."""
    walk.edit = edit = edit_from_options(walk.key, walk.options)
    print_edit(walk.console, edit)
    print_calls(walk.console, edit, walk.options)
    if not edit.files:
        return
    names = " and ".join(file.name for file in edit.files)
    walk.ask(f"Write {names}?")
    edit.write()
    walk.say(f"Written: {names}.")
    walk.done.append(f"{names} written")


def migrate(walk: Walk) -> None:
    """Apply the migration, in a process that has read the models as they are now."""
    edit = walk.edit or edit_from_options(walk.key, walk.options)
    if edit.covered_by:
        walk.say("Nothing to migrate.")
        return
    app = edit.app_label or walk.options["into_app"] or edit.key.model._meta.app_label
    line = ("migrate", app, "--database", walk.using, "--no-input")
    _run(walk, *line, "--plan")
    walk.ask("Apply them?")
    _run(walk, *line)
    _require_kept(walk, edit)
    walk.done.append(f"{app} migrated")


def _require_kept(walk: Walk, edit: ConstraintEdit) -> None:
    """Raise `ConstraintRefused` where a rule that was there before is not kept even now."""
    if edit.pending:
        now = edit_from_options(walk.key, walk.options)
        if not now.covered_by:
            raise ConstraintRefused(now.pending)


def prove(walk: Walk) -> None:
    """Let processes race for the key on a scratch copy of the table."""
    race = [f"--{name}={walk.options[name]}" for name in ("processes", "calls")]
    walk.ask(
        f"Let {walk.options['processes']} processes race on a scratch copy of the table of"
        f" {walk.key.label}?"
    )
    _run(walk, "prove_get_or_create", *key_words(walk.key, walk.using), *race)


def _run(walk: Walk, *words: str) -> None:
    """Run another command of the project, and end with its exit code where it fails."""
    code = walk.run(*words)
    if code:
        # it has said why
        sys.exit(code)
