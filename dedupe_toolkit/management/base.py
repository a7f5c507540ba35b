"""The command that all commands of this package are."""

from __future__ import annotations

import os
import re
import sys
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn

from django.core.checks import Tags
from django.core.management.base import CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, Error
from django_rich.management import RichCommand
from rich.console import Console

from ..errors import DedupeError, InvalidOption
from .process import stopping_alike, write_any_text

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Collection, Mapping, Sequence

# a signal's number on top, as shells report it
_BROKEN_PIPE = 128 + 13
_DJANGOS = {"settings", "pythonpath"}
_DESCENDING = re.compile(r"-[A-Za-z_]")


class _Console(Console):
    def on_broken_pipe(self) -> None:
        # rich calls this where it has caught the error, and would exit with 1
        raise


class DedupeCommand(RichCommand):
    """A command whose expected failures are one line on standard error and exit code 1.

    ``self.console`` is rich's, on standard output: tables and colours at a terminal, plain lines
    in a pipe. Ctrl-C ends it with 130 and one line that says what is done; a service manager's
    SIGTERM, and a terminal that is closed, end it like that with 143 and 129.
    """

    # a wrong model gives wrong answers; a wrong URL configuration is no reason to refuse
    requires_system_checks: Any = [Tags.models]
    positional: Collection[str] = ()

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        if parser.called_from_command_line:
            # argparse would print its usage before the one line that matters, and exit with 2
            parser.error = self._refuse  # type: ignore[method-assign]  # argparse offers no hook
        _take_orderings(parser)
        self.positional = {one.dest for one in parser._actions if not one.option_strings}
        return parser

    def get_check_kwargs(self, options: Any) -> Any:
        # Django 6.1 would ask every database, of which one may be down and none is asked for
        return {**super().get_check_kwargs(options), "databases": []}

    def make_rich_console(self, **kwargs: Any) -> Console:
        """rich's console: ``NO_COLOR`` and ``--no-color`` take the colours away, not the tables."""
        forced = kwargs.pop("force_terminal", None)
        is_plain = forced is False or bool(os.environ.get("NO_COLOR"))
        file = kwargs["file"]
        return _Console(
            **kwargs,
            # rich would take FORCE_COLOR for a terminal, and write bold type into a pipe
            force_terminal=file.isatty() if is_plain else forced,
            color_system=None if is_plain else "auto",
        )

    def run_from_argv(self, argv: list[str]) -> None:
        write_any_text()
        try:
            with stopping_alike() as signalled:
                super().run_from_argv(argv)
        except KeyboardInterrupt as stop:
            # the terminal may be gone; else it has shown ^C, and stands in the middle of a line
            with suppress(OSError):
                self.stderr.write(f"\n{str(stop) or 'Stopped.'}")
            sys.exit(signalled.exit_code)
        except BrokenPipeError:
            # who read our output has gone; what Python flushes at its end must not fail again
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(_BROKEN_PIPE)

    def tell(self, note: str) -> None:
        """A sentence beside the report, where no program reads it; none if it is empty."""
        if note:
            self.stderr.write(note, self.style.WARNING)

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            _refuse_empty(options, self.positional)
            return super().execute(*args, **options)
        except DedupeError as error:
            raise CommandError(str(error)) from error
        except Error as error:
            raise CommandError(_refused(error, options.get("database"))) from error
        except ImportError as error:
            raise CommandError(_unimported(error)) from error

    def _refuse(self, message: str) -> NoReturn:
        self.stderr.write(f"CommandError: {message}")
        sys.exit(1)


def _refuse_empty(options: Mapping[str, Any], positional: Collection[str]) -> None:
    """Raises `InvalidOption` for a value without a letter: a shell's variable that is not set.

    Taken for an option that was not given, it would let more happen than was asked for.
    """
    for name in sorted(options.keys() - _DJANGOS):
        if options[name] == "":
            given = name.upper() if name in positional else f"--{name.replace('_', '-')}"
            raise InvalidOption(f"{given} is empty; give it a value, or leave it out")


def _refused(error: Error, using: str | None) -> str:
    """What a database refuses, and what a stopped command adds to it, in one line."""
    from ..databases import refusal  # not for the help

    notes = getattr(error, "__notes__", ())
    about = "".join(note for note in notes if note.endswith(": "))
    said = refusal(error, using or DEFAULT_DB_ALIAS)
    return ". ".join([f"{about}{said}", *(note for note in notes if not note.endswith(": "))])


def _unimported(error: ImportError) -> str:
    """What cannot be imported, and where, in one line."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [frame for frame in frames if not frame.filename.startswith("<")]
    where = f" ({places[-1].filename}:{places[-1].lineno})" if places else ""
    return f"the project cannot be imported: {' '.join(str(error).split())}{where}"


def _take_orderings(parser: CommandParser) -> None:
    """Let ``--survivor -updated,id`` be written with a space: the value is no option of its own."""
    parse = parser.parse_known_args

    def parse_known_args(
        args: Sequence[str] | None = None, namespace: Namespace | None = None
    ) -> Any:
        return parse(_joined(sys.argv[1:] if args is None else args), namespace)

    parser.parse_known_args = parse_known_args  # type: ignore[method-assign,assignment]  # no hook


def _joined(args: Sequence[str]) -> list[str]:
    joined: list[str] = []
    for arg in args:
        if joined and joined[-1] == "--survivor" and _DESCENDING.match(arg):
            joined[-1] = f"--survivor={arg}"
        else:
            joined.append(arg)
    return joined
