"""Lets processes race for a key on a copy of its table, without its constraint and with it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import dedupe_toolkit

from ...prove.reports import print_proof, proof_document
from ...reports.formats import Format, as_json
from ..base import DedupeCommand
from ..constraining import one_key
from ..options import add_format, add_key_arguments, add_model, add_options, one_of, whole_number
from ..progress import progress_bar

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

_SHAPES = (Format.TABLE, Format.JSON)


class Command(DedupeCommand):
    help = (
        "Let processes race for get_or_create on a match key, on a scratch copy of the table,"
        " without its unique constraint and with it. Never writes to the model's rows."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_model(parser)
        add_key_arguments(parser)
        add_race_arguments(parser)
        inside = "Make each call within a transaction of its own, as ATOMIC_REQUESTS would."
        add_options(parser, {"--inside-transaction": inside})
        add_format(parser, _SHAPES)

    def handle(self, **options: Any) -> None:
        shape = one_of("--format", options["format"], _SHAPES)
        processes, calls = race_from_options(options)
        with progress_bar("Racing", options["verbosity"]) as progress:
            proof = dedupe_toolkit.prove_get_or_create(
                one_key("prove_get_or_create", options),
                using=options["database"],
                processes=processes,
                calls=calls,
                inside_transaction=options["inside_transaction"],
                progress=progress,
            )
        if shape == Format.JSON:
            self.stdout.write(as_json(proof_document(proof, options["database"])))
        else:
            print_proof(self.console, proof)
        if proof.constrained.duplicates:
            sys.exit(1)


def add_race_arguments(parser: CommandParser) -> None:
    """Add how many processes race, and how often."""
    parser.add_argument(
        "--processes", default=8, metavar="N", help="Processes that race (default: 8)."
    )
    parser.add_argument(
        "--calls",
        default=1000,
        metavar="N",
        help="Calls in each of the two races, over all processes (default: 1000).",
    )


def race_from_options(options: dict[str, Any]) -> tuple[int, int]:
    """How many processes race, and how many calls they make. Raises `InvalidOption`."""
    processes = whole_number("--processes", options["processes"], least=2)
    return processes, whole_number("--calls", options["calls"], least=processes)
