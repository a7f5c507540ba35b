"""Replicas: which aliases are some, and how far behind each is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connections

from ..errors import InvalidOption

if TYPE_CHECKING:
    from collections.abc import Sequence


def declared_replicas(using: str) -> tuple[str, ...]:
    """The aliases that DATABASES declares as replicas of this one: they mirror it in tests."""
    return tuple(
        alias
        for alias, settings in connections.settings.items()
        if settings.get("TEST", {}).get("MIRROR") == using and alias != using
    )


def replicas_of(using: str, named: Sequence[str]) -> tuple[str, ...]:
    """The replicas named or, where none is, those declared.

    Raises `InvalidOption` where there are none.
    """
    found = tuple(named) or declared_replicas(using)
    if not found:
        raise InvalidOption(
            f"no alias is declared as a replica of database {using!r}: name the aliases of its"
            f' replicas, or give them "TEST": {{"MIRROR": "{using}"}} in DATABASES'
        )
    return found
