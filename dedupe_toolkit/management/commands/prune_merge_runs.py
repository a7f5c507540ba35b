"""Lets go of the journal of old merge runs."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.utils import timezone

import dedupe_toolkit

from ...errors import InvalidOption
from ...journal.pruning import Pruned, prunable_runs
from ...printing import counted, say
from ..base import DedupeCommand
from ..confirm import confirmed
from ..options import add_database, add_no_input, add_options
from ..progress import progress_bar

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

_UNITS = {"h": "hours", "d": "days", "w": "weeks"}
_AGE = re.compile(r"(\d{1,6})([hdw])")


class Command(DedupeCommand):
    help = (
        "Delete the journal of old merge runs, which can then no longer be undone. Old keys stop"
        " leading to their survivors, unless with --keep-pairs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        what = {
            "--older-than AGE": "Runs that ended longer ago: 90d, 12h or 8w.",
            "--keep-pairs": "Keep which row was merged into which, so that old keys go on"
            " resolving.",
            "--dry-run": "Say what would be pruned, keep all of it.",
        }
        add_options(parser, what)
        add_no_input(parser)
        add_database(parser)

    def handle(self, **options: Any) -> None:
        before, using = timezone.now() - _age(options["older_than"]), options["database"]
        keep_pairs = options["keep_pairs"]
        runs = prunable_runs(before, using=using, keep_pairs=keep_pairs).count()
        if not runs:
            say(self.console, f"No merge run is older than {options['older_than']}.")
            return
        if options["dry_run"]:
            say(self.console, f"{counted(runs, 'merge run')} would be pruned.")
            return
        question = f"Prune {counted(runs, 'merge run')}? {_lost(keep_pairs)}"
        if options["interactive"] and not confirmed(self.stderr, question):
            self.stderr.write("Nothing was pruned.")
            return
        try:
            with progress_bar("Pruning", options["verbosity"]) as progress:
                pruned = dedupe_toolkit.prune_merge_runs(
                    before, using=using, keep_pairs=keep_pairs, progress=progress
                )
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                "Stopped: a part is pruned. The same command goes on."
            ) from None
        self._report(pruned, keep_pairs)

    def _report(self, pruned: Pruned, keep_pairs: bool) -> None:
        kept = f", {counted(pruned.pairs, 'pair')} kept" if keep_pairs else ""
        say(
            self.console,
            f"{counted(pruned.runs, 'merge run')} pruned:"
            f" {counted(pruned.row_changes, 'row change')} deleted{kept}.",
        )
        if pruned.busy:
            self.tell(
                f"{counted(pruned.busy, 'merge run')} left: their models are being merged or undone"
                " just now."
            )


def _age(text: str | None) -> timedelta:
    found = _AGE.fullmatch(text or "")
    if found is None:
        given = "" if text is None else f", not {text!r}"
        raise InvalidOption(f"--older-than takes an age such as 90d, 12h or 8w{given}")
    number, unit = found.groups()
    return timedelta(**{_UNITS[unit]: int(number)})


def _lost(keep_pairs: bool) -> str:
    lost = "" if keep_pairs else ", and old keys no longer lead to their survivors"
    return f"They cannot be undone any more{lost}."
