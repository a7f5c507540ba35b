"""Unique rules that a table has for one test only."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model, UniqueConstraint


@contextmanager
def ruled(model: type[Model], constraint: UniqueConstraint) -> Iterator[None]:
    """Give a model's table a unique rule for a while, where the database can have it."""
    before = model._meta.constraints
    # on SQLite the table is rebuilt from the model's options, so they have to know it as well
    model._meta.constraints = [*before, constraint]
    try:
        with connection.schema_editor() as editor:
            editor.add_constraint(model, constraint)
        try:
            yield
        finally:
            model._meta.constraints = before
            with connection.schema_editor() as editor:
                editor.remove_constraint(model, constraint)
    finally:
        model._meta.constraints = before
