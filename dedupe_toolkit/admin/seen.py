"""The rows that a `ModelAdmin` shows a user: what its `get_queryset` and its permissions say."""

from __future__ import annotations

import logging
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.db import NotSupportedError
from django.db.models import Q, QuerySet
from django.db.models.sql.where import ExtraWhere

from ..errors import DedupeError
from ..finding.named_keys import is_named_in
from ..journal.key_texts import key_of
from ..reviewing.unreadable import read_rows
from .permissions import model_admin_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from django.contrib.admin import AdminSite
    from django.db.models import Model
    from django.http import HttpRequest

    from .permissions import AnyAdmin

_log = logging.getLogger(__name__)

_CHUNK = 500
"""Keys in one look-up: SQLite takes few parameters."""


def hiding_admin(site: AdminSite, request: HttpRequest, label: str) -> AnyAdmin | None:
    """The model's `ModelAdmin`, if it may hide rows from this user."""
    model_admin = model_admin_of(site, label)
    if model_admin is None:
        return None
    return model_admin if may_hide(own_rows(model_admin, request)) else None


def own_rows(model_admin: AnyAdmin, request: HttpRequest) -> QuerySet[Any]:
    """The rows of the model that are for this user; none where the `ModelAdmin` refuses to say.

    What is wrong with one of them must not keep the others from the pages that are about all.
    """
    try:
        rows = model_admin.get_queryset(request)
        rows.filter(pk__in=())  # no page can go by what cannot be narrowed
        if any(isinstance(one, ExtraWhere) for one in rows.query.where.children):
            raise NotSupportedError("extra(where=...) names a table that is called otherwise here")
    except PermissionDenied:
        return QuerySet(model_admin.model).none()
    except Exception:  # a project's own code raises what it likes
        _log.exception("The rows of %s are hidden: get_queryset is of no use.", model_admin)
        return QuerySet(model_admin.model).none()
    return rows


def may_hide(rows: QuerySet[Any]) -> bool:
    """Whether a queryset may leave out rows of its table."""
    query = rows.query
    return bool(query.where or query.is_sliced or query.combinator or query.distinct_fields)


def seen_rows(model_admin: AnyAdmin, request: HttpRequest, using: str) -> QuerySet[Any]:
    """The rows of the model that this user sees, in no order; narrowed, still no others."""
    rows = own_rows(model_admin, request).using(using)
    if rows.query.distinct_fields or rows.query.where.contains_over_clause:
        # a row is the first of its like among all of them, and also among those looked for
        every: QuerySet[Any] = QuerySet(rows.model, using=using)
        return every.filter(pk__in=rows.values("pk"))
    return rows.order_by()


def seen_among(
    model_admin: AnyAdmin, request: HttpRequest, rows: Sequence[Model], using: str
) -> list[Model]:
    """Those of the rows of a model that this user sees."""
    if may_hide(own_rows(model_admin, request)):
        seen = seen_rows(model_admin, request, using).filter(pk__in=[row.pk for row in rows])
        known = set(seen.values_list("pk", flat=True))
        rows = [row for row in rows if row.pk in known]
    return [row for row in rows if model_admin.has_view_permission(request, row)]


def seen_groups(site: AdminSite, request: HttpRequest, label: str, using: str) -> Q:
    """Which groups of a model this user gets to see: not those whose first row is hidden."""
    hiding = hiding_admin(site, request, label)
    if hiding is None:
        return Q()
    return Q(is_named_in(seen_rows(hiding, request, using), "row", "scan__model", label))


def named_rows(rows: QuerySet[Any], texts: Iterable[str]) -> Iterator[tuple[str, Any]]:
    """Those of the rows that these keys name, each after its key. A statement for each chunk."""
    for keys in keys_named(rows.model, texts, rows.db):
        found = {row.pk: row for row in read_rows(rows.filter(pk__in=keys.values()))}
        yield from ((text, found[key]) for text, key in keys.items() if key in found)


def keys_named(model: Any, texts: Iterable[str], using: str) -> Iterator[dict[str, Any]]:
    """The keys as models hold them, chunk by chunk."""
    waiting = iter(texts)
    while chunk := list(islice(waiting, _CHUNK)):
        yield {text: _key(model, text, using) for text in chunk}


def _key(model: Any, text: str, using: str) -> Any:
    try:
        return key_of(model, text, using)
    except DedupeError:  # the model has another key now: nobody sees that row
        return None


def asks_of_rows(model_admin: AnyAdmin) -> bool:
    """Whether a `ModelAdmin` has a word of its own on what may be done with which row."""
    own = type(model_admin)
    return (
        own.has_change_permission is not ModelAdmin.has_change_permission
        or own.has_delete_permission is not ModelAdmin.has_delete_permission
    )
