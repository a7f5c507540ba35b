"""What a plan says of relations and fields that the database does not have: not yet, or never.

Only reads the catalogue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..references.discover import pending_relations, relations_elsewhere
from ..references.meta import column_of, lineage_of
from ..sentences import Sentence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model

    from ..databases import Database


def ahead(database: Database, model: type[Model]) -> Iterator[Sentence]:
    """A sentence for whatever of a model, or pointing at it, has no column yet, or not here."""
    for part in lineage_of(model):
        there = {column.name for column in database.table(part).columns}
        pending = [f.name for f in part._meta.local_concrete_fields if column_of(f) not in there]
        if pending:
            fields = f"field{'s' if len(pending) > 1 else ''} {', '.join(pending)}"
            yield Sentence("no field", model=part._meta.label, what=fields)
        yield from pending_relations(part, database)
        for reference, aliases in relations_elsewhere(part, database.using):
            yield Sentence("elsewhere", reference=reference, aliases=" or ".join(aliases))
