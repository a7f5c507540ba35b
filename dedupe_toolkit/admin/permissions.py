"""Who may scan, merge, dismiss and undo: rights of our own, and those on the rows concerned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin import ModelAdmin
from django.contrib.admin.exceptions import NotRegistered
from django.contrib.auth import get_permission_codename, get_user_model
from django.db import router

from ..models import MergeRun
from ..references.discover import family_of
from ..references.meta import concrete
from ..verbose import find_model

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.contrib.admin import AdminSite
    from django.db.models import Model
    from django.http import HttpRequest

    AnyAdmin = ModelAdmin[Any]

SCAN = "scan_duplicates"
MERGE = "merge_duplicates"
DISMISS = "dismiss_duplicates"
UNDO = "undo_merges"


def allow_per_model_admin() -> None:
    """Give every `ModelAdmin` the method that the action's permission ``merge`` asks.

    Django shows an action that names several permissions to users who have any one of them;
    merging takes three, so it needs a permission of its own. A `ModelAdmin` that has the method
    already, or overrides it, decides for itself who sees the action.
    """
    if not hasattr(ModelAdmin, "has_merge_permission"):
        ModelAdmin.has_merge_permission = has_merge_permission  # type: ignore[attr-defined]  # ours


def has_right(request: HttpRequest, right: str) -> bool:
    """Whether this user has one of the package's own rights: `SCAN`, `MERGE`, `DISMISS`, `UNDO`."""
    return request.user.has_perm(f"{MergeRun._meta.app_label}.{right}")


def has_merge_permission(self: AnyAdmin, request: HttpRequest) -> bool:
    """Whether this user may merge rows of the model: may merge, and change and delete them."""
    return has_right(request, MERGE) and may_change_and_delete(self, request)


def may_merge(model_admin: AnyAdmin, request: HttpRequest) -> bool:
    """Whether the action is offered: never without the rights to merge, change and delete."""
    is_allowed: bool = model_admin.has_merge_permission(request)  # type: ignore[attr-defined]  # ours
    return is_allowed and has_merge_permission(model_admin, request)


def may_dismiss(model_admin: AnyAdmin, request: HttpRequest) -> bool:
    """Whether this user may say that rows are no duplicates: an override has its say here, too."""
    own = type(model_admin).has_merge_permission  # type: ignore[attr-defined]  # ours
    if own is not has_merge_permission and not own(model_admin, request):
        return False
    return has_right(request, DISMISS) and may_change_and_delete(model_admin, request)


def may_change_and_delete(
    model_admin: AnyAdmin, request: HttpRequest, row: Model | None = None
) -> bool:
    """Whether this user may change and delete rows of the model, or this one; no journal's."""
    return (
        not is_journal(model_admin.model)
        and model_admin.has_change_permission(request, row)
        and model_admin.has_delete_permission(request, row)
    )


def may_undo_model(site: AdminSite, request: HttpRequest, label: str) -> bool:
    return has_right(request, UNDO) and may_edit_model(site, request, label)


def may_dismiss_model(site: AdminSite, request: HttpRequest, label: str) -> bool:
    return has_right(request, DISMISS) and may_edit_model(site, request, label)


def may_edit_model(site: AdminSite, request: HttpRequest, label: str) -> bool:
    """Whether this user may change and delete rows of the model so named, on this site or else."""
    model = find_model(label)
    if model is None:
        return False
    model_admin = find_model_admin(site, model)
    if model_admin is not None:
        return may_change_and_delete(model_admin, request)
    return all(_has_perm(request, model, what) for what in ("change", "delete"))


def may_review_model(site: AdminSite, request: HttpRequest, label: str) -> bool:
    """Whether the desk of this site is for that model, and this user: only what it has is."""
    model_admin = model_admin_of(site, label)
    return model_admin is not None and may_change_and_delete(model_admin, request)


def may_view_model(site: AdminSite, request: HttpRequest, label: str) -> bool:
    """Whether this user may see rows of the model so named; of one that is gone superusers may."""
    model = find_model(label)
    if model is None:
        return bool(request.user.is_active and request.user.is_superuser)
    if model._meta.auto_created:
        return True  # link rows have no rights of their own: they are seen with what they link
    model_admin = find_model_admin(site, model)
    if model_admin is not None:
        return model_admin.has_view_permission(request)
    return any(_has_perm(request, model, what) for what in ("view", "change"))


def may_delete_models(site: AdminSite, request: HttpRequest, labels: Iterable[str]) -> bool:
    found = filter(None, map(find_model, labels))
    return all(may_delete_model(site, request, model) for model in found)


def may_delete_model(site: AdminSite, request: HttpRequest, model: type[Model]) -> bool:
    """Whether this user may delete rows of the model; of those that are nobody's, anybody may."""
    if is_nobodys(model):
        return True
    model_admin = find_model_admin(site, model)
    if model_admin is not None:
        return model_admin.has_delete_permission(request)
    return _has_perm(request, model, "delete")


def is_nobodys(model: type[Model]) -> bool:
    """Whether rows are nobody's to delete: links of automatic tables, and the admin's log."""
    return bool(model._meta.auto_created) or model._meta.label == "admin.LogEntry"


def _has_perm(request: HttpRequest, model: type[Model], what: str) -> bool:
    codename = get_permission_codename(what, model._meta)
    return request.user.has_perm(f"{model._meta.app_label}.{codename}")


def referrer_of(reference: str) -> type[Model] | None:
    """The model whose rows a reference is in, by its name in plans; None if it is not Django's."""
    label, _dot, name = reference.rpartition(".")
    model = find_model(label)
    links = {} if model is None else {f.name: f for f in model._meta.many_to_many}
    return links[name].remote_field.through if name in links else model


def find_model_admin(site: AdminSite, model: type[Model]) -> AnyAdmin | None:
    try:
        return site.get_model_admin(model)
    except NotRegistered:
        return None


def may_see_pages(site: AdminSite, request: HttpRequest, model: type[Model]) -> bool:
    """Whether the site has pages of a model, one of ours for instance, and this user may see them.

    A further site has ours once they are installed there, and a project may take some away.
    """
    model_admin = find_model_admin(site, model)
    return model_admin is not None and model_admin.has_view_permission(request)


def model_admin_of(site: AdminSite, label: str) -> AnyAdmin | None:
    """The `ModelAdmin` of the model so named, if this site has one."""
    model = find_model(label)
    return find_model_admin(site, model) if model else None


def own_key(request: HttpRequest, model: type[Model], using: str) -> Any:
    """The key of the model's row that is this user's own account; None if no row there can be."""
    if concrete(get_user_model()) not in family_of(model):
        return None
    user: Any = request.user
    state = getattr(user, "_state", None)
    if state is None:
        return None  # nobody is logged in, or no row stands for who is
    # who was read from a replica is written where it gets its rows from
    homes = {state.db, router.db_for_write(get_user_model())}
    return user.pk if using in homes else None


def is_journal(model: type[Model]) -> bool:
    """Whether the model is one of the journal's own, whose rows no merge may touch."""
    return model._meta.app_label == MergeRun._meta.app_label
