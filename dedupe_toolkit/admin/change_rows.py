"""The rows that row changes are about, as far as their reader gets to see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..models import MergeStep
from .fields import asks_about_rows, hidden_columns
from .permissions import model_admin_of
from .seen import may_hide, named_rows, own_rows, seen_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from django.contrib.admin import AdminSite
    from django.http import HttpRequest

    from ..models import RowChange
    from .permissions import AnyAdmin

    Hidden = frozenset[str] | None
    """The columns that are not for a reader; None where the whole row is not."""


def look_at(site: AdminSite, request: HttpRequest, changes: Iterable[Any]) -> None:
    """Let each of the row changes know as ``hidden`` what of it is not for this user.

    A statement for each model whose `ModelAdmin` hides rows, or asks about each for its form. Of a
    row that is gone the one that it was merged into speaks; where none does, it is not shown.
    """
    of_models: dict[str, list[Any]] = {}
    for change in changes:
        of_models.setdefault(change.step.model, []).append(change)
    for label, some in of_models.items():
        model_admin = model_admin_of(site, label)
        for change, hidden in zip(some, _hidden(model_admin, request, some), strict=True):
            change.hidden = hidden


def _hidden(
    model_admin: AnyAdmin | None, request: HttpRequest, changes: Sequence[RowChange]
) -> Iterator[Hidden]:
    if model_admin is None:
        yield from (frozenset() for _ in changes)
        return
    hides, asks = may_hide(own_rows(model_admin, request)), asks_about_rows(model_admin)
    usual: Hidden = hidden_columns(model_admin, request)
    if not hides and not asks:
        yield from (usual for _ in changes)
        return
    using = changes[0]._state.db or "default"
    seen = seen_rows(model_admin, request, using)
    rows = dict(named_rows(seen, {key for change in changes for key in _keys(change)}))
    for change in changes:
        row = next((rows[key] for key in _keys(change) if key in rows), None)
        if row is None:
            yield None if hides else usual
        else:
            yield hidden_columns(model_admin, request, row) if asks else usual


def _keys(change: RowChange) -> Iterator[str]:
    """Under which the row is there, or the one that it became."""
    if change.step.action != MergeStep.Action.DELETE:
        yield change.row
    if change.into is not None:
        yield change.into
