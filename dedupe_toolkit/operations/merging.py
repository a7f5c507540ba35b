"""Merges duplicates on the way of a migration, and undoes that when it is taken back."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError

from ..errors import DedupeError
from ..keys import match_key
from ..merging.merge import merge
from ..models import MergeRun
from ..planning.plan import plan_merge
from ..undoing.undo import undo
from ..values import MatchKey, MergePolicy
from .on_rows import OnRows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SHOWN = 3
_KEY_OPTIONS = {"nulls", "blanks", "where", "ignore_case", "ignore_space"}


class MergeDuplicates(OnRows):
    """Merges the duplicates of a match key on the way, for products that others install.

    Takes the options of `match_key` and, with the same defaults, of `MergePolicy`, as plain values.
    References are those of the migration's own models: a migration depends on all apps whose
    models may point at the model, and on ``("dedupe_toolkit", "0001_initial")``. What only the
    project's models show (a generic key of an app that the migration does not depend on, a
    reference declared in ``dedupe.py``) stops the migration before any change.

    Groups held back stop it as well, unless ``leave_held_back`` is true: with ``atomic = True``,
    nothing was changed then. Migrating backwards undoes what the operation has merged. Squashing
    keeps it; ``sqlmigrate`` shows nothing of it.
    """

    def __init__(
        self,
        model_name: str,
        fields: Iterable[str],
        *,
        app_label: str | None = None,
        leave_held_back: bool = False,
        nulls: str | None = None,
        blanks: str | None = None,
        where: Mapping[str, Any] | None = None,
        ignore_case: bool | None = None,
        ignore_space: bool | None = None,
        survivor: str | None = None,
        field_rules: Mapping[str, str] | None = None,
        on_collision: str | None = None,
        collisions: Mapping[str, str] | None = None,
        on_conflict: str | None = None,
        batch_size: int | None = None,
    ) -> None:
        super().__init__(model_name, fields, app_label)
        self.leave_held_back = leave_held_back
        given: dict[str, Any] = {
            "nulls": nulls,
            "blanks": blanks,
            "where": where,
            "ignore_case": ignore_case,
            "ignore_space": ignore_space,
            "survivor": survivor,
            "field_rules": field_rules,
            "on_collision": on_collision,
            "collisions": collisions,
            "on_conflict": on_conflict,
            "batch_size": batch_size,
        }
        self.options: dict[str, Any] = {
            name: value for name, value in given.items() if value is not None
        }

    def forwards(self, app_label: str, model: Any, using: str) -> None:
        try:
            plan = plan_merge(self._key(model), using=using, policy=self._policy())
            self._stop_if_held(model, [group.reason for group in plan.held_back])
            if plan.groups:
                run = merge(plan, progress=_told(f"{model._meta.label}: groups merged"))
                self._remember(app_label, run, using)
                self._stop_if_held(model, [group["reason"] for group in run.held_back])
        except DedupeError as error:
            raise CommandError(str(error)) from error

    def backwards(self, app_label: str, model: Any, using: str) -> None:
        runs = MergeRun.objects.using(using).filter(
            model=model._meta.label, policy__operation=self._name(app_label)
        )
        try:
            for run in runs.exclude(status=MergeRun.Status.UNDONE).order_by("-pk"):
                undo(run, using=using, progress=_told(f"{model._meta.label}: groups undone"))
        except DedupeError as error:
            raise CommandError(str(error)) from error

    def describe(self) -> str:
        return f"Merge duplicates of {self.model_name} on {', '.join(self.fields)}"

    def _key(self, model: Any) -> MatchKey:
        given = {name: self.options[name] for name in _KEY_OPTIONS & self.options.keys()}
        return match_key(model, self.fields, **given)

    def _policy(self) -> MergePolicy:
        given = {name: self.options[name] for name in self.options.keys() - _KEY_OPTIONS}
        return MergePolicy(**given)

    def _name(self, app_label: str) -> str:
        """What the runs of this operation are known by, when it is taken back."""
        return f"{app_label} {self.describe()}"

    def _remember(self, app_label: str, run: MergeRun, using: str) -> None:
        run.policy = {**run.policy, "operation": self._name(app_label)}
        run.save(using=using, update_fields=["policy"])

    def _stop_if_held(self, model: Any, reasons: list[str]) -> None:
        if not reasons or self.leave_held_back:
            return
        groups = "1 group" if len(reasons) == 1 else f"{len(reasons):,} groups"
        shown = "; ".join(reasons[:_SHOWN])
        raise CommandError(
            f"{model._meta.label}: {groups} of {', '.join(self.fields)} cannot be merged by this"
            f" migration: {shown}{'; …' if len(reasons) > _SHOWN else ''}"
        )


def _told(what: str) -> Any:
    """Progress for a person at a terminal, and nothing elsewhere."""

    def tell(done: int, total: int) -> None:
        if sys.stderr.isatty():
            end = "\n" if done >= total else ""
            sys.stderr.write(f"\r    {what}: {done:,} of {total:,}{end}")
            sys.stderr.flush()

    return tell
