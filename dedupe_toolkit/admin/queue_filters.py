"""What narrows the review queue: one key or selection, one state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin import SimpleListFilter
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..models import OPEN_STATES, QueuedGroup, Scan
from ..verbose import user_name
from .aliases import chosen_database
from .journal import number_in
from .known import plain_keys, scan_in_words
from .permissions import may_review_model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest


State = QueuedGroup.State


class ScanFilter(SimpleListFilter):
    """By match key, or selection."""

    title = gettext_lazy("key")
    parameter_name = "scan"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        using = chosen_database(request)
        own = Q(is_selection=False) | Q(by=user_name(request.user))
        scans = [
            scan
            for scan in Scan.objects.using(using)
            .filter(own)
            .order_by("is_selection", "model", "pk")
            if may_review_model(model_admin.admin_site, request, scan.model)
        ]
        keys = plain_keys(scans)
        return [
            (str(scan.pk), scan_in_words(scan, keys[scan.pk])) for scan in scans if scan.pk in keys
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(scan=number_in(self.value())) if self.value() else queryset


class StateFilter(SimpleListFilter):
    """By state: without a choice, the groups that wait for a decision."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("all", _("All")), *((value, str(label)) for value, label in State.choices)]

    def choices(self, changelist: Any) -> Iterator[Any]:
        first, *others = super().choices(changelist)
        yield {**first, "display": _("Waiting for a decision")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in State.values:
            return queryset.filter(state=self.value())
        return queryset if self.value() == "all" else queryset.filter(state__in=OPEN_STATES)
