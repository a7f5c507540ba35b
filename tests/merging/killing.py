"""A merge in a process of its own, on the test's database, to be killed at a chosen moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from django.db import connection

from dedupe_toolkit.databases import database
from tests.commands.dying import BATCH
from tests.concurrency_kit import PATIENCE, until

if TYPE_CHECKING:
    from django.db.models import Model

ROOT = Path(__file__).resolve().parents[2]


def killed_merge(moment: tuple[int, str], model: type[Model], *options: str) -> None:
    """``manage.py merge_duplicates`` that dies there, with all that it held.

    How it dies is with `tests.commands.dying`.
    """
    number, side = moment
    command = ["merge_duplicates", model._meta.label, "--no-input", *options]
    process = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.commands.dying",
            "SIGKILL",
            str(number),
            side,
            BATCH,
            *command,
        ],
        cwd=ROOT,
        env=os.environ
        | {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert process.returncode == -signal.SIGKILL, process.stderr.decode()
    until(lambda: is_free(model))


def is_free(model: type[Model]) -> bool:
    """Whether no run of the model is left: a server notices a dead client a moment later."""
    with database("default").run_lock(model._meta.label) as is_ours:
        return is_ours


def database_url() -> str:
    """The test database as a URL: what ``DATABASE_URL`` says, with the name the tests gave it."""
    name: Any = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    parts = urlsplit(os.environ["DATABASE_URL"])
    return urlunsplit(parts._replace(path=f"/{name}"))
