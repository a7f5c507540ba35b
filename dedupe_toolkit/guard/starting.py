"""Switches the guard on where the settings say so, and lets it report when the process ends."""

from __future__ import annotations

import atexit
import logging
from pathlib import Path

from ..conf import guard_report
from .memory import seen
from .report import add, entries
from .watching import install

logger = logging.getLogger(__name__)


def start() -> None:
    """Watch from now on, and write the report of ``DEDUPE_GUARD_REPORT`` at the end."""
    install()
    if guard_report():
        atexit.register(_report, Path(guard_report()).absolute())


def _report(path: Path) -> None:
    try:
        if found := seen():
            add(path, entries(found))
    except Exception:
        logger.warning("What the guard saw could not be written to %s", path, exc_info=True)
