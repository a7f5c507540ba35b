"""Who may merge rows of a model, and undo merges of it: whoever may change and delete its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib.admin import ModelAdmin
from django.contrib.admin.exceptions import NotRegistered
from django.contrib.auth import get_permission_codename

from ..models import MergeRun

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite
    from django.db.models import Model
    from django.http import HttpRequest

    AnyAdmin = ModelAdmin[Any]


def allow_per_model_admin() -> None:
    """Give every `ModelAdmin` the method that the action's permission ``merge`` asks.

    Django shows an action that names several permissions to users who have any one of them;
    merging takes two, so it needs a permission of its own. A `ModelAdmin` that has the method
    already, or overrides it, decides for itself who sees the action.
    """
    if not hasattr(ModelAdmin, "has_merge_permission"):
        ModelAdmin.has_merge_permission = has_merge_permission  # type: ignore[attr-defined]  # ours


def has_merge_permission(self: AnyAdmin, request: HttpRequest) -> bool:
    """Whether this user may merge rows of the model: may change and delete them."""
    return not is_journal(self.model) and _may_change_and_delete(self, request, None)


def may_merge(model_admin: AnyAdmin, request: HttpRequest) -> bool:
    """Whether the action is offered: never without the right to change and delete."""
    is_allowed: bool = model_admin.has_merge_permission(request)  # type: ignore[attr-defined]  # ours
    return is_allowed and has_merge_permission(model_admin, request)


def may_merge_row(model_admin: AnyAdmin, request: HttpRequest, row: Model) -> bool:
    return _may_change_and_delete(model_admin, request, row)


def may_undo(site: AdminSite, request: HttpRequest, run: MergeRun) -> bool:
    """Whether this user may undo the run: may change and delete rows of the model it merged."""
    return may_merge_model(site, request, run.model)


def may_merge_model(site: AdminSite, request: HttpRequest, label: str) -> bool:
    """Whether this user may merge rows of the model so named, on this site or elsewhere."""
    try:
        model = apps.get_model(label)
    except LookupError:
        return False
    model_admin = find_model_admin(site, model)
    if model_admin is not None:
        return may_merge(model_admin, request)
    return all(
        request.user.has_perm(
            f"{model._meta.app_label}.{get_permission_codename(what, model._meta)}"
        )
        for what in ("change", "delete")
    )


def find_model_admin(site: AdminSite, model: type[Model]) -> AnyAdmin | None:
    try:
        return site.get_model_admin(model)
    except NotRegistered:
        return None


def is_journal(model: type[Model]) -> bool:
    """Whether the model is one of the journal's own, whose rows no merge may touch."""
    return model._meta.app_label == MergeRun._meta.app_label


def _may_change_and_delete(model_admin: AnyAdmin, request: HttpRequest, row: Model | None) -> bool:
    return model_admin.has_change_permission(request, row) and model_admin.has_delete_permission(
        request, row
    )
