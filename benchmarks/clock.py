"""Time and memory of one measurement: wall clock, CPU of this process and of its database session.

The session's CPU is read from the operating system, so it is known only where the server runs on
this machine: a process per connection on PostgreSQL, a thread per connection on MariaDB.
"""

from __future__ import annotations

import os
import resource
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Iterator

TICKS = os.sysconf("SC_CLK_TCK")
_THREAD = "SELECT tid FROM information_schema.processlist WHERE id = CONNECTION_ID()"


@dataclass
class Reading:
    """What the enclosed code took; ``cpu`` is None where the server's part is not known."""

    wall: float = 0.0
    client: float = 0.0
    cpu: float | None = None


@contextmanager
def measured() -> Iterator[Reading]:
    reading, session = Reading(), _session()
    wall, client, server = perf_counter(), process_time(), _server_cpu(session)
    yield reading
    reading.wall = perf_counter() - wall
    reading.client = process_time() - client
    after = _server_cpu(session)
    if server is not None and after is not None:
        reading.cpu = reading.client + after - server


def both(*readings: Reading) -> dict[str, float]:
    """Wall seconds, and CPU seconds of client and server where these are known."""
    cpu = [reading.cpu for reading in readings if reading.cpu is not None]
    both = {"wall": sum(reading.wall for reading in readings)}
    return both | ({"cpu": sum(cpu)} if len(cpu) == len(readings) else {})


def peak_memory() -> int:
    """The most memory this process ever held, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _session() -> Path | None:
    """Where the operating system tells the CPU time of our session on the server."""
    connection.ensure_connection()
    raw: Any = connection.connection
    if connection.vendor == "postgresql":
        return Path(f"/proc/{raw.info.backend_pid}/stat")
    if connection.vendor == "mysql" and connection.mysql_is_mariadb:
        with connection.cursor() as cursor:
            cursor.execute(_THREAD)
            thread = cursor.fetchone()[0]
        return Path(f"/proc/{thread}/stat")
    return None


def _server_cpu(session: Path | None) -> float | None:
    if connection.vendor == "sqlite":
        return 0.0
    try:
        after_name = session.read_text().rpartition(")")[2].split() if session else []
    except OSError:
        return None
    return (int(after_name[11]) + int(after_name[12])) / TICKS if after_name else None
