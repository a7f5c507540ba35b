"""Prints how many rows the catalogue has."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand

from testproject.films.counts import film_counts

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    help = "Count the rows of the film catalogue, hidden ones too. Only reads."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--format", choices=["table", "json"], default="table")

    def handle(self, *, format: str, **options: Any) -> None:  # noqa: A002 (the option's name)
        counts = film_counts()
        if format == "json":
            self.stdout.write(json.dumps(counts))
            return
        for what, number in counts.items():
            self.stdout.write(f"{what + ':':<44}{number:>8}")
