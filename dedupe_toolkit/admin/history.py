"""What the admin's history says of rows: of many at once, by a few statements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin import ModelAdmin
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType

from ..reviewing.related_rows import read_related
from ..verbose import row_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import Model
    from django.http import HttpRequest

    from .permissions import AnyAdmin

__all__ = ["ADDITION", "CHANGE", "log_rows"]


def log_rows(
    model_admin: AnyAdmin,
    request: HttpRequest,
    told: Sequence[tuple[Model, str]],
    flag: int = CHANGE,
) -> None:
    """Keep a sentence in the history of each row; of rows of one model.

    A `ModelAdmin` that keeps its history in a way of its own is told of each by itself.
    """
    if not told:
        return
    name = "log_addition" if flag == ADDITION else "log_change"
    rows = [row for row, _sentence in told]
    # a row's name may speak of the rows that it points at
    read_related(rows)
    if getattr(type(model_admin), name) is not getattr(ModelAdmin, name):
        for row, sentence in told:
            getattr(model_admin, name)(request, row, sentence)
        return
    user: Any = request.user.pk
    kind = ContentType.objects.get_for_model(rows[0], for_concrete_model=False)
    LogEntry.objects.bulk_create(
        LogEntry(
            user_id=user,
            content_type_id=kind.pk,
            object_id=str(row.pk),
            object_repr=row_words(row)[:200],
            action_flag=flag,
            change_message=sentence,
        )
        for row, sentence in told
    )
