"""The nearest names, for messages about one that does not exist."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def nearest(wrong: str, known: Iterable[str]) -> str:
    """A clause such as ``"; did you mean a or b?"``, or the empty string when none is near."""
    by_lower = {name.lower(): name for name in known}
    close = get_close_matches(wrong.lower(), list(by_lower), n=3, cutoff=0.6)
    if not close:
        return ""
    return f"; did you mean {' or '.join(by_lower[name] for name in close)}?"
