"""Restores what a merge run changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dedupe_toolkit

from ...errors import InvalidOption
from ...printing import counted, say
from ..base import DedupeCommand
from ..confirm import confirmed
from ..login import login
from ..options import add_database, add_no_input, add_options, whole_number
from ..progress import progress_bar

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

    from ...undoing.undo import Undone


class Command(DedupeCommand):
    help = "Restore every row and column that a merge run changed, to the exact values before."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("run", metavar="RUN", help="The number of the merge run.")
        what = {
            "--survivor PK [PK …]": "Undo only the groups merged into these rows; composite keys"
            " as JSON lists.",
            "--dismiss": "Dismiss the groups undone, so that the next merge leaves them alone.",
            "--note TEXT": "Why they are dismissed.",
            "--dry-run": "Say what would happen, keep nothing.",
        }
        add_options(parser, what)
        add_no_input(parser)
        add_database(parser)

    def handle(self, **options: Any) -> None:
        number = whole_number("RUN", options["run"], least=1)
        if options["note"] and not options["dismiss"]:
            raise InvalidOption("--note goes with --dismiss: it says why the groups are dismissed")
        is_asked = options["interactive"] and not options["dry_run"]
        if is_asked and not confirmed(self.stderr, f"Undo merge run {number}?"):
            self.stderr.write("Nothing was undone.")
            return
        self._report(self._undo(number, options), options)

    def _undo(self, number: int, options: dict[str, Any]) -> Undone:
        try:
            with progress_bar("Undoing", options["verbosity"]) as progress:
                return dedupe_toolkit.undo(
                    number,
                    using=options["database"],
                    survivors=options["survivor"],
                    dry_run=options["dry_run"],
                    dismiss=options["dismiss"],
                    by=login(),
                    note=options["note"] or "",
                    progress=progress,
                )
        except KeyboardInterrupt:
            # all of it is one transaction
            raise KeyboardInterrupt("Stopped: nothing was undone.") from None

    def _report(self, done: Undone, options: dict[str, Any]) -> None:
        dry_run = options["dry_run"]
        say(
            self.console,
            f"Undoing merge run {done.run} {'would restore' if dry_run else 'restored'}"
            f" {counted(done.restored, 'row')} and set {counted(done.changed, 'row')} back.",
        )
        if options["dismiss"]:
            say(self.console, f"Its groups {'would be' if dry_run else 'are'} dismissed.")
        elif options["survivor"] and not dry_run:
            say(
                self.console,
                "The next merge by their key merges them again, unless dismiss_duplicates says that"
                " they are none.",
            )
