"""Whoever is logged out while they decide comes back to their choices, and is told so."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.utils.translation import gettext as _

from .choice import chosen_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.admin import AdminSite
    from django.http import HttpRequest

_MARK = "logged_out"
"""The parameter of an address to which somebody comes back."""

_LONGEST = 3_500
"""Characters of an address that every server takes; of longer ones the choices are left out."""


def keeping_choices(
    site: AdminSite, view: Callable[..., HttpResponse]
) -> Callable[..., HttpResponse]:
    """The view of a site; where it sends to the login, what was chosen is in the way back."""

    # the site asks for a login by itself; Django's middleware would do so without the choices
    @login_not_required
    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        is_sent_away = isinstance(response, HttpResponseRedirect)
        if request.method == "POST" and is_sent_away and not site.has_permission(request):
            response["Location"] = _with_choices(response["Location"], request.POST)
        return response

    return inner


def say_if_back(request: HttpRequest) -> None:
    """Tell who comes back from the login that nothing was done with their choices."""
    if request.method == "GET" and _MARK in request.GET:
        text = _("You had been logged out, and nothing was written. Look again, then decide.")
        messages.warning(request, text)


def _with_choices(login: str, posted: QueryDict) -> str:
    parts = urlsplit(login)
    query = QueryDict(parts.query, mutable=True)
    back = query.get(REDIRECT_FIELD_NAME)
    if back is None:
        return login
    chosen = QueryDict(mutable=True)
    chosen[_MARK] = "1"
    for name, values in chosen_in(posted).items():
        chosen.setlist(name, values)
    if len(chosen.urlencode()) > _LONGEST:
        return login
    query[REDIRECT_FIELD_NAME] = f"{back}{'&' if '?' in back else '?'}{chosen.urlencode()}"
    return parts._replace(query=query.urlencode(safe="/")).geturl()
