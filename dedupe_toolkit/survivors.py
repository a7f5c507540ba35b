"""Old keys keep resolving: from the key of a merged row to the row that survived it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from django.db.models import QuerySet
from django.db.models.manager import BaseManager
from django.http import Http404
from django.shortcuts import get_object_or_404

from .arguments import checking_arguments, require_kind, require_list, require_model
from .errors import InvalidMatchKey
from .journal.key_texts import key_of, key_text, key_texts, keys_of, prepared_key
from .journal.old_keys import last_survivors
from .keys import check_alias, primary_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import Model

Found = TypeVar("Found", bound="Model")


@checking_arguments
def survivor_of(model: type[Model], pk: Any, *, using: str = "default") -> Any:
    """The primary key into which the row ``pk`` was merged, through chains of merges.

    Follows the journal, of which a pruned run has something left only where its pairs were kept;
    runs that were undone do not count. Returns ``pk`` itself when that row was never merged. One
    look-up by index for each merge.

    Raises `InvalidMatchKey` for what is no model, cannot be a primary key of it, or an unknown
    alias.
    """
    require_model(model)
    check_alias(using)
    text = key_text(model, pk, using)
    last = last_survivors(model, [text], using)[text]
    return pk if last == text else key_of(model, last, using)


@checking_arguments
def survivors_of(
    model: type[Model], pks: Iterable[Any], *, using: str = "default"
) -> dict[Any, Any]:
    """What `survivor_of` gives for each of these primary keys.

    Keys of several parts that are given as lists come back as tuples. Takes as many look-ups as the
    longest chain of merges has links, for every five hundred keys.

    Raises `InvalidMatchKey` for what is no model, no list, cannot be a primary key of the model,
    or an unknown alias.
    """
    require_model(model)
    check_alias(using)
    require_list(model, "primary keys", pks, "survivors_of(Model, [1, 2])")
    asked = [tuple(pk) if isinstance(pk, list) else pk for pk in pks]
    texts = dict(zip(asked, key_texts(model, asked, using), strict=True))
    last = last_survivors(model, texts.values(), using)
    merged = [pk for pk, text in texts.items() if last[text] != text]
    keys = keys_of(model, [last[texts[pk]] for pk in merged], using)
    return {pk: pk for pk in asked} | dict(zip(merged, keys, strict=True))


def get_object_or_survivor(
    rows: type[Found] | BaseManager[Found] | QuerySet[Found], pk: Any
) -> Found:
    """The row of that primary key or, where it was merged, the row that survived it.

    For views, in place of ``get_object_or_404``: where the ``pk`` of what comes back is not the
    one asked for, redirect. A row that is there costs one query. ``rows`` is a model, a manager or
    a queryset; the survivor, too, must be among them.

    Raises ``Http404`` when there is neither, and for what cannot be a primary key of the model;
    `InvalidOption` for ``rows`` that are none of these.
    """
    if isinstance(rows, type):
        require_model(rows)
    else:
        require_kind("rows", rows, (BaseManager, QuerySet), "a model, a manager or a queryset")
    manager: Any = rows._default_manager if isinstance(rows, type) else rows
    among: QuerySet[Found] = manager.all()
    try:
        key = primary_key(among.model, pk)
        prepared_key(among.model, key, among.db)  # Django's look-up would raise what it likes
        found = among.filter(pk=key).first()
        if found is None:
            found = get_object_or_404(among, pk=survivor_of(among.model, key, using=among.db))
    except InvalidMatchKey as error:
        raise Http404(str(error)) from None
    return found
