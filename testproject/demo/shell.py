"""Runs management commands as a user types them, and shows them with their real output."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from testproject.demo.databases import without_password
from testproject.demo.errors import DemoError
from testproject.demo.workspace import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console
    from rich.table import Table


@dataclass(frozen=True, kw_only=True)
class Shell:
    """A terminal in the demo's folder, with one database; None is the settings' own choice."""

    console: Console
    folder: Path
    url: str | None

    def say(self, text: str) -> None:
        self.console.print(text, soft_wrap=True)

    def show(self, table: Table) -> None:
        self.console.print(table, "")

    def run(self, *arguments: str, **environment: str) -> None:
        """Show a command and run it with this terminal as its own; raise when it fails."""
        self._show(arguments, environment)
        started = time.perf_counter()
        done = subprocess.run(  # noqa: S603 (the demo's own commands)
            [sys.executable, "manage.py", *arguments],
            cwd=self.folder,
            env=self._environment(environment),
            check=False,
        )
        self.console.print(f"[dim]({time.perf_counter() - started:.1f} s)[/dim]\n")
        if done.returncode:
            raise DemoError(f"{arguments[0]} ended with exit code {done.returncode}.")

    def fail(self, *arguments: str) -> None:
        """Show a command that is meant to fail, and the line that tells how it did."""
        self._show(arguments, {})
        done = self._capture(*arguments)
        if not done.returncode:
            raise DemoError(f"{arguments[0]} was expected to fail and did not.")
        error = done.stderr.strip().splitlines()[-1]
        self.console.print(f"{error}\n", style="red", markup=False, soft_wrap=True)

    def read(self, *arguments: str) -> str:
        """What a command prints, without showing anything; raise when it fails."""
        done = self._capture(*arguments)
        if done.returncode:
            raise DemoError(f"{arguments[0]} failed: {done.stderr.strip()}")
        return done.stdout

    def read_json(self, *arguments: str) -> Any:
        return json.loads(self.read(*arguments, "--format", "json"))

    def _show(self, arguments: tuple[str, ...], environment: dict[str, str]) -> None:
        shown = {name: without_password(value) for name, value in environment.items()}
        settings = "".join(f"{name}={shlex.quote(value)} " for name, value in shown.items())
        line = f"$ {settings}python manage.py {shlex.join(arguments)}"
        self.console.print(line, style="bold cyan", markup=False, soft_wrap=True)
        # The command writes to the same place by itself, so nothing may wait in a buffer here.
        self.console.file.flush()

    def _capture(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 (the demo's own commands)
            [sys.executable, "manage.py", *arguments],
            cwd=self.folder,
            env=self._environment({}),
            capture_output=True,
            text=True,
            check=False,
        )

    def _environment(self, extra: dict[str, str]) -> dict[str, str]:
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "testproject.settings"}
        # The copy of the test project comes first, since a script's folder always does.
        environment["PYTHONPATH"] = str(ROOT)
        environment.pop("DATABASE_URL", None)
        if self.url:
            environment["DATABASE_URL"] = self.url
        return environment | extra
