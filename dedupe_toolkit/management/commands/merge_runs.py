"""Lists merge runs, and watches those under way."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ...arguments import MOST_ROWS
from ...errors import InvalidOption
from ...journal.progress import Status, merge_runs, progress_of
from ...keys import resolve_model
from ...printing import counted, print_table, say
from ...reports.formats import Format, as_json
from ...reports.run_list import COLUMNS, NUMBERS, run_cells, run_notes, runs_csv, runs_document
from ..base import DedupeCommand
from ..options import add_database, add_format, add_limit, add_options, one_of, whole_number
from ..watching import watch_at_terminal, watch_line_by_line

if TYPE_CHECKING:
    from django.core.management.base import CommandParser
    from django.db.models import QuerySet

    from ...journal.progress import RunProgress
    from ...models import MergeRun


class Command(DedupeCommand):
    help = "List merge runs: who, when, by which key, how far, how fast. Reads only."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "runs", metavar="RUN", nargs="*", help="Only the merge runs of these numbers."
        )
        add_options(parser, {"--model MODEL": "Only the runs of this model."})
        add_limit(parser, "Runs")
        add_options(parser, {"--watch": "Go on showing the runs under way, to their end."})
        add_format(parser, Format)
        add_database(parser)

    def handle(self, **options: Any) -> None:
        shape = one_of("--format", options["format"], Format)
        limit = whole_number("--limit", options["limit"])
        chosen = _chosen(options)
        if options["watch"]:
            self._watch(chosen, shape, is_named=bool(options["runs"]))
            return
        shown = [progress_of(run) for run in (chosen[:limit] if limit else chosen)]
        if shape == Format.TABLE:
            self._print(shown, left=chosen.count() - len(shown))
        else:
            text = as_json(runs_document(shown)) if shape == Format.JSON else runs_csv(shown)
            self.stdout.write(text)

    def _print(self, shown: list[RunProgress], left: int) -> None:
        if not shown:
            say(self.console, "There are no merge runs.")
            return
        print_table(self.console, COLUMNS, map(run_cells, shown), NUMBERS)
        for note in (note for run in shown for note in run_notes(run)):
            say(self.console, note)
        if left:
            say(self.console, f"and {counted(left, 'more run')}; --limit 0 lists all.")

    def _watch(self, chosen: QuerySet[MergeRun], shape: str, *, is_named: bool) -> None:
        if not is_named:
            running = [
                run.pk
                for run in chosen.filter(status=Status.RUNNING)
                if progress_of(run).status == Status.RUNNING
            ]
            if not running:
                self.stderr.write("No merge is running.")
                return
            chosen = chosen.filter(pk__in=running)
        look = partial(_look, chosen)
        try:
            if shape == Format.TABLE and self.stdout.isatty():
                watch_at_terminal(self.console, look)
            else:
                watch_line_by_line(self._line, look, shape)
        except KeyboardInterrupt:
            raise KeyboardInterrupt("Stopped watching: the merge itself goes on.") from None

    def _line(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _chosen(options: dict[str, Any]) -> QuerySet[MergeRun]:
    model = resolve_model(options["model"]) if options["model"] else None
    runs = merge_runs(options["database"], model)
    if not options["runs"]:
        return runs
    numbers = {whole_number("RUN", text, least=1) for text in options["runs"]}
    chosen = runs.filter(pk__in=[number for number in numbers if number < MOST_ROWS])
    missing = numbers.difference(chosen.values_list("pk", flat=True))
    if missing:
        raise InvalidOption(
            f"there is no merge run {min(missing)} in database {options['database']!r}"
        )
    return chosen


def _look(chosen: QuerySet[MergeRun]) -> list[RunProgress]:
    return [progress_of(run) for run in chosen.all()]
