"""The settings of this package: functions, read when they are called."""

from __future__ import annotations

from django.conf import settings


def guard_is_on() -> bool:
    """``DEDUPE_GUARD``: whether calls of ``get_or_create`` are watched."""
    return bool(getattr(settings, "DEDUPE_GUARD", False))


def guard_report() -> str:
    """``DEDUPE_GUARD_REPORT``: the file that a watched process writes at its end; "" for none."""
    return str(getattr(settings, "DEDUPE_GUARD_REPORT", "") or "")


def throttle() -> str:
    """``DEDUPE_THROTTLE``: the dotted name of a function that merges ask between batches."""
    return str(getattr(settings, "DEDUPE_THROTTLE", "") or "")
