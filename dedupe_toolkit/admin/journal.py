"""What the journal's admin pages have in common: read only, and in any database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter
from django.core.exceptions import FieldDoesNotExist
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from ..databases.caching import recalling
from ..databases.tables import require_table
from ..errors import DedupeError
from .aliases import DATABASE, chosen_database, journaled, usual_database
from .permissions import DISMISS, MERGE, SCAN, has_right
from .telling import told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet
    from django.http import HttpRequest

    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin  # generic to type checkers only


class DatabaseFilter(SimpleListFilter):
    """Chooses the database; each has a journal of its own, beside the rows it speaks of."""

    title = _("database")
    parameter_name = DATABASE

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(alias, alias) for alias in journaled() if alias != usual_database()]

    def choices(self, changelist: Any) -> Iterator[Any]:
        """As Django's, but without a choice always means the usual database, never all."""
        first, *others = super().choices(changelist)
        yield {**first, "display": usual_database()}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset  # chosen by JournalAdmin.get_queryset, which the single pages use as well


class JournalAdmin(ModelAdmin):
    """Lists and shows; nobody may add, change or delete."""

    actions: list[str] | None = None
    list_per_page = 50
    show_full_result_count = False
    """The journal of a large merge has millions of rows; counting them twice helps nobody."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).using(chosen_database(request))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return self.sent_away(request) or super().changelist_view(request, extra_context)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.sent_away(request) or super().changeform_view(request, *args, **kwargs)

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """By the filters alone: whatever else is asked could be about values that are hidden."""
        filters = {getattr(one, "parameter_name", one) for one in self.get_list_filter(request)}
        if lookup.removesuffix("__exact") in filters:
            return True
        try:
            self.opts.get_field(lookup.partition("__")[0])
        except FieldDoesNotExist:  # the list says so by itself
            return True
        return False

    def sent_away(self, request: HttpRequest) -> HttpResponse | None:
        """To the index, with a sentence, where the journal has no tables yet."""
        using = chosen_database(request)
        try:
            with recalling():
                require_table(self.model, using)
        except DedupeError as error:
            self.message_user(request, told(error), messages.ERROR)
            return HttpResponseRedirect(reverse("admin:index", current_app=self.admin_site.name))
        return None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class DeskAdmin(JournalAdmin):
    """A page on which duplicates are looked for and decided: for all who have a right to do so."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) or any(
            has_right(request, right) for right in (SCAN, MERGE, DISMISS)
        )


def number_in(text: Any) -> int:
    """The number of a run, a step or a scan; 0, which none has, for anything else."""
    typed = str(text)
    # longer ones fit no column, and databases refuse to compare with them
    return int(typed) if typed.isdecimal() and len(typed) <= _MOST_DIGITS else 0


_MOST_DIGITS = 18
"""Of a number that fits into the columns in which runs, steps and scans are numbered."""
