"""Command lines that a message tells its reader to run, ready to paste into a shell."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, Any

from .values import Blanks, Nulls

if TYPE_CHECKING:
    from .values import FoundDuplicates, MatchKey


def way_out(found: FoundDuplicates, merging: str) -> str:
    """What to do about duplicates in the way of a constraint; ``merging`` is for those offered."""
    steps = [merging] if found.dismissed < found.groups else []
    if found.dismissed:
        verb = "is" if found.dismissed == 1 else "are"
        steps.append(
            f"{found.dismissed} of the groups {verb} dismissed: a merge by the key leaves such"
            " groups alone, the constraint does not; put a field or condition into the key that"
            " tells their rows apart, or merge the rows with merge_duplicates --pks"
        )
    return "; ".join(steps)


def merge_line(key: MatchKey, using: str = "default") -> str:
    """``manage.py merge_duplicates …`` for the key."""
    return command_line("merge_duplicates", key, using)


def command_line(command: str, key: MatchKey, using: str = "default") -> str:
    """A command of this package with the options that describe the key."""
    return " ".join(map(quote, ["manage.py", command, *key_words(key, using)]))


def migrate_line(app_label: str, using: str = "default") -> str:
    """The command that applies the migrations of an app."""
    return f"manage.py migrate {app_label}{in_database(using)}"


def in_database(using: str) -> str:
    """What a command is told of its database: nothing of the default one."""
    return "" if using == "default" else f" --database {using}"


def key_words(key: MatchKey, using: str = "default") -> list[str]:
    """The model and the options that describe the key, as the words of a command line."""
    words = [key.label, "--fields", *key.fields]
    if key.nulls is not Nulls.DISTINCT:
        words += ["--nulls", key.nulls]
    if key.blanks is not Blanks.EQUAL:
        words += ["--blanks", key.blanks]
    for lookup, value in key.where:
        words += ["--where", f"{lookup}={_typed(value)}"]
    if using != "default":
        words += ["--database", using]
    return words


def _typed(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ",".join(map(_typed, value))
    return str(value)
