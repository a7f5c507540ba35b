"""Rows of other models that a merge would discard or merge, and who may have them vanish."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin import ModelAdmin
from django.db.models import QuerySet

from ..references.meta import concrete
from ..reviewing.unreadable import read_rows
from .permissions import find_model_admin, is_nobodys, may_delete_model, own_key, referrer_of
from .seen import may_hide, own_rows, seen_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.contrib.admin import AdminSite
    from django.db.models import Model
    from django.http import HttpRequest

    from ..plan_values import ReferenceCount
    from .permissions import AnyAdmin

LOOKED_AT = 500
"""How many rows are asked for one by one; of more, some are taken to be forbidden."""


def undeletable(
    site: AdminSite, request: HttpRequest, members: QuerySet[Any], counts: Iterable[ReferenceCount]
) -> tuple[str, ...]:
    """The names of other models of which rows would vanish that this user may not delete.

    As Django's own delete page has it, each row is asked for where the `ModelAdmin` has a word on
    rows, and link rows of automatic tables and the admin's log are nobody's to delete. What a
    `get_queryset` hides vanishes for nobody, and the user's own account not for the user.
    ``members`` are the rows that are merged; looked at are all rows that point at them, or at
    others that may vanish, by a reference of which some do.
    """
    vanishing: dict[type[Model], list[str]] = {}
    for count in counts:
        model = referrer_of(count.reference) if count.discarded or count.merged else None
        if model is not None:  # what is registered from elsewhere has no rights in Django
            vanishing.setdefault(model, []).append(count.reference.rpartition(".")[2])
    return tuple(
        str(model._meta.verbose_name)
        for model in vanishing
        if not _may_vanish(site, request, members, vanishing, model)
    )


def _may_vanish(
    site: AdminSite,
    request: HttpRequest,
    members: QuerySet[Any],
    vanishing: dict[type[Model], list[str]],
    model: type[Model],
) -> bool:
    if is_nobodys(model):
        return True
    if not (issubclass(members.model, model) or may_delete_model(site, request, model)):
        return False
    own, account = find_model_admin(site, model), own_key(request, model, members.db)
    if own is not None and not (may_hide(own_rows(own, request)) or _asks_of_rows(own)):
        own = None  # it has no word on single rows
    if own is None and account is None:
        return True
    pointing = list(_pointing(members, vanishing, model, ()))
    known = [rows for rows in pointing if rows is not None]
    if account is not None and any(rows.filter(pk=account).exists() for rows in known):
        return False
    return own is None or (
        len(known) == len(pointing) and _may_delete_rows(own, request, known, members.db)
    )


def _asks_of_rows(model_admin: AnyAdmin) -> bool:
    return type(model_admin).has_delete_permission is not ModelAdmin.has_delete_permission


def _pointing(
    members: QuerySet[Any],
    vanishing: dict[type[Model], list[str]],
    model: type[Model],
    above: tuple[type[Model], ...],
) -> Iterator[QuerySet[Any] | None]:
    """The rows of a model that may vanish; None for some that no foreign key leads to."""
    fields: dict[str, Any] = {field.name: field for field in model._meta.concrete_fields}
    for name in vanishing[model]:
        target = getattr(fields.get(name), "related_model", None)
        if target is None:
            yield None
            continue
        targets: list[QuerySet[Any] | None] = []
        if issubclass(members.model, concrete(target)):
            targets.append(members.order_by())
        for other in vanishing:
            if issubclass(other, concrete(target)) and other not in (model, *above):
                targets += _pointing(members, vanishing, other, (model, *above))
        rows: QuerySet[Any] = QuerySet(model, using=members.db)
        for some in targets or [None]:
            yield None if some is None else rows.filter(**{f"{name}__in": some})


def _may_delete_rows(
    model_admin: AnyAdmin, request: HttpRequest, pointing: Iterable[Any], using: str
) -> bool:
    if not _asks_of_rows(model_admin):
        shown = seen_rows(model_admin, request, using).values("pk")
        return not any(rows.exclude(pk__in=shown).exists() for rows in pointing)
    keys: set[Any] = set()
    for rows in pointing:
        keys.update(rows.order_by().values_list("pk", flat=True)[: LOOKED_AT + 1])
    if len(keys) > LOOKED_AT:
        return False
    seen = read_rows(seen_rows(model_admin, request, using).filter(pk__in=keys))
    return {row.pk for row in seen} == keys and all(
        model_admin.has_delete_permission(request, row) for row in seen
    )
