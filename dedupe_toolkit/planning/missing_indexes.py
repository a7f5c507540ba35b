"""References that no index finds: each batch would read their whole table. Only reads."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..references.discover import column_references
from ..sentences import Sentence

if TYPE_CHECKING:
    from django.db.models import Model

    from ..databases import Database
    from ..references.kinds import Reference
    from .levels import Level

FEW_ROWS = 1_000
"""Tables with fewer rows are read as fast without an index."""

_INSTALLED = {"site-packages", "dist-packages"}


def missing_indexes(database: Database, level: Level) -> tuple[Sentence, ...]:
    """A sentence for each reference that a merge looks up and no index finds, with the index.

    Speaks of tables with `FEW_ROWS` or more only. Two statements at most, whatever the number
    of references and rows.
    """
    looked_up = _looked_up(level)
    indexes = database.indexes(sorted({ref.referrer._meta.db_table for ref in looked_up}))
    missing = [
        reference
        for reference in looked_up
        if not any(
            _finds(database, index, reference)
            for index in indexes[reference.referrer._meta.db_table]
        )
    ]
    large = _large_tables(database, sorted({ref.referrer._meta.db_table for ref in missing}))
    return tuple(
        _warning(database, reference)
        for reference in missing
        if reference.referrer._meta.db_table in large
    )


def _looked_up(level: Level) -> list[Reference]:
    """The references to rows that change or go: duplicates, and rivals at every level."""
    found: dict[tuple[str, tuple[str, ...]], Reference] = {}
    for one in level.levels():
        for work in one.works:
            # what points at rows that lose to a rival is looked up when these go
            followers = column_references(work.referrer.followers) if work.outcomes else ()
            for reference in (*work.referrer.references, *followers):
                found.setdefault((reference.referrer._meta.db_table, reference.columns), reference)
    return list(found.values())


def _finds(database: Database, index: tuple[str, ...], reference: Reference) -> bool:
    """Whether the index leads to the rows that hold a key, by its first columns."""
    columns = set(map(database.as_compared, reference.columns))
    width = len(reference.columns)
    if set(index[:width]) == columns:
        return True
    # of the two columns of a generic key either may come first, but both must be there
    beside = set(map(database.as_compared, reference.beside))
    return set(index[: width + len(beside)]) == columns | beside


def _large_tables(database: Database, tables: list[str]) -> set[str]:
    """Those with many rows; reads no more of each than it takes to know."""
    if not tables:
        return set()
    counts = ", ".join(
        f"(SELECT COUNT(*) FROM (SELECT 1 FROM {database.q(table)} LIMIT {FEW_ROWS}) few)"
        for table in tables
    )
    (row,) = database.look_up(f"SELECT {counts}")  # a hint may lag behind
    return {table for table, count in zip(tables, row, strict=True) if count == FEW_ROWS}


def _warning(database: Database, reference: Reference) -> Sentence:
    cost = "each batch reads the whole table"
    if reference.is_enforced:
        cost += ", and so does the database for each row it deletes"
    remedy = _remedy(database, reference)
    return Sentence("no index", reference=reference.label, cost=cost, remedy=remedy)


def _remedy(database: Database, reference: Reference) -> str:
    """What to write where: into the model if it is the project's own, else into a migration."""
    referrer = reference.referrer
    names = (*reference.beside, *reference.columns)
    table = database.table(referrer)
    parts = [database.index_part(table.column(name)) for name in names]
    fields = {field.column: field.name for field in referrer._meta.local_concrete_fields}
    if not _is_own(referrer) or parts != list(map(database.q, names)):
        name = database.q(f"{table.name}_{names[-1]}_dedupe")
        return f"CREATE INDEX {name} ON {database.q(table.name)} ({', '.join(parts)})"
    if len(names) == 1:
        return f"give {referrer._meta.label}.{fields[names[0]]} db_index=True"
    listed = ", ".join(f'"{fields[name]}"' for name in names)
    return f"add models.Index(fields=[{listed}]) to Meta.indexes of {referrer._meta.label}"


def _is_own(model: type[Model]) -> bool:
    """Whether the model can be edited and migrated: an installed package's cannot."""
    file = getattr(sys.modules.get(model.__module__), "__file__", None) or ""
    return model._meta.managed and not _INSTALLED & set(Path(file).parts)
