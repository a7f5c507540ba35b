"""A process that has imported what every command imports, and forks one for each command.

Run as a script, it serves the socket that it is handed. What it forks has read neither settings nor
models: it is a process of its own with its own output, as a command in a shell, but for the time
that Python takes to find Django and libcst.
"""

from __future__ import annotations

import json
import os
import runpy
import socket
import subprocess
import sys
import tempfile
import traceback
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

IMPORTED = (
    "django.contrib.contenttypes",
    "django.core.checks",
    "django.core.management",
    "django.db.backends.sqlite3.base",
    "django.db.migrations.autodetector",
    "django.db.migrations.executor",
    "django.db.migrations.writer",
    "django.db.models",
    "django_rich.management",
    "libcst.metadata",
    "rich.progress",
    "rich.table",
)


def run(arguments: list[str], folder: Path, environment: dict[str, str]) -> Any:
    """``python ARGUMENTS`` in the folder, as `subprocess.run` would return it."""
    with (
        tempfile.TemporaryFile("w+") as out,
        tempfile.TemporaryFile("w+") as err,
        socket.socket(socket.AF_UNIX) as asking,
    ):
        asking.connect(_places[-1])
        asked = json.dumps([arguments, str(folder), environment]).encode()
        socket.send_fds(asking, [b"!"], [out.fileno(), err.fileno()])
        asking.sendall(asked)
        asking.shutdown(socket.SHUT_WR)
        code = int(asking.makefile().read())
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(arguments, code, out.read(), err.read())


@contextmanager
def serving() -> Iterator[None]:
    """Within it, `run` finds the process that forks the others."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/socket")
        listener.listen()
        with subprocess.Popen(
            [sys.executable, __file__, str(listener.fileno())],
            pass_fds=[listener.fileno()],
            stdin=subprocess.DEVNULL,
        ) as server:
            _places.append(f"{folder}/socket")
            yield
            _places.pop()
            server.terminate()


_places: list[str] = []


def _serve(listener: socket.socket) -> None:
    for name in IMPORTED:
        import_module(name)
    parent = os.getppid()
    listener.settimeout(5)
    while os.getppid() == parent:
        with suppress(TimeoutError):
            _hand_over(listener.accept()[0])


def _hand_over(asked: socket.socket) -> None:
    with asked:
        asked.setblocking(True)
        # one that waits for the command, so that others can be asked for meanwhile
        if os.fork() == 0:
            _answer(asked)
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _answer(asked: socket.socket) -> None:
    _, (out, err), _, _ = socket.recv_fds(asked, 1, 2)
    arguments, folder, environment = json.loads(asked.makefile().read())
    child = os.fork()
    if child == 0:
        asked.close()
        _become(arguments, folder, environment, out, err)
    _, status = os.waitpid(child, 0)
    asked.sendall(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _become(
    arguments: list[str], folder: str, environment: dict[str, str], out: int, err: int
) -> None:
    """The rest of the life of a process that runs the command."""
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.dont_write_bytecode = bool(environment.get("PYTHONDONTWRITEBYTECODE"))
    first = "" if arguments[0] == "-c" else folder
    sys.path[:] = [first, *environment["PYTHONPATH"].split(os.pathsep), *sys.path[1:]]
    code = 0
    try:
        if arguments[0] == "-c":
            sys.argv = ["-c", *arguments[2:]]
            exec(arguments[1], {"__name__": "__main__"})  # noqa: S102 (a test's own code)
        else:
            sys.argv = arguments
            runpy.run_path(str(Path(folder) / arguments[0]), run_name="__main__")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
