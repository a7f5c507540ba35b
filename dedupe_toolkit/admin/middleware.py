"""A middleware for the addresses of rows that were merged, whatever their `ModelAdmin`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin.utils import unquote

from .on_change_pages import to_survivor

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

    from .permissions import AnyAdmin


class MergedRowMiddleware:
    """Leads from the change page of a row that was merged to its survivor, with a message.

    Where no mixin can be added. Costs a look-up by key for each change page that is opened; stands
    after the middlewares of authentication and messages.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """The way to the survivor; None for any other page, and where the row is there."""
        model_admin, object_id = getattr(view, "model_admin", None), kwargs.get("object_id")
        match = request.resolver_match
        is_change = match is not None and (match.url_name or "").endswith("_change")
        if model_admin is None or object_id is None or not is_change or request.method != "GET":
            return None
        site = model_admin.admin_site
        if not site.has_permission(request) or _is_there(model_admin, request, object_id):
            return None
        return to_survivor(model_admin, request, object_id)


def _is_there(model_admin: AnyAdmin, request: HttpRequest, object_id: str) -> bool:
    return model_admin.get_object(request, unquote(object_id)) is not None
