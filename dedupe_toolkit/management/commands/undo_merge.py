"""Restores what a merge run changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dedupe_toolkit

from ...errors import InvalidOption
from ...printing import counted, say
from ..base import DedupeCommand
from ..confirm import confirmed
from ..login import login
from ..options import add_database, add_no_input, whole_number
from ..progress import progress_bar

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(DedupeCommand):
    help = "Restore every row and column that a merge run changed, to the exact values before."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("run", metavar="RUN", help="The number of the merge run.")
        parser.add_argument(
            "--survivor",
            nargs="+",
            metavar="PK",
            help="Undo only the groups merged into these rows; composite keys as JSON lists.",
        )
        parser.add_argument(
            "--dismiss",
            action="store_true",
            help="Dismiss the groups undone, so that the next merge leaves them alone.",
        )
        parser.add_argument("--note", metavar="TEXT", help="Why they are dismissed.")
        parser.add_argument(
            "--dry-run", action="store_true", help="Say what would happen, keep nothing."
        )
        add_no_input(parser)
        add_database(parser)

    def handle(self, **options: Any) -> None:
        number, dry_run = whole_number("RUN", options["run"], least=1), options["dry_run"]
        if options["note"] and not options["dismiss"]:
            raise InvalidOption("--note goes with --dismiss: it says why the groups are dismissed")
        question = f"Undo merge run {number}?"
        is_asked = options["interactive"] and not dry_run
        if is_asked and not confirmed(self.stderr, question):
            self.stderr.write("Nothing was undone.")
            return
        try:
            with progress_bar("Undoing", options["verbosity"]) as progress:
                done = dedupe_toolkit.undo(
                    number,
                    using=options["database"],
                    survivors=options["survivor"],
                    dry_run=dry_run,
                    dismiss=options["dismiss"],
                    by=login(),
                    note=options["note"] or "",
                    progress=progress,
                )
        except KeyboardInterrupt:
            # all of it is one transaction
            raise KeyboardInterrupt("Stopped: nothing was undone.") from None
        verb = "would restore" if dry_run else "restored"
        say(
            self.console,
            f"Undoing merge run {number} {verb} {counted(done.restored, 'row')} and set"
            f" {counted(done.changed, 'row')} back.",
        )
        if options["dismiss"]:
            say(self.console, f"Its groups {'would be' if dry_run else 'are'} dismissed.")
        elif options["survivor"] and not dry_run:
            say(
                self.console,
                "The next merge by their key merges them again; undo with --dismiss, or"
                " dismiss_duplicates, keeps them apart.",
            )
