"""From a row change to the rows that it is about, for whoever may see them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from ..models import MergeStep
from .permissions import model_admin_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.admin import AdminSite
    from django.http import HttpRequest

    from ..models import RowChange


def column_of_row(site: AdminSite, request: HttpRequest) -> Callable[[RowChange], str]:
    """A column with the key of the row, which leads to it unless the change deleted it."""
    linked = _linker(site, request)

    @admin.display(description=_("row"))
    def row_(change: RowChange) -> str:
        is_gone = change.step.action == MergeStep.Action.DELETE
        return change.row if is_gone else linked(change.step.model, change.row)

    return row_


def column_of_survivor(site: AdminSite, request: HttpRequest) -> Callable[[RowChange], str]:
    """A column with the key of the row that stayed, which leads to it."""
    linked = _linker(site, request)

    @admin.display(description=_("survivor"))
    def survivor_(change: RowChange) -> str:
        return linked(change.step.run.model, change.survivor)

    return survivor_


def _linker(site: AdminSite, request: HttpRequest) -> Callable[[str, str], str]:
    """What makes a link to the row of a model with that key, where there is a page to lead to."""

    @cache
    def page_of(label: str) -> str | None:
        model_admin: Any = model_admin_of(site, label)
        if model_admin is None or not model_admin.has_view_permission(request):
            return None
        options = model_admin.opts
        return f"admin:{options.app_label}_{options.model_name}_change"

    def linked(label: str, key: str) -> str:
        page = page_of(label)
        if page is None:
            return key
        try:
            url = reverse(page, args=[quote(key)], current_app=site.name)
        except NoReverseMatch:  # no address has an empty key, and some admins have no such page
            return key
        return format_html('<a href="{}">{}</a>', url, key)

    return linked
