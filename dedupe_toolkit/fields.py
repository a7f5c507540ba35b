"""Columns of the journal that Django has no class for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

from .sentences import Sentence

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper


KEY_LENGTH = 500


class KeyField(models.CharField):  # type: ignore[type-arg]  # generic to type checkers only
    """A primary key as text, compared to the letter whatever the collation of its database."""

    def db_parameters(self, connection: BaseDatabaseWrapper) -> Any:
        from .databases import dialect_of  # not for every process that has the models

        collation = dialect_of(connection.alias).exact_collation
        return {**super().db_parameters(connection), "collation": collation or None}


class SentenceField(models.JSONField):
    """A `Sentence`, kept as its code and its parameters."""

    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> Any:
        return self.to_python(super().from_db_value(value, expression, connection))

    def to_python(self, value: Any) -> Any:
        return Sentence.from_plain(value) if isinstance(value, dict) else value

    def get_db_prep_value(
        self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False
    ) -> Any:
        return super().get_db_prep_value(_plain(value), connection, prepared)

    def value_to_string(self, obj: models.Model) -> Any:
        return _plain(self.value_from_object(obj))


def _plain(value: Any) -> Any:
    return value.plain if isinstance(value, Sentence) else value
