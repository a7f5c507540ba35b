"""Scans of a key, carried out without the admin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dedupe_toolkit.models import Scan
from dedupe_toolkit.plain import plain_match_key
from dedupe_toolkit.queue.examining import examine
from dedupe_toolkit.queue.queued import scanned_key
from dedupe_toolkit.queue.scanning import find_groups

if TYPE_CHECKING:
    from dedupe_toolkit.values import MatchKey


def scan_of(key: MatchKey) -> Scan:
    return Scan.objects.create(model=key.label, key=plain_match_key(key))


def scanned(key: MatchKey, scan: Scan | None = None, *, at_once: int = 100) -> Scan:
    """A scan carried out to its end."""
    scan = scan or scan_of(key)
    key = scanned_key(scan, key, "default")
    find_groups(scan, key)
    while examine(scan, key, at_once):
        pass
    return scan
