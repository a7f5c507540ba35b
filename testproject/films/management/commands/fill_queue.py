"""Fills the review queue with the people of one name."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS

from dedupe_toolkit import match_key
from dedupe_toolkit.admin.known import new_scan, scan_of
from dedupe_toolkit.admin.scans import slice_of_scan
from dedupe_toolkit.models import OPEN_STATES, Scan
from dedupe_toolkit.queue.lease import take
from testproject.films.models import Person


class Command(BaseCommand):
    help = "Scan for people of one name, as the button on the overview of duplicates does."

    def handle(self, **options: Any) -> None:
        key = match_key(Person, ["name"])
        scan = scan_of(key, DEFAULT_DB_ALIAS) or new_scan(key, DEFAULT_DB_ALIAS)
        lease = take(scan)
        if lease is None:
            raise CommandError("Somebody else is at this scan.")
        scan.status, scan.finished = Scan.Status.NEW, None
        while scan.status != Scan.Status.DONE:
            slice_of_scan(scan, key, lease)
        lease.leave(None)
        waiting = scan.queued.filter(state__in=OPEN_STATES)
        safe = waiting.filter(is_safe=True).count()
        self.stdout.write(
            f"{waiting.count()} groups wait in the review queue; {safe} of them are safe to merge."
        )
