"""A sentence in two wordings: for those who run commands, and for people."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Wording:
    """A sentence, with what it names in braces.

    ``text`` is told by commands and in JSON. ``people`` is told on the admin's pages and
    translated: there models, references and fields have the names that the project gives them, and
    nothing speaks of commands, columns or keys.
    """

    text: str
    people: str
