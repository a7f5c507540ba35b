"""Old ids keep resolving: from the key of a merged row to the row that survived it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .engine.undo import key_text
from .graph.meta import concrete
from .keys import primary_key
from .models import MergeRun, RowChange

if TYPE_CHECKING:
    from django.db.models import Model


def survivor_of(model: type[Model], pk: Any, *, using: str = "default") -> Any:
    """The primary key into which the row ``pk`` was merged, through chains of merges.

    Follows the journal, which a pruned run has no longer; runs that were undone do not count.
    Returns ``pk`` itself when that row was never merged. One look-up by index for each merge.

    Raises `InvalidMatchKey` for what cannot be a primary key of the model.
    """
    text = seen = key_text(model, pk, using)
    while (found := _merged_into(model, text, using)) is not None and found != seen:
        text = found
    if text == seen:
        return pk
    return primary_key(model, text)


def _merged_into(model: type[Model], text: str, using: str) -> str | None:
    labels = [concrete(model)._meta.label]
    labels += [parent._meta.label for parent in model._meta.get_parent_list()]
    changes = (
        RowChange.objects.using(using)
        .filter(merged=text, step__model__in=labels)
        .exclude(step__run__status=MergeRun.Status.UNDONE)
        .order_by("-pk")
        .values_list("survivor", "step__run__undone")
    )
    return next((survivor for survivor, undone in changes if survivor not in undone), None)
