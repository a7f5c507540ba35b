"""Dismissed groups in the admin: the verdict given on the review page, listed, and taken back."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ..keys import row_set
from ..models import DismissedGroup
from ..reviewing.dismissals import dismiss, offer_again
from ..reviewing.unreadable import read_rows
from ..verbose import model_words, row_words, user_name
from .choice import require_number, require_visible
from .concerned import readable_verdicts
from .history import log_rows
from .journal import DatabaseFilter, JournalAdmin
from .known import fields_in_words
from .permissions import may_change_and_delete, may_dismiss, may_dismiss_model, may_see_pages
from .seen import named_rows
from .urls import dismissed_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.db.models import Model, QuerySet
    from django.http import HttpRequest

    from .choice import Choice
    from .permissions import AnyAdmin


def dismiss_rows(
    model_admin: AnyAdmin,
    request: HttpRequest,
    choice: Choice,
    using: str,
    most: int | None = None,
) -> str:
    """Keep this user's verdict that the rows chosen are not duplicates, whatever the key.

    Returns what was said of it.

    Raises `DedupeError` for rows that are not there, and `PermissionDenied` for rows that the
    user may not dismiss.
    """
    if not may_dismiss(model_admin, request):
        raise PermissionDenied
    require_number(model_admin.model, choice.pks, most)
    rows = row_set(model_admin.model, choice.pks)
    require_visible(model_admin, request, rows.pks, using)
    shown = read_rows(model_admin.get_queryset(request).using(using).filter(pk__in=rows.pks))
    if not all(may_change_and_delete(model_admin, request, row) for row in shown):
        raise PermissionDenied
    note = note_in(request)
    group = dismiss(rows, using=using, by=user_name(request.user), note=note)
    log_rows(model_admin, request, list(_verdicts(shown, note)))
    text = _("Dismissed: these %(rows)s will not be offered as duplicates again.")
    told = text % {"rows": model_admin.opts.verbose_name_plural}
    link = _link(model_admin.admin_site, request, group)
    model_admin.message_user(request, format_html("{} {}", told, link), messages.SUCCESS)
    return told


def note_in(request: HttpRequest) -> str:
    """The note of a form; without NUL, which not all databases take in a text."""
    return request.POST.get("note", "").replace("\x00", "").strip()


def log_verdicts(
    model_admin: AnyAdmin,
    request: HttpRequest,
    rows: QuerySet[Any],
    groups: Sequence[Sequence[str]],
    note: str,
) -> None:
    """Verdicts in the history of the rows that these groups name by their keys."""
    listed = [group[:_LOGGED] for group in groups]
    found = dict(named_rows(rows, chain.from_iterable(listed)))
    told = [_verdicts([found[text] for text in group if text in found], note) for group in listed]
    log_rows(model_admin, request, list(chain.from_iterable(told)))


def _verdicts(rows: Sequence[Model], note: str) -> Iterator[tuple[Model, str]]:
    """What the history of each row says of the verdict; of many, of the first of them."""
    for row in rows[:_LOGGED]:
        listed = islice((other for other in rows if other is not row), _NAMED)
        others = ", ".join(f"“{row_words(other)}” ({other.pk})" for other in listed)
        others += ", …" if len(rows) > _NAMED + 1 else ""
        told = _("Said to be no duplicate of %(others)s.") % {"others": others}
        yield row, f"{told} {note}".strip()


_LOGGED = 100
"""Rows of which the history keeps a verdict."""

_NAMED = 20
"""Other rows that it names."""

_SHOWN = ["rows_", "model_", "key_fields", "dismissed", "by", "note"]


class DismissedGroupAdmin(JournalAdmin):
    """Lists the verdicts; an action takes them back."""

    list_display = [*_SHOWN]
    list_display_links = None
    list_filter = [DatabaseFilter]
    search_fields = ["model", "by", "note"]
    fields = [*_SHOWN]
    readonly_fields = ["rows_", "model_", "key_fields"]
    actions = ["offer_again"]

    @admin.display(description=gettext_lazy("rows"))
    def rows_(self, group: DismissedGroup) -> str:
        return ", ".join(row.row for row in group.rows.all())

    @admin.display(description=gettext_lazy("model"), ordering="model")
    def model_(self, group: DismissedGroup) -> str:
        return model_words(group.model)

    @admin.display(description=gettext_lazy("key fields"))
    def key_fields(self, group: DismissedGroup) -> str:
        lookups = group.fields.split(",") if group.fields else []
        return fields_in_words(group.model, lookups) or _("every key")

    @admin.action(description=gettext_lazy("Offer again: take the verdict back"))
    def offer_again(self, request: HttpRequest, queryset: QuerySet[DismissedGroup]) -> None:
        """Take back the verdicts selected, if this user may dismiss rows of all their models."""
        models = set(queryset.order_by().values_list("model", flat=True))
        if not all(may_dismiss_model(self.admin_site, request, model) for model in models):
            raise PermissionDenied
        groups = list(queryset)
        offer_again(*groups, using=queryset.db)
        text = ngettext(
            "%(groups)s group is offered as duplicates again.",
            "%(groups)s groups are offered as duplicates again.",
            len(groups),
        )
        self.message_user(request, text % {"groups": number_format(len(groups))}, messages.SUCCESS)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        groups = super().get_queryset(request).prefetch_related("rows")
        return readable_verdicts(self.admin_site, request, groups)


def _link(site: admin.AdminSite, request: HttpRequest, group: DismissedGroup) -> str:
    """A link to the dismissed groups for whoever may see them."""
    if not may_see_pages(site, request, DismissedGroup):
        return ""
    text = _("Dismissed groups")
    return format_html('<a href="{}">{}</a>', dismissed_url(site, group), text)
