"""Waiting that ends early where somebody asks for it."""

from __future__ import annotations

from time import monotonic, sleep
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_PAUSE = 0.1


def is_told_within(seconds: float, stop: Callable[[], bool]) -> bool:
    """Wait for so long, or until told to stop; whether that was.

    Asked ten times a second: a signal that only takes a note does not end a sleep.
    """
    until = monotonic() + seconds
    while not stop():
        left = until - monotonic()
        if left <= 0:
            return False
        sleep(min(left, _PAUSE))
    return True
