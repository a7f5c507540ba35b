"""Columns that hold keys in another type than the keys have, as tables made by hand may.

Databases compare numbers with texts each in its own way, or not at all: ``02`` may be 2 or not, one
text that is no number fails the whole statement, and what is written comes back as something else.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..errors import MergeRefused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..databases import Database
    from ..databases.tables import Column
    from .kinds import Reference


def refuse_unlike_columns(references: Iterable[Reference], database: Database) -> None:
    """Raises `MergeRefused` for texts where the keys are numbers, or numbers for texts."""
    for reference in references:
        if reference.holds_key and not reference.is_text:
            table, target = map(database.table, (reference.referrer, reference.target))
            for name, pointed_at in zip(reference.columns, reference.targets, strict=True):
                columns = table.column(name), target.column(pointed_at)
                if _are_unlike(*columns):
                    held, key = (re.split(" CHARACTER| COLLATE", c.definition)[0] for c in columns)
                    raise MergeRefused(
                        f"{reference.label} is {held} in the database, and what it points at,"
                        f" {reference.target._meta.label}.{pointed_at}, {key}: give both columns"
                        " one type first"
                    )


def _are_unlike(held: Column, key: Column) -> bool:
    return (held.is_text and key.is_integer) or (held.is_integer and key.is_text)
