"""Who types a command, as what it writes keeps it."""

from __future__ import annotations

from contextlib import suppress
from getpass import getuser


def login() -> str:
    """The name of whoever is logged in to this machine, as far as it knows."""
    with suppress(OSError, KeyError):  # a container may know no name for its user
        return getuser()
    return ""
