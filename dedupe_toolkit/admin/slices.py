"""Long work in slices: a page posts one after the other, and can be left at any time.

A slice is a POST of a few seconds; without JavaScript a button sends it. Where the project has
workers, the first one hands the work to them, and those after it only ask how far it is (`tasks`).
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.admin import AdminSite
    from django.http import HttpRequest

SECONDS = 5.0
"""About how long a slice may take."""

FIRST_BATCH = 100
MOST_AT_ONCE = 2_500
"""How many groups the first batch of a slice has, and how many any may have."""

_QUICK = 0.5
_ASKED_AGAIN = 1_000
"""Milliseconds after which a page asks how far a worker has come."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far the work has come. ``words`` tell it; ``url`` is where to go once it is finished.

    ``is_tended`` says that a worker has it in hand.
    """

    title: str
    words: str
    done: int
    total: int
    url: str
    is_finished: bool
    can_cancel: bool = True
    is_tended: bool = False


def work(batch: Callable[[int], int]) -> None:
    """Call ``batch`` with a number of groups, until it did none or the time of a slice is over.

    What is quick is given more groups the next time.
    """
    started, size = monotonic(), FIRST_BATCH
    while True:
        begun = monotonic()
        if not batch(size):
            return
        now = monotonic()
        if now - started >= SECONDS:
            return
        if now - begun < _QUICK:
            size = min(size * 2, MOST_AT_ONCE)


def progress_page(site: AdminSite, request: HttpRequest, progress: Progress) -> HttpResponse:
    """The page with the bar, or the bare numbers for the script on it."""
    if request.method == "POST":
        if request.headers.get("Accept") == "application/json":
            return JsonResponse(
                {
                    "words": progress.words,
                    "done": progress.done,
                    "total": progress.total,
                    "finished": progress.is_finished,
                    "pause": _ASKED_AGAIN if progress.is_tended else 0,
                    "url": progress.url,
                }
            )
        return HttpResponseRedirect(
            progress.url if progress.is_finished else request.get_full_path()
        )
    context = {
        **site.each_context(request),
        "title": progress.title,
        "progress": progress,
    }
    request.current_app = site.name
    return TemplateResponse(request, "dedupe_toolkit/progress.html", context)
