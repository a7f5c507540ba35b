"""What commands that make a key unique share: options, key, edit, and how it is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dedupe_toolkit

from ..audit.about import about_key, to_change
from ..audit.formats.plain import print_future
from ..command_lines import command_line
from ..errors import InvalidOption
from ..printing import say
from ..source.constraints import Style
from ..source.unique import make_unique
from .options import add_options, key_from_options, keys_from_options, one_of
from .progress import progress_bar

if TYPE_CHECKING:
    from django.core.management.base import CommandParser
    from rich.console import Console

    from ..source.edits import ConstraintEdit
    from ..values import MatchKey


def add_constraint_arguments(parser: CommandParser) -> None:
    """Add what says how the constraint is written, and where."""
    group = parser.add_argument_group("constraint")
    how = {
        f"--style {'|'.join(Style)}": "How to write it (default: unique_together where that can"
        " say it).",
        "--name N": "The constraint's name.",
        "--concurrently": "On PostgreSQL, build the index without blocking writes.",
        "--into-app APP": "Put the constraint of an installed package's model into this app's"
        " migrations.",
        "--show-values": "Let the migration's error name key values (by default not: personal"
        " data).",
    }
    add_options(group, how)


def one_key(command: str, options: dict[str, Any]) -> MatchKey:
    """The key named, or the one declared, for a command that is about one at a time.

    Raises `InvalidOption`, with the lines to choose from, where several are known.
    """
    if options["fields"]:
        return key_from_options(options)
    key, *others = keys_from_options(options)
    if others:
        lines = (command_line(command, one, options["database"]) for one in (key, *others))
        raise InvalidOption(
            f"{key.label} has {1 + len(others)} known keys; name one of them at a time:"
            f" {'; or '.join(lines)}"
        )
    return key


def edit_from_options(key: MatchKey, options: dict[str, Any]) -> ConstraintEdit:
    """What it takes to make the key unique as the options say; raises as `make_unique` does."""
    return make_unique(
        key,
        style=options["style"] and one_of("--style", options["style"], Style),
        name=options["name"],
        using=options["database"],
        concurrently=options["concurrently"],
        into_app=options["into_app"],
        show_values=options["show_values"],
    )


def print_edit(console: Console, edit: ConstraintEdit) -> None:
    """The diff; or what covers the key already, or will."""
    for note in edit.notes:
        say(console, note)
    if edit.covered_by:
        fields = ", ".join(edit.key.fields)
        say(
            console,
            f"{edit.key.label} cannot have duplicates on {fields} any more:"
            f" {edit.covered_by} covers it. Nothing was written.",
        )
    elif edit.pending:
        say(console, f"{edit.pending}. Nothing was written.")
    elif console.is_terminal:
        from rich.syntax import Syntax

        colours = Syntax("", "diff", theme="ansi_dark", background_color="default")
        console.print(colours.highlight(edit.diff), soft_wrap=True, end="")
    else:
        console.out(edit.diff, end="", highlight=False)


def print_calls(console: Console, edit: ConstraintEdit, options: dict[str, Any]) -> None:
    """Which calls the constraint to come does not make safe, and what they should become."""
    if not edit.files:
        return
    with progress_bar("Reading", options["verbosity"]) as progress:
        found = dedupe_toolkit.audit_get_or_create(
            using=options["database"], supposed=edit.key, progress=progress
        )
    print_future(console, to_change(about_key(found, edit.key)))
