"""Duplicates on the change pages of a model: likely ones, merged ones, and old addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.http import HttpResponseRedirect
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ..errors import DedupeError
from ..finding.dismissed_groups import verdicts_by_row
from ..finding.named_keys import KeyText
from ..journal.key_texts import key_text
from ..journal.old_keys import merged_from
from ..keys import key_field
from ..models import MergeRun
from ..queue.queued import rows_of
from ..queue.readable import EMPTY
from ..registry import declared
from ..survivors import survivor_of
from ..verbose import row_words, within
from .choice import alias_of
from .permissions import find_model_admin, may_merge, may_see_pages
from .urls import review_url, row_url, run_link, run_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model
    from django.http import HttpRequest, HttpResponse

    from ..values import MatchKey
    from .permissions import AnyAdmin

    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin  # generic to type checkers only

SHOWN = 10
"""How many rows are listed at most."""


class DuplicatesMixin(ModelAdmin):
    """For a `ModelAdmin`: likely duplicates of a row, and what was merged into it, on its page.

    The address of a row that was merged leads to the row that survived it, with a message. Likely
    are rows that are equal on a declared key which begins with an indexed field, so that a page
    costs look-ups by index only.
    """

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fields: list[Any] = [*super().get_readonly_fields(request, obj)]
        return [*fields, *_told(self, request)] if obj is not None else fields

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """The fieldsets as they are, and one more on the page of a row that is there."""
        fieldsets: list[Any] = [*super().get_fieldsets(request, obj)]
        if obj is None:
            return fieldsets
        told = _told(self, request)
        return [*_without(fieldsets, told), (_("Duplicates"), {"fields": told})]

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: Any, object_id: str
    ) -> HttpResponse:
        found = to_survivor(self, request, object_id)
        if found is None:
            parent: Any = super()
            found = parent._get_obj_does_not_exist_redirect(request, opts, object_id)
        return found


def to_survivor(model_admin: AnyAdmin, request: HttpRequest, object_id: str) -> HttpResponse | None:
    """To the row into which one was merged, with a message; None where this user sees no such."""
    key = unquote(object_id)
    survivor = _survivor(model_admin, request, key)
    if survivor is None:
        return None
    text = _("%(name)s %(key)s was merged into “%(survivor)s”, which this is.")
    told = {
        "name": model_admin.opts.verbose_name,
        "key": key,
        "survivor": within(row_words(survivor)),
    }
    model_admin.message_user(request, text % told, messages.INFO)
    return HttpResponseRedirect(row_url(model_admin.admin_site, survivor))


def object_tools(
    model_admin: AnyAdmin, request: HttpRequest, row: Model
) -> Iterator[tuple[str, str]]:
    """Texts and addresses of what is known of a row's duplicates: likely ones, merged ones."""
    others = _others(model_admin, request, row)
    if others and _may_compare(model_admin, request):
        text = ngettext(
            "%(number)s possible duplicate", "%(number)s possible duplicates", len(others)
        )
        yield text % {"number": len(others)}, _comparing(model_admin, row, others)
    using = alias_of(model_admin.get_queryset(request))
    found, site = merged_from(model_admin.model, row.pk, using), model_admin.admin_site
    if found and may_see_pages(site, request, MergeRun):
        run = MergeRun.objects.using(using).get(pk=found[0].run)
        text = ngettext("%(number)s merged row", "%(number)s merged rows", len(found))
        yield text % {"number": len(found)}, run_url(site, run)


def _told(model_admin: AnyAdmin, request: HttpRequest) -> list[Any]:
    """The read-only fields, the same ones all through a request, whose rights they know."""
    known: dict[Any, list[Any]] = request.__dict__.setdefault("_dedupe_told", {})
    if model_admin not in known:
        known[model_admin] = list(_fields(model_admin, request))
    return known[model_admin]


def _fields(model_admin: AnyAdmin, request: HttpRequest) -> Iterator[Any]:
    @admin.display(description=gettext_lazy("possible duplicates"))
    def possible_duplicates(row: Model) -> str:
        return _possible(model_admin, request, row) or EMPTY

    @admin.display(description=gettext_lazy("merged from"))
    def merged_rows(row: Model) -> str:
        return _merged(model_admin, request, row) or EMPTY

    yield possible_duplicates
    yield merged_rows


def _without(fieldsets: list[Any], told: list[Any]) -> list[Any]:
    """The fieldsets; those that Django makes of all fields name the read-only ones as well."""
    return [
        (title, {**options, "fields": [f for f in options["fields"] if f not in told]})
        for title, options in fieldsets
    ]


def _others(model_admin: AnyAdmin, request: HttpRequest, row: Model) -> dict[Any, Any]:
    """The likely duplicates of a row that this user sees, by their keys."""
    rows = model_admin.get_queryset(request)
    using, found = alias_of(rows), dict[Any, Any]()
    for key in _quick_keys(model_admin.model):
        pks = list(_equal(key, row, using))
        found |= {other.pk: other for other in rows.using(using).filter(pk__in=pks)[:SHOWN]}
    return found


def _possible(model_admin: AnyAdmin, request: HttpRequest, row: Model) -> str:
    found = _others(model_admin, request, row)
    if not found:
        return ""
    listed = format_html_join(
        ", ",
        '<a href="{}">{} ({})</a>',
        (
            (row_url(model_admin.admin_site, other), row_words(other), other.pk)
            for other in found.values()
        ),
    )
    if not _may_compare(model_admin, request):
        return listed
    return format_html(
        '{} · <a href="{}">{}</a>', listed, _comparing(model_admin, row, found), _("Compare")
    )


def _equal(key: MatchKey, row: Model, using: str) -> Iterator[Any]:
    """The keys of other rows equal to this one, of which no verdict says that they are two."""
    others = rows_of(key, [row.pk], using).exclude(pk=row.pk)
    named = dict(others.values_list("pk", KeyText(key.model))[:SHOWN])
    own = key_text(key.model, row.pk, using)
    verdicts = verdicts_by_row(key.model, key.fields, [own, *named.values()], using)
    for pk, text in named.items():
        if not verdicts.get(own, set()) & verdicts.get(text, set()):
            yield pk


def _quick_keys(model: type[Model]) -> Iterator[MatchKey]:
    """The declared keys of which an index finds the rows."""
    declaration = declared(model)
    for key in declaration.match_keys() if declaration else ():
        if not key.where and any(_is_indexed(model, lookup) for lookup in key.fields):
            yield key


def _is_indexed(model: type[Model], lookup: str) -> bool:
    """Whether an index begins with the field, as the model says."""
    if "__" in lookup:
        return False
    field: Any = key_field(model, lookup)
    options = model._meta
    firsts = {index.fields[0] for index in options.indexes if index.fields}
    firsts |= {rule.fields[0] for rule in options.total_unique_constraints if rule.fields}
    firsts |= {names[0] for names in options.unique_together}
    is_indexed = field.db_index or field.unique or field.is_relation
    return bool(is_indexed or field.name in firsts)


def _merged(model_admin: AnyAdmin, request: HttpRequest, row: Model) -> str:
    using = alias_of(model_admin.get_queryset(request))
    found = merged_from(model_admin.model, row.pk, using)
    runs = MergeRun.objects.using(using).in_bulk({one.run for one in found[:SHOWN]})
    return format_html_join(
        ", ",
        "{} ({})",
        (
            (one.row, run_link(model_admin.admin_site, request, runs[one.run]))
            for one in found[:SHOWN]
        ),
    )


def _survivor(model_admin: AnyAdmin, request: HttpRequest, old: str) -> Model | None:
    """The row that survived one of this key, if this user may see it."""
    rows = model_admin.get_queryset(request)
    using = alias_of(rows)
    try:
        pk = survivor_of(model_admin.model, old, using=using)
    except DedupeError:
        return None
    found: Model | None = rows.using(using).filter(pk=pk).first()
    return found if found and model_admin.has_view_or_change_permission(request, found) else None


def _may_compare(model_admin: AnyAdmin, request: HttpRequest) -> bool:
    is_there = find_model_admin(model_admin.admin_site, MergeRun) is not None
    return is_there and may_merge(model_admin, request)


def _comparing(model_admin: AnyAdmin, row: Model, others: dict[Any, Any]) -> str:
    return f"{review_url(model_admin)}?{urlencode({'rows': [row.pk, *others]}, doseq=True)}"
