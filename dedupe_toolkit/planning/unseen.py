"""What a migration's models do not show: references that only the project's models know.

Only reads the models, and what the database says of their tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import MergeRefused
from ..references.discover import references_to
from ..references.frozen import is_frozen, project_model
from ..references.refusals import refuse_unmergeable

if TYPE_CHECKING:
    from django.db.models import Model

    from ..databases import Database
    from ..references.kinds import Reference


def refuse_unseen(model: type[Model], database: Database) -> None:
    """Raises `MergeRefused` for a migration's model that something points at unseen from there.

    Generic keys whose models the migration does not depend on, columns and custom references that
    ``dedupe.py`` declares, and what a package forbids for its models.
    """
    real = project_model(model) if is_frozen(model) else None
    if real is None:
        return
    refuse_unmergeable(real)
    seen = {
        (ref.referrer._meta.db_table, ref.columns) for ref in references_to(model, database.using)
    }
    for reference in references_to(real, database.using):
        place = (reference.referrer._meta.db_table, reference.columns)
        if place not in seen and _is_there(reference, database):
            raise MergeRefused(
                f"{model._meta.label} cannot be merged in this migration: {reference.label} points"
                " at it, and the migration's models do not show that; let the migration depend on"
                f" the latest of {reference.referrer._meta.app_label}, or merge with"
                " merge_duplicates before it"
            )


def _is_there(reference: Reference, database: Database) -> bool:
    """Whether the database has the columns already."""
    names = {column.name for column in database.table(reference.referrer).columns}
    return names.issuperset(reference.columns)
