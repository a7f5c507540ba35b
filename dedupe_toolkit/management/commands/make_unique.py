"""Edits a model and writes the migration that makes a match key unique."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dedupe_toolkit

from ...source.constraints import Style
from ...source.unique import DuplicatesLeft, make_unique
from ..base import DedupeCommand
from ..options import add_key_arguments, key_from_options, one_of

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

    from ...source.edits import ConstraintEdit
    from ...values import MatchKey


class Command(DedupeCommand):
    help = "Make the database keep a match key unique: edit the model and write the migration."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("model", metavar="MODEL", help="The model: app_label.ModelName.")
        add_key_arguments(parser)
        parser.add_argument(
            "--style",
            metavar="|".join(Style),
            help="How to write it (default: unique_together where that can say it).",
        )
        parser.add_argument("--name", metavar="N", help="The constraint's name.")
        parser.add_argument(
            "--concurrently",
            action="store_true",
            help="On PostgreSQL, build the index without blocking writes.",
        )
        parser.add_argument(
            "--merge",
            action="store_true",
            help="Merge the duplicates that are left first, by the default rules.",
        )
        parser.add_argument(
            "--into-app",
            metavar="APP",
            help="Put the constraint of an installed package's model into this app's migrations.",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="Print the diff and write nothing."
        )

    def handle(self, **options: Any) -> None:
        edit = self._merged_and_computed(options)
        self._report(edit)
        if edit.files and not options["dry_run"]:
            edit.write()
            self._print(f"Written. Now run: {_migrate_line(edit, options['database'])}")

    def _merged_and_computed(self, options: dict[str, Any]) -> ConstraintEdit:
        """The edit; with ``--merge``, duplicates are merged once everything else is in place."""
        key = key_from_options(options)
        try:
            return _computed(key, options)
        except DuplicatesLeft as left:
            if options["dry_run"] or not options["merge"]:
                raise
            plan = dedupe_toolkit.plan_merge(left.key, using=options["database"])
            run = dedupe_toolkit.merge(plan)
        self._print(f"Merge run {run.pk}: {run.merged} of {run.groups} groups merged.")
        return _computed(key, options)

    def _report(self, edit: ConstraintEdit) -> None:
        for note in edit.notes:
            self._print(note)
        if edit.covered_by:
            fields = ", ".join(edit.key.fields)
            self._print(
                f"{edit.key.label} cannot have duplicates on {fields} any more:"
                f" {edit.covered_by} covers it. Nothing was written."
            )
        elif self.console.is_terminal:
            from rich.syntax import Syntax

            colours = Syntax("", "diff", theme="ansi_dark", background_color="default")
            self.console.print(colours.highlight(edit.diff), soft_wrap=True, end="")
        else:
            self.console.out(edit.diff, end="", highlight=False)

    def _print(self, text: str) -> None:
        self.console.print(text, soft_wrap=True, highlight=False, markup=False)


def _computed(key: MatchKey, options: dict[str, Any]) -> ConstraintEdit:
    return make_unique(
        key,
        style=options["style"] and one_of("--style", options["style"], Style),
        name=options["name"],
        using=options["database"],
        concurrently=options["concurrently"],
        into_app=options["into_app"],
    )


def _migrate_line(edit: ConstraintEdit, using: str) -> str:
    database = "" if using == "default" else f" --database {using}"
    return f"manage.py migrate {edit.app_label}{database}"
