"""Keeps a person's verdict that rows are not duplicates, lists verdicts, takes them back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dedupe_toolkit

from ...command_lines import in_database
from ...databases.tables import require_table
from ...errors import InvalidOption
from ...finding.dismissed_groups import family
from ...keys import check_alias, match_key, resolve_model, row_set
from ...models import DismissedGroup, DismissedRow
from ...printing import counted, print_table, say
from ...reports.dismissed import (
    COLUMNS,
    NUMBERS,
    dismissed_cells,
    dismissed_csv,
    dismissed_document,
)
from ...reports.formats import Format, as_json, shown_key
from ..base import DedupeCommand
from ..login import login
from ..options import (
    add_database,
    add_format,
    add_limit,
    add_model,
    add_options,
    one_of,
    whole_number,
)

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(DedupeCommand):
    help = (
        "Dismiss rows: say that they are not duplicates of each other, so that no search offers"
        " their group and no merge touches it. Without --pks lists the dismissed groups."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_model(parser, nargs="?")
        verdict = {
            "--pks PK [PK …]": "Dismiss these rows as one group; composite keys as JSON lists.",
            "--fields F [F …]": "The key that the verdict is about (default: every key of the"
            " model).",
            "--note TEXT": "Why they are not duplicates.",
            "--offer-again NUMBER [NUMBER …]": "Take back the verdicts on these dismissed groups.",
        }
        add_options(parser, verdict)
        add_limit(parser, "Groups")
        add_format(parser, Format)
        add_database(parser)

    def handle(self, **options: Any) -> None:
        shape = one_of("--format", options["format"], Format)
        check_alias(options["database"])
        for name in ("fields", "note"):
            if options[name] and not options["pks"]:
                raise InvalidOption(f"--{name} goes with --pks: it says more of the verdict")
        if options["offer_again"]:
            self._offer_again(options)
        elif options["pks"]:
            self._dismiss(options, shape)
        else:
            self._list(options, shape, whole_number("--limit", options["limit"]))

    def _dismiss(self, options: dict[str, Any], shape: str) -> None:
        if options["model"] is None:
            raise InvalidOption("--pks names rows of a model: MODEL --pks PK PK [PK …]")
        model = resolve_model(options["model"])
        rows = row_set(model, options["pks"])
        key = match_key(model, options["fields"]) if options["fields"] else None
        group = dedupe_toolkit.dismiss(
            rows, key=key, using=options["database"], by=login(), note=options["note"] or ""
        )
        if shape != Format.TABLE:
            self._print([group], shape)
            return
        named = ", ".join(map(shown_key, rows.pks))
        say(self.console, f"{rows.label}: rows {named} are dismissed as no duplicates.")
        line = f"manage.py dismiss_duplicates --offer-again {group.pk}"
        say(self.console, f"Take it back with: {line}{in_database(options['database'])}")

    def _offer_again(self, options: dict[str, Any]) -> None:
        if options["model"] or options["pks"]:
            raise InvalidOption("--offer-again takes the numbers of dismissed groups, and no rows")
        numbers = {whole_number("--offer-again", text, least=1) for text in options["offer_again"]}
        dedupe_toolkit.offer_again(*numbers, using=options["database"])
        say(self.console, f"{counted(len(numbers), 'group')} offered again.")

    def _list(self, options: dict[str, Any], shape: str, limit: int) -> None:
        require_table(DismissedRow, options["database"])
        groups = DismissedGroup.objects.using(options["database"]).prefetch_related("rows")
        if options["model"]:
            groups = groups.filter(model__in=family(resolve_model(options["model"])))
        shown = list(groups[:limit] if limit else groups)
        self._print(shown, shape)
        left = groups.count() - len(shown)
        if left and shape == Format.TABLE:
            say(self.console, f"and {counted(left, 'more group')}; --limit 0 lists all.")

    def _print(self, groups: list[DismissedGroup], shape: str) -> None:
        if shape == Format.JSON:
            self.stdout.write(as_json(dismissed_document(groups)))
        elif shape == Format.CSV:
            self.stdout.write(dismissed_csv(groups))
        elif groups:
            print_table(self.console, COLUMNS, map(dismissed_cells, groups), NUMBERS)
        else:
            say(self.console, "There are no dismissed groups.")
