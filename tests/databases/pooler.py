"""A PgBouncer of the suite's own, on a free port, and connections that go through it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection, connections

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONFIGURATION = """
[databases]
* = host={host} port={port} user={user} {password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = 4
ignore_startup_parameters = extra_float_digits
"""
_PATIENCE = 20
_PROGRAM = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
with_pgbouncer = pytest.mark.skipif(
    not (_PROGRAM or os.environ.get("DEDUPE_REQUIRE_PGBOUNCER")), reason="no pgbouncer here"
)


@contextmanager
def pooler(mode: str) -> Iterator[int]:
    """PgBouncer in front of the server, in this pool mode; yields its port."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # it refuses to be root, and reads its file as somebody else
        with _running(Path(folder) / "pgbouncer.ini", mode, _free_port()) as port:
            yield port


@contextmanager
def _running(file: Path, mode: str, port: int) -> Iterator[int]:
    settings = connection.settings_dict
    file.write_text(
        _CONFIGURATION.format(
            host=settings["HOST"] or "/var/run/postgresql",
            port=settings["PORT"] or 5432,
            user=settings["USER"],
            password=f"password={settings['PASSWORD']}" if settings["PASSWORD"] else "",
            listen=port,
            mode=mode,
        )
    )
    process = subprocess.Popen(
        [_PROGRAM or "pgbouncer", *(["-u", "nobody"] if os.geteuid() == 0 else []), str(file)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(_PATIENCE)


@contextmanager
def connected_by(**changes: Any) -> Iterator[None]:
    """Inside, this thread's connection is another one, whose settings have these changes."""
    usual = connections["default"]
    settings = {**usual.settings_dict, **changes}
    connections["default"] = other = type(usual)(settings, "default")
    try:
        yield
    finally:
        other.close()
        if getattr(other, "pool", None):
            other.close_pool()
        connections["default"] = usual


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = monotonic() + _PATIENCE
    while True:
        assert process.poll() is None, f"pgbouncer ended with {process.returncode}"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert monotonic() < deadline, "pgbouncer does not listen"
            sleep(0.05)
        else:
            return
