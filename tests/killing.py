"""A merge in a process of its own, on the test's database, to be killed at a chosen moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from django.db import connection

from dedupe_toolkit import MergeRun
from dedupe_toolkit.databases import database
from tests.concurrency_kit import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def merging(model: type[Model], *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """``manage.py merge_duplicates`` at work; gone by the end, with all that it held."""
    command = [sys.executable, "manage.py", "merge_duplicates", model._meta.label, "--no-input"]
    process = subprocess.Popen(
        [*command, *options],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": _url(), "DJANGO_SETTINGS_MODULE": "tests.settings"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.kill()
        _, errors = process.communicate()
        until(lambda: is_free(model))
    assert process.returncode in (0, -signal.SIGKILL), errors.decode()


def is_free(model: type[Model]) -> bool:
    """Whether no run of the model is left: a server notices a dead client a moment later."""
    with database("default").run_lock(model._meta.label) as is_ours:
        return is_ours


def kill_after(process: subprocess.Popen[bytes], run: int, batches: int, delay: float) -> None:
    """Kill the process once its run has committed so many batches, and a moment has passed."""
    until(lambda: process.poll() is not None or _batches(run) >= batches)
    deadline = monotonic() + delay
    while monotonic() < deadline and process.poll() is None:
        sleep(0.001)
    process.kill()


def _batches(after: int) -> int:
    """How many batches the run after this one has committed; -1 before there is one."""
    found = MergeRun.objects.filter(pk__gt=after).values_list("batches", flat=True).first()
    return -1 if found is None else found


def _url() -> str:
    """The test database as a URL: what ``DATABASE_URL`` says, with the name the tests gave it."""
    name: Any = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    parts = urlsplit(os.environ["DATABASE_URL"])
    return urlunsplit(parts._replace(path=f"/{name}"))
