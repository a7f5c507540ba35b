"""The decisions of a person's session, the latest first, each with the way to take it back."""

from __future__ import annotations

from itertools import pairwise
from time import time
from typing import TYPE_CHECKING, Any

from django.middleware.csrf import get_token
from django.utils.html import format_html
from django.utils.translation import gettext as _

from ..models import MergeRun
from .concerned import may_undo
from .permissions import may_see_pages
from .urls import run_url

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite
    from django.http import HttpRequest

KEPT = 20
"""How many decisions a session remembers."""

_PAUSE = 180
"""Seconds after which somebody who decides nothing is taken to do something else."""

_KEY = "dedupe_toolkit_decisions"


def remember(request: HttpRequest, text: str, undo_url: str = "") -> None:
    """Add a decision to those of this session."""
    one = {"text": text, "undo": undo_url, "at": round(time())}
    kept = [one, *request.session.get(_KEY, [])]
    request.session[_KEY] = kept[:KEPT]


def forget(request: HttpRequest, undo_url: str) -> None:
    """What has been taken back can no longer be."""
    kept = request.session.get(_KEY, [])
    request.session[_KEY] = [
        {**one, "undo": "", "undone": True} if undo_url and one["undo"] == undo_url else one
        for one in kept
    ]


def pace(request: HttpRequest) -> float:
    """The seconds that a decision of this session takes; 0 while that is unknown.

    Pauses count as the longest that anybody thinks about one group.
    """
    times = [one.get("at", 0) for one in request.session.get(_KEY, [])]
    gaps = [min(later - earlier, _PAUSE) for later, earlier in pairwise(times)]
    return sum(gaps) / len(gaps) if gaps else 0


def decisions(request: HttpRequest) -> list[dict[str, Any]]:
    return list(request.session.get(_KEY, []))


def undo_url_of(site: AdminSite, request: HttpRequest, run: MergeRun) -> str:
    """Where this user takes a run back with one press, if they may."""
    if not may_see_pages(site, request, MergeRun) or not may_undo(site, request, run):
        return ""
    return run_url(site, run, "undo")


def undo_button(request: HttpRequest, url: str, back: str) -> str:
    """A form of one button, to stand in a message."""
    if not url:
        return ""
    return format_html(
        '<form method="post" action="{}" class="dedupe-undo">'
        '<input type="hidden" name="csrfmiddlewaretoken" value="{}">'
        '<input type="hidden" name="back" value="{}">'
        '<button type="submit" class="button">{}</button></form>',
        url,
        get_token(request),
        back,
        _("Undo"),
    )
