"""What a database user may do to a table. Asked of the catalogue, or of the server itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..sentences import Sentence
from .statements import Statements

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True)
class Right:
    """To INSERT, UPDATE or DELETE: these columns of a table, or some column where none is named.

    And to SELECT all columns that it has, or to LOCK its rows.
    """

    action: str
    table: str
    columns: tuple[str, ...] = ()
    is_anyones: bool = True
    """Whether some user may have it: what a foreign table only shows, nobody changes by it."""

    def __str__(self) -> str:
        listed = f" ({', '.join(self.columns)})" if self.columns else ""
        # who may change rows may lock them, everywhere
        action = "UPDATE" if self.action == "LOCK" else self.action
        return f"{action} on {self.table}{listed}"


class Rights(Statements):
    """What the user of a connection may do."""

    def lacking(self, rights: Sequence[Right]) -> list[Right]:
        """Those of these rights that the user has not. Nothing is tried, no trigger set off."""
        return []

    def told_lacking(self, rights: Iterable[Right]) -> tuple[Sentence, ...]:
        """A sentence that names what the user lacks of these rights; none if that is nothing."""
        found = self.lacking(list(dict.fromkeys(rights)))
        changed = {right.table for right in found if right.action == "UPDATE"}
        told = [one for one in found if not (one.action == "LOCK" and one.table in changed)]
        lacked = [str(one) for one in told if one.is_anyones]
        shown = {one.table: None for one in told if not one.is_anyones}
        return (
            *([Sentence("no right", rights=lacked)] if lacked else []),
            *([Sentence("only shown", tables=[*shown])] if shown else []),
        )
