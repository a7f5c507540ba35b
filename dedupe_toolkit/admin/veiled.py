"""Groups whose key holds fields that a user does not get to see: named by number, not by value."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from ..models import Scan
from .fields import empty_form
from .permissions import model_admin_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.contrib.admin import AdminSite
    from django.http import HttpRequest

    from ..models import QueuedGroup


def veiled(
    site: AdminSite, request: HttpRequest, groups: Iterable[QueuedGroup]
) -> list[QueuedGroup]:
    """The groups, to be shown: where the key is not for this user, without its values."""
    shown, is_veiled = list(groups), _veil(site, request)
    for group in shown:
        if is_veiled(group.scan):
            group.text, group.values = f"#{group.row}", None
    return shown


def veiled_scans(site: AdminSite, request: HttpRequest, using: str) -> list[int]:
    """The scans whose groups this user cannot search for."""
    return [scan.pk for scan in filter(_veil(site, request), Scan.objects.using(using))]


def _veil(site: AdminSite, request: HttpRequest) -> Callable[[Scan], bool]:
    """What says whether the form of a scan's model leaves out a field of the key.

    Each form is made once, however many scans there are.
    """

    @cache
    def unseen(label: str) -> frozenset[str]:
        model_admin = model_admin_of(site, label)
        return empty_form(model_admin, request).unseen if model_admin else frozenset()

    def is_veiled(scan: Scan) -> bool:
        lookups: list[Any] = scan.key.get("fields", [])
        return any(lookup.partition("__")[0] in unseen(scan.model) for lookup in lookups)

    return is_veiled
