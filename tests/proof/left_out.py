"""What the proof does not compare, because the engine is known to differ there.

Each has its reason; taking one out is how to see whether it still holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .tables import Schema


def uncounted(schema: Schema) -> Iterator[str]:
    """A reference taken from another row as a value may move on, which the plan does not count."""
    for table in schema.tables:
        for column, to in table.references.items():
            if to.table == table.name or (to.is_nullable and table.unique):
                name = column.removesuffix("_id")
                yield f"{schema.app}.{table.name.capitalize()}.{name}"
