"""The values of row changes as people know them: what the journal wrote down, read by its field."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import admin
from django.db import connections
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from ..field_rules.fillers import is_blank
from ..journal.reading import changed_values
from ..models import MergeStep
from ..printing import shown_value
from ..reviewing.side_by_side import Cell
from ..verbose import find_model
from .fields import is_hash
from .shown_values import folded, shown_cell

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.admin import AdminSite
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

    from ..journal.reading import ChangedValue
    from ..models import RowChange


def column_of_values(site: AdminSite, request: HttpRequest) -> Callable[[RowChange], SafeString]:
    """A column with the values of a row change that was looked at, without what is hidden of it."""
    empty = str(site.empty_value_display)

    @cache
    def fields(label: str) -> dict[str, Any]:
        model = find_model(label)
        return {str(f.column): f for f in model._meta.concrete_fields} if model else {}

    @admin.display(description=_("values"))
    def values_(change: Any) -> SafeString:
        if change.hidden is None:
            return format_html("{}", _("of a row that you do not get to see"))
        label, is_update = change.step.model, change.step.action == MergeStep.Action.UPDATE
        told = []
        for value in changed_values(change):
            field = fields(label).get(value.column)
            is_secret = is_hash(value.before) or is_hash(value.after)
            if value.column not in change.hidden and not is_secret:
                write = partial(written, field, using=change._state.db or "default", empty=empty)
                name = capfirst(field.verbose_name) if field else value.column
                told.append((name, _told(value, write, is_update=is_update)))
        items = format_html_join("", "<dt>{}</dt><dd>{}</dd>", told)
        return format_html('<dl class="dedupe-values">{}</dl>', items)

    return values_


def _told(value: ChangedValue, write: Callable[[str | None], str], *, is_update: bool) -> str:
    """Before → after; of a row that came or went, the values it has or had."""
    if not is_update:
        return write(value.before if value.after is None else value.after)
    texts = [write(value.before), write(value.after)]
    if texts[0] == texts[1]:  # two moments of one minute, for instance
        texts = [folded(shown_value(value.before)), folded(shown_value(value.after))]
    return format_html('<del>{}</del> <span aria-hidden="true">→</span> <ins>{}</ins>', *texts)


def written(field: Any, text: str | None, *, using: str, empty: str) -> str:
    """What a page shows of a text of the journal; the text itself where no field can read it."""
    if field is None:
        return folded(shown_value(text))
    if field.is_relation:
        return empty if text is None else f"#{text}"
    try:
        value = None if text is None else _value_of(field, text, using)
    except Exception:  # a project's own fields raise what they like
        return folded(shown_value(text))
    cell = Cell(value=value, is_blank=is_blank(field, value), differs=False, fills=False)
    return shown_cell(field, cell, empty, has_links=False)


def _value_of(field: Any, text: str, using: str) -> Any:
    """The value that a text of the journal stands for."""
    return _READERS.get(field.get_internal_type(), _read)(field, text, using)


def _read(field: Any, text: str, using: str) -> Any:
    return field.to_python(text)


def _read_boolean(field: Any, text: str, using: str) -> Any:
    return field.to_python(text.capitalize())  # PostgreSQL writes them small


def _read_duration(field: Any, text: str, using: str) -> Any:
    if connections[using].features.has_native_duration_field:
        return field.to_python(text)
    return timedelta(microseconds=int(text))


def _read_json(field: Any, text: str, using: str) -> Any:
    return json.loads(text)


def _read_moment(field: Any, text: str, using: str) -> Any:
    moment = field.to_python(text)
    if settings.USE_TZ and timezone.is_naive(moment):
        return timezone.make_aware(moment, connections[using].timezone)
    return moment


def _as_it_stands(field: Any, text: str, using: str) -> str:
    return text


_READERS: dict[str, Callable[[Any, str, str], Any]] = {
    "BinaryField": _as_it_stands,
    "BooleanField": _read_boolean,
    "DateTimeField": _read_moment,
    "DurationField": _read_duration,
    "JSONField": _read_json,
}
"""How the texts of the journal are read, by the internal type of a field; others read their own."""
