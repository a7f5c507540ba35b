"""The command that all commands of this package are."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

from django.core.checks import Tags
from django.core.management.base import CommandError, CommandParser
from django_rich.management import RichCommand

from ..errors import DedupeError


class DedupeCommand(RichCommand):
    """A command whose expected failures are one line on standard error and exit code 1.

    ``self.console`` is rich's, on standard output: colours on a terminal, plain text in a pipe.
    """

    # a wrong model gives wrong answers; a wrong URL configuration is no reason to refuse
    requires_system_checks = [Tags.models]

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        if parser.called_from_command_line:
            # argparse would print its usage before the one line that matters, and exit with 2
            parser.error = self._refuse  # type: ignore[method-assign]
        return parser

    def _refuse(self, message: str) -> NoReturn:
        self.stderr.write(f"CommandError: {message}")
        sys.exit(1)

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except DedupeError as error:
            raise CommandError(str(error)) from error
