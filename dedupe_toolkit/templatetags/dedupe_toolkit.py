"""For templates of change pages: what is known of a row's duplicates, as object tools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import template
from django.utils.html import format_html_join

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag(takes_context=True)
def duplicates_tools(context: Any) -> SafeString | str:
    """Links to the likely duplicates of the row, and to the run that merged rows into it.

    For the block ``object-tools-items`` of a change page.
    """
    # Django imports the tags of every app: projects without its admin have them, too
    from ..admin.on_change_pages import object_tools

    row = context.get("original")
    if row is None:
        return ""
    tools = object_tools(context["adminform"].model_admin, context["request"], row)
    return format_html_join(
        "", '<li><a href="{}">{}</a></li>', ((url, text) for text, url in tools)
    )
