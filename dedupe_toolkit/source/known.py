"""What there is already for a match key: a rule that keeps it unique, or is to, and duplicates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..command_lines import merge_line, way_out
from ..errors import ConstraintRefused
from ..finding.find import find_duplicates
from .constraints import simplified
from .covered import covering_rule, promised_rule
from .foreign import foreign_rule
from .owner import on_owner
from .pending import foreign_pending, why_pending

if TYPE_CHECKING:
    from django.db.migrations.loader import MigrationLoader
    from django.db.models import UniqueConstraint

    from ..values import FoundDuplicates, MatchKey
    from .pending import Pending


class DuplicatesLeft(ConstraintRefused):
    """Everything else is in place, but the database still has duplicates of ``key``."""

    def __init__(self, message: str, key: MatchKey) -> None:
        super().__init__(message)
        self.key = key


@dataclass(frozen=True, kw_only=True)
class Known:
    """The rule that covers a key, or a sentence on the one that will once it is migrated."""

    covered_by: str = ""
    pending: str = ""


def what_is_known(
    key: MatchKey, constraint: UniqueConstraint, using: str, loader: MigrationLoader
) -> Known | None:
    """The rule that there is for the key already, if there is one.

    Raises `DuplicatesLeft` if there are duplicates all the same, and
    `ConstraintRefused` if migrating would not bring the rule.
    """
    foreign = foreign_rule(key, constraint, loader)
    covering = covering_rule(key, using)
    if covering:
        # to the model, what another app's migration adds is the database's own
        text = foreign.text if foreign and not covering.declared else covering.text
        _refuse_broken(key, text, using)
        return Known(covered_by=text)
    promised = promised_rule(key, using)
    if promised:
        return _pending(key, why_pending(promised, using), using)
    return _pending(key, foreign_pending(key.model, foreign, using), using) if foreign else None


def note_on_promise(key: MatchKey, using: str, *, merging: bool = False) -> str:
    """A sentence where the model promises what the database does not keep; "" where they agree.

    With ``merging``, it names the command that merges the duplicates, too.
    """
    try:
        owned = simplified(on_owner(key))
    except ConstraintRefused:
        return ""
    promised = promised_rule(owned, using)
    if promised is None or covering_rule(owned, using):
        return ""
    line = merge_line(key, using) if merging else ""
    return f"{owned.label}: {why_pending(promised, using).sentence(line)}"


def refuse_duplicates(key: MatchKey, using: str) -> None:
    """Raises `DuplicatesLeft`, with the command that merges them, if the key has duplicates."""
    found = _all_duplicates(key, using)
    if found.groups:
        steps = way_out(found, f"merge them first: {merge_line(key, using)}")
        raise DuplicatesLeft(f"{_count(found)}; nothing was written; {steps}", key)


def _pending(key: MatchKey, pending: Pending, using: str) -> Known:
    found = _all_duplicates(key, using)
    merging = merge_line(key, using) if found.groups > found.dismissed else ""
    sentence = f"{key.label}: {pending.sentence(merging)}"
    if found.groups:
        tell_apart = way_out(found, "")
        raise DuplicatesLeft("; ".join(filter(None, [sentence, _count(found), tell_apart])), key)
    if pending.is_applied:
        raise ConstraintRefused(sentence)
    return Known(pending=sentence)


def _refuse_broken(key: MatchKey, text: str, using: str) -> None:
    """An index may be valid and broken: one of text is when the server's collations change."""
    found = _all_duplicates(key, using)
    if found.groups:
        raise DuplicatesLeft(
            f"{_count(found)}, although the database has {text}: its index is broken;"
            f" merge them ({merge_line(key, using)}), then build the index again (REINDEX)",
            key,
        )


def _all_duplicates(key: MatchKey, using: str) -> FoundDuplicates:
    return find_duplicates(key, using=using, limit=0, include_dismissed=True)


def _count(found: FoundDuplicates) -> str:
    groups = "1 duplicate group" if found.groups == 1 else f"{found.groups} duplicate groups"
    fields = ", ".join(found.key.fields)
    return f"{found.key.label} has {groups} ({found.rows} rows) on {fields}"
