"""Stops a migration on a database that has duplicates, before it changes anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError

from ..command_lines import merge_line, way_out
from ..finding.find import find_duplicates
from ..values import Blanks, MatchKey, Nulls
from .on_rows import OnRows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SHOWN = 3


class CheckNoDuplicates(OnRows):
    """Stops a migration, before any change, on a database that has duplicates of a match key.

    Put it before the operation that adds the constraint. Counts every row that the constraint
    will count, in the database itself; dismissed groups count as well. Changes nothing in either
    direction, and squashing drops it. ``show_values=True`` puts the largest groups' key values into
    the error: not for personal data, as logs keep it.
    """

    elidable = True

    def __init__(
        self,
        model_name: str,
        fields: Iterable[str],
        *,
        app_label: str | None = None,
        nulls: str = Nulls.DISTINCT.value,
        blanks: str = Blanks.EQUAL.value,
        where: Mapping[str, Any] | None = None,
        show_values: bool = False,
    ) -> None:
        super().__init__(model_name, fields, app_label)
        self.nulls = nulls
        self.blanks = blanks
        self.where = dict(where or {})
        self.show_values = show_values

    def forwards(self, app_label: str, model: Any, using: str) -> None:
        found = find_duplicates(self._key(model), using=using, limit=_SHOWN, include_dismissed=True)
        if found.groups:
            raise CommandError(self._message(found, using))

    def describe(self) -> str:
        return f"Check that {self.model_name} has no duplicates on {', '.join(self.fields)}"

    def _key(self, model: Any) -> MatchKey:
        return MatchKey(
            model=model,
            fields=tuple(self.fields),
            nulls=self.nulls,
            blanks=self.blanks,
            where=tuple(self.where.items()),
        )

    def _message(self, found: Any, using: str) -> str:
        first = "; ".join(
            f"{', '.join(map(repr, group.values.values()))} ({group.rows} rows)"
            for group in found.duplicate_groups
        )
        groups = "1 duplicate group" if found.groups == 1 else f"{found.groups} duplicate groups"
        shown = f", first {first}" if self.show_values else ""
        merging = f"run {merge_line(found.key, using)}, then migrate again"
        return (
            f"{found.key.label} has {groups} ({found.rows} rows) on {', '.join(self.fields)}"
            f"{shown}; nothing was changed by this migration; {way_out(found, merging)}"
        )
