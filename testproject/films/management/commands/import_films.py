"""Imports the film catalogue with several processes at once."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connections

from dedupe_toolkit.prove.processes import run_in_step
from testproject.films.counts import film_counts

IMPORTER = "testproject.films.importer.import_films"


class Command(BaseCommand):
    help = "Import the film catalogue with several processes at once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--processes", type=int, default=3, help="Importers (default: 3).")
        parser.add_argument(
            "--limit", type=int, default=120, help="Films to import (default: 120; 0 = all)."
        )
        parser.add_argument("--report", type=Path, help="Also write the numbers here, as JSON.")

    def handle(self, *, processes: int, limit: int, report: Path | None, **options: Any) -> None:
        connections.close_all()
        tallies = run_in_step(IMPORTER, limit or None, processes=processes)
        result = {**_summary(tallies), **film_counts()}
        for what, number in result.items():
            self.stdout.write(f"{what + ':':<44}{number:>8}")
        if report:
            report.write_text(json.dumps(result, indent=2))


def _summary(tallies: list[Counter[str]]) -> dict[str, int | float]:
    total = sum(tallies, Counter())
    slowest = max(tally["milliseconds"] for tally in tallies)
    return {
        "processes": len(tallies),
        "seconds": slowest / 1000,
        "calls of get_or_create": total["calls"],
        "MultipleObjectsReturned": total["multiple"],
    }
