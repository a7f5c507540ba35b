"""Columns of the journal that Django has no class for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper


KEY_LENGTH = 500


class KeyField(models.CharField):  # type: ignore[type-arg]  # generic to type checkers only
    """A primary key as text, compared to the letter whatever the collation of its database."""

    def db_parameters(self, connection: BaseDatabaseWrapper) -> Any:
        from .databases import dialect_of  # not for every process that has the models

        collation = dialect_of(connection.alias).exact_collation
        return {**super().db_parameters(connection), "collation": collation or None}
