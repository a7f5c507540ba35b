"""Finds the rows that are equal on a match key."""

from __future__ import annotations

import sys
from itertools import islice
from typing import TYPE_CHECKING, Any

import dedupe_toolkit

from ...errors import InvalidOption
from ...keys import resolve_model
from ...registry import declared_policy
from ...reports.formats import Format, as_json
from ...reports.found import found_csv, found_document, print_found
from ...reports.held_back import held_csv, held_document, print_held_back
from ..base import DedupeCommand
from ..options import (
    add_format,
    add_key_arguments,
    add_limit,
    add_model,
    add_options,
    keys_from_options,
    one_of,
    refuse_refining,
    whole_number,
)
from ..policy import survivor_rules

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

    from ...values import FoundDuplicates, MatchKey


class Command(DedupeCommand):
    help = "Find the rows that are equal on a match key. Reads only."

    def add_arguments(self, parser: CommandParser) -> None:
        add_model(parser, nargs="?")
        add_key_arguments(parser)
        add_options(parser, {"--survivor RULE": f"Which row would survive: {survivor_rules()}."})
        add_limit(parser, "Groups")
        instead = {
            "--held-back": "List the groups that the latest merges held back, with the reasons.",
            "--check": "Exit with code 1 if there are any duplicates that nobody has dismissed.",
        }
        add_options(parser, instead)
        add_format(parser, Format)

    def handle(self, **options: Any) -> None:
        shape = one_of("--format", options["format"], Format)
        limit = whole_number("--limit", options["limit"])
        if options["held_back"]:
            self._held_back(shape, limit or None, options)
            return
        found = [
            dedupe_toolkit.find_duplicates(
                key,
                using=options["database"],
                survivor=_survivor(key, options["survivor"]),
                limit=limit or None,
            )
            for key in keys_from_options(options)
        ]
        self._report(found, shape)
        self._promises(found, options)
        if options["check"] and any(one.groups for one in found):
            sys.exit(1)

    def _promises(self, found: list[FoundDuplicates], options: dict[str, Any]) -> None:
        from ...source.known import note_on_promise  # not for the help

        for one in found:
            merging = bool(one.groups)
            self.tell(note_on_promise(one.key, options["database"], merging=merging))

    def _held_back(self, shape: str, limit: int | None, options: dict[str, Any]) -> None:
        from ...reviewing.held_back import held_back

        _refuse_key(options)
        model = resolve_model(options["model"]) if options["model"] else None
        groups = list(islice(held_back(model, using=options["database"]), limit))
        if shape == Format.JSON:
            self.stdout.write(as_json(held_document(groups)))
        elif shape == Format.CSV:
            self.stdout.write(held_csv(groups))
        else:
            print_held_back(self.console, groups)
        if options["check"] and groups:
            sys.exit(1)

    def _report(self, found: list[FoundDuplicates], shape: str) -> None:
        if shape == Format.JSON:
            self.stdout.write(as_json(found_document(found)))
        elif shape == Format.CSV:
            self.stdout.write(found_csv(found))
        else:
            for one in found:
                print_found(self.console, one)


def _refuse_key(options: dict[str, Any]) -> None:
    """Raises `InvalidOption`: what runs held back is listed as they left it, by all their keys."""
    for name in ("fields", "survivor"):
        if options[name] is not None:
            raise InvalidOption(f"--held-back and --{name} exclude each other: name a model only")
    refuse_refining(options, "and --held-back exclude each other: name a model only")


def _survivor(key: MatchKey, given: str | None) -> Any:
    return declared_policy(key.model).survivor if given is None else given
