"""What all tables of ours have in common: a row belongs to the database that it comes from."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db import models

Row = TypeVar("Row", bound=models.Model, covariant=True)


class OwnRows(models.QuerySet[Row]):
    """What is read of a row, or of rows that belong to it, is read in that row's own database.

    A router would be asked otherwise, and may send reads to a replica, which need not know yet of
    what was written a moment ago; or to the one database that the project has for a model, where
    there are no runs of others.
    """

    @property
    def db(self) -> str:
        row = self._hints.get("instance")  # type: ignore[attr-defined]  # as Django tells routers
        own: str | None = self._db or (row._state.db if row is not None else None)  # type: ignore[attr-defined]
        return own or super().db


class OwnManager(models.Manager[Row]):
    def get_queryset(self) -> OwnRows[Row]:
        return OwnRows(self.model, using=self._db, hints=self._hints)  # type: ignore[attr-defined]  # as Django's own does


class OwnModel(models.Model):
    """Saved where it comes from as well, whatever routers say of the model."""

    objects = OwnManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"

    def save(self, *, using: str | None = None, **options: Any) -> None:
        super().save(using=using or self._state.db, **options)
