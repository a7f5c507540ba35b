"""Old addresses lead on: the page of a merged row answers with the address of its survivor."""

from __future__ import annotations

from functools import partial, wraps
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, TypeVar

from asgiref.sync import sync_to_async
from django.db.models import QuerySet
from django.http import Http404, HttpResponsePermanentRedirect, HttpResponseRedirect
from django.urls import reverse

from .arguments import require_model
from .errors import InvalidMatchKey
from .survivors import survivor_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import Model
    from django.http import HttpRequest, HttpResponse

    Find = Callable[[HttpRequest], HttpResponse | None]

View = TypeVar("View", bound="Callable[..., Any]")

_NOT_FOUND = 404
_SAFE_METHODS = ("GET", "HEAD")


def redirect_merged(
    model: type[Model], *, pk: str = "pk", permanent: bool = True
) -> Callable[[View], View]:
    """A decorator for views: where one finds no row of the model, it redirects to the survivor.

    ``pk`` is the part of the address that holds the primary key; the other parts, and what follows
    the question mark, stay. ``permanent`` says 301, which browsers remember even if the merge is
    undone, else 302. Only GET and HEAD are redirected, and only what was merged: everything else,
    an error included, is the view's own answer. A page that is found costs nothing.

    For functions, asynchronous ones too, and for what ``as_view()`` returns.

    Raises `InvalidMatchKey` for what is no model, or is swapped out: no row of it is ever merged.
    """
    require_model(model)
    find = partial(_new_address, model, pk, permanent)

    def decorate(view: View) -> View:
        wrapped: Any = _awaited(view, find) if iscoroutinefunction(view) else _called(view, find)
        return wrapped  # type: ignore[no-any-return]  # of the view's own signature

    return decorate


def _called(view: Callable[..., Any], find: Find) -> Callable[..., Any]:
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            response = view(request, *args, **kwargs)
        except Http404:
            if (elsewhere := find(request)) is None:
                raise
            return elsewhere
        # some frameworks make an answer of it themselves
        is_missing = response.status_code == _NOT_FOUND
        return (find(request) if is_missing else None) or response

    return answer


def _awaited(view: Callable[..., Any], find: Find) -> Callable[..., Any]:
    @wraps(view)
    async def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            response = await view(request, *args, **kwargs)
        except Http404:
            if (elsewhere := await sync_to_async(find)(request)) is None:
                raise
            return elsewhere
        is_missing = response.status_code == _NOT_FOUND
        return (await sync_to_async(find)(request) if is_missing else None) or response

    return answer


def _new_address(
    model: type[Model], name: str, permanent: bool, request: HttpRequest
) -> HttpResponse | None:
    match = request.resolver_match
    if match is None or request.method not in _SAFE_METHODS or name not in match.kwargs:
        return None
    try:
        survivor = survivor_of(model, match.kwargs[name], using=QuerySet(model).db)
    except InvalidMatchKey:
        return None
    if str(survivor) == str(match.kwargs[name]):
        return None
    url = reverse(
        match.view_name if match.url_name else match.func,
        args=match.args,
        kwargs={**match.kwargs, name: survivor},
        current_app=match.namespace,
    )
    asked = request.META.get("QUERY_STRING", "")
    kind = HttpResponsePermanentRedirect if permanent else HttpResponseRedirect
    return kind(f"{url}?{asked}" if asked else url)
