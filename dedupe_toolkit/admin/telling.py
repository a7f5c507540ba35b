"""What a page says when something cannot be done: in the words of people, and in their language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.html import format_html
from django.utils.translation import gettext as _

from ..errors import DedupeError

if TYPE_CHECKING:
    from collections.abc import Iterator


class Refused(DedupeError):
    """What a page itself refuses: its text is in the reader's language."""

    @property
    def for_people(self) -> str:
        return str(self)


class NotSeen(Refused):
    """Rows that are gone, or that this user never sees."""


def told(error: DedupeError) -> str:
    """One sentence; of an error that only who looks after the site can mend, with its own text."""
    return error.for_people or _passed_on(str(error))


def told_lines(error: DedupeError) -> Iterator[str]:
    """What is in the way, line by line."""
    obstacles = getattr(error, "obstacles", ())
    if not obstacles:
        yield told(error)
    for one in obstacles:
        yield one.for_people


def _passed_on(text: str) -> str:
    words = _("This cannot be done. Whoever looks after this site will know what this says:")
    return format_html("{} <code>{}</code>", words, text)
