"""The action "Merge selected …" of every change list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext_lazy as _

from ..errors import DedupeError
from .choice import MOST_ROWS, Choice, alias_of, require_number
from .permissions import may_merge
from .review import review_page, selection
from .telling import told

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

    from .permissions import AnyAdmin


@admin.action(description=_("Merge selected %(verbose_name_plural)s"), permissions=["merge"])
def merge_selected(
    model_admin: AnyAdmin, request: HttpRequest, queryset: QuerySet[Any]
) -> HttpResponse | None:
    """Show the plan of merging the selected rows into one. Writes nothing.

    Stays on the change list, with a message, when too few or too many rows are selected.
    """
    if not may_merge(model_admin, request):
        raise PermissionDenied
    # one more than can be shown tells that there are too many, however many there are
    pks = dict.fromkeys(queryset.values_list("pk", flat=True)[: MOST_ROWS + 1])
    try:
        require_number(model_admin.model, pks)
        choice, place = Choice(pks=tuple(pks)), selection(model_admin, request)
        return review_page(model_admin, request, choice, alias_of(queryset), place)
    except DedupeError as error:
        model_admin.message_user(request, told(error), messages.ERROR)
        return None
