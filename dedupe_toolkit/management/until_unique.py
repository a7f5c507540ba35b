"""Makes a key unique on a table that is written to: migrates, and merges what arrived meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import IntegrityError

from ..errors import ConstraintRefused
from ..finding.find import find_duplicates

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..source.edits import ConstraintEdit
    from ..values import MatchKey

ROUNDS = 10
"""How often a constraint is tried before it is left to a person."""


def until_it_sticks(
    edit: ConstraintEdit,
    using: str,
    merge: Callable[[MatchKey], None],
    tell: Callable[[str], None],
) -> None:
    """Apply the migration that was written; ``merge`` what has arrived each time it fails.

    Raises `ConstraintRefused` when duplicates still arrive after `ROUNDS` rounds, and whatever
    ``merge`` raises; the migration stays written then. An error that duplicates are no reason for
    is raised as it is.
    """
    label, fields = edit.key.label, ", ".join(edit.key.fields)
    for number in range(1, ROUNDS + 1):
        refused = _refusal(edit, using)
        if refused is None:
            rounds = "1 round" if number == 1 else f"{number} rounds"
            tell(f"{label} is unique by {fields}, after {rounds}.")
            return
        found = find_duplicates(edit.key, using=using, limit=1, include_dismissed=True)
        if found.groups:
            tell(f"Round {number}: the constraint was refused, duplicates have arrived.")
            merge(edit.key)
        elif isinstance(refused, IntegrityError):
            # whoever wrote the duplicate has taken it back, as the migration has
            tell(f"Round {number}: the constraint was refused, and the duplicates are gone again.")
        else:
            raise refused
    raise ConstraintRefused(
        f"{label}: duplicates on {fields} still arrive after {ROUNDS} rounds; the migration is"
        " written and not applied: stop what writes them for a moment, merge, and migrate"
    )


def _refusal(edit: ConstraintEdit, using: str) -> Exception | None:
    """Apply the migration; the error if it was not."""
    options: dict[str, Any] = {"database": using, "interactive": False, "verbosity": 0}
    try:
        call_command("migrate", edit.app_label, edit.migration and edit.migration.stem, **options)
    except (CommandError, IntegrityError) as error:
        return error
    return None
