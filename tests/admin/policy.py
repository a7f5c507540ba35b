"""What Django 6.0 has of its own: ``SECURE_CSP`` as the header of every response."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse


class StrictPolicy:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        parts = (" ".join([name, *sources]) for name, sources in settings.SECURE_CSP.items())
        response.headers["Content-Security-Policy"] = "; ".join(parts)
        return response
