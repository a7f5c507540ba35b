"""Keys inside larger values: which rows hold a duplicate's, and what the value becomes.

Reads users' rows and writes work tables; ``write`` carries the change out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..databases.named_rows import NamedRows
from ..databases.names import numbered
from ..databases.tables import definitions
from ..mapping.mapping import MERGED
from .custom_references import fill_computed

if TYPE_CHECKING:
    from ..databases import Database
    from ..databases.tables import Table
    from ..mapping.mapping import MergeMap
    from ..references.embedded import EmbeddedReference


@dataclass(frozen=True, kw_only=True)
class Embedded:
    """The rows of one embedded reference that change, with their new values, in a work table."""

    name: str
    table: Table
    reference: EmbeddedReference
    rows: int

    @property
    def named(self) -> NamedRows:
        keys = numbered("key", len(self.table.pk))
        names = self.table.key
        return NamedRows(self.name, dict(zip(names, keys, strict=True)))


def find_embedded(
    database: Database, mapping: MergeMap, reference: EmbeddedReference, name: str
) -> Embedded:
    """Fill a work table with the rows that hold a duplicate, and what their value becomes."""
    table = database.table(reference.referrer)
    keys = numbered("key", len(table.pk))
    types = definitions(keys, table.pk)
    types |= {"value": table.column(reference.value).definition, "root": "varchar(500)"}
    database.create_work_table(name, types, primary_key=keys)
    if reference.custom:
        rows = fill_computed(database, mapping, reference, reference.custom, name)
    else:
        rows = _fill(database, mapping, reference, name)
    return Embedded(name=name, table=table, reference=reference, rows=rows)


def _fill(database: Database, mapping: MergeMap, reference: EmbeddedReference, name: str) -> int:
    table = database.table(reference.referrer)
    keys = numbered("key", len(table.pk))
    own = database.qualified("t", table.key)
    work, referrer = database.q(mapping.name), database.q(table.name)
    meant = reference.condition("t", database)
    conditions = " AND ".join(filter(None, [MERGED, reference.holds(database), meant]))
    named = ", ".join(f"{column} AS {key}" for column, key in zip(own, keys, strict=True))
    found = (
        f"SELECT {named}, MIN({mapping.root(database)}) AS root"
        f" FROM {work} m JOIN {referrer} t ON {conditions} GROUP BY {', '.join(own)}"
    )
    again = f" JOIN {work} m ON {conditions}" if reference.joins_mapping else ""
    return database.run(
        f"INSERT INTO {database.q(name)} ({', '.join([*keys, 'value', 'root'])})"
        f" SELECT {', '.join(own)}, {reference.replaced(database, mapping.name)}, x.root"
        f" FROM ({found}) x JOIN {referrer} t"
        f" ON {database.equal(own, [f'x.{key}' for key in keys])}"
        f"{again}"
    )
