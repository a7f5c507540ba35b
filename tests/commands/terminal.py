"""A command at a terminal of its own: what a person sees, keys in and exit code out."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pexpect

from tests.concurrency_kit import PATIENCE
from tests.merging.killing import database_url

ROOT = Path(__file__).resolve().parents[2]
_WIDTH = ("COLUMNS", "LINES")
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def at_terminal(*arguments: str, columns: int = 80, **environment: str) -> pexpect.spawn[str]:
    """``manage.py`` with these arguments, on the test's database, at a terminal so wide."""
    return _spawn(["manage.py", *arguments], columns, environment)


def stopped_at_terminal(
    words: str, *arguments: str, number: int = 1, side: str = "before"
) -> pexpect.spawn[str]:
    """The same command, with Ctrl-C at that moment of a statement (see `tests.commands.dying`)."""
    return _spawn(
        ["-m", "tests.commands.dying", "SIGINT", str(number), side, words, *arguments], 80, {}
    )


def held_at_terminal(
    words: str, *arguments: str, number: int, **environment: str
) -> pexpect.spawn[str]:
    """The same command, held before its statement of that number with these words."""
    held = ["-m", "tests.commands.dying", "SIGSTOP", str(number), "each", words]
    return _spawn([*held, *arguments], 80, environment)


def ctrl_c_where_held(child: pexpect.spawn[str]) -> None:
    """Wait until the command is held, press Ctrl-C, and let it go on to notice."""
    os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    child.sendintr()
    os.kill(child.pid, signal.SIGCONT)


def shell_at_terminal(line: str) -> pexpect.spawn[str]:
    """A line for bash that begins with a command of ``manage.py``, at a terminal."""
    return _spawn(["-c", f"{sys.executable} manage.py {line}"], 80, {}, program="bash")


def _spawn(
    command: list[str],
    columns: int,
    environment: dict[str, str],
    *,
    program: str = sys.executable,
) -> pexpect.spawn[str]:
    return pexpect.spawn(
        program,
        command,
        cwd=str(ROOT),
        env=_environment(environment | {"TERM": environment.get("TERM", "xterm-256color")}),
        dimensions=(40, columns),
        encoding="utf-8",
        codec_errors="replace",  # a stop may cut a character of the progress bar in two
        timeout=PATIENCE,
    )


def in_pipe(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The same command in a pipe."""
    return _run([sys.executable, "manage.py", *arguments], environment)


def started_in_pipe(*arguments: str) -> subprocess.Popen[str]:
    """The same command, under way."""
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=_environment({}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def in_shell(line: str) -> subprocess.CompletedProcess[str]:
    """A line for bash that begins with a command of ``manage.py``."""
    return _run(["bash", "-c", f"{sys.executable} manage.py {line}"], {})


def _run(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=ROOT,
        env=_environment(environment),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=PATIENCE,
        check=False,
    )


def _environment(extra: dict[str, str]) -> dict[str, str]:
    """The test's database, and no width but the terminal's own."""
    inherited = {name: value for name, value in os.environ.items() if name not in _WIDTH}
    project = {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "tests.settings"}
    return inherited | project | extra


def finished(child: pexpect.spawn[str]) -> tuple[int | None, str]:
    """The exit code, and all that was still printed, without colours and cursor movements."""
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus, _ESCAPE.sub("", child.before or "")
