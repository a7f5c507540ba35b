"""The guard for a test run: ``pytest --dedupe-guard[=FILE]``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

_HANDED_OVER = "dedupe_guard"
_gathered = pytest.StashKey[list[dict[str, Any]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("dedupe_toolkit")
    group.addoption(
        "--dedupe-guard",
        nargs="?",
        const="",
        default=None,
        metavar="FILE",
        help="warn of each get_or_create that a race lets create duplicates; write all that was"
        " called into FILE, for audit_get_or_create --observed",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_gathered] = []


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    if session.config.getoption("dedupe_guard") is None:
        return
    from django.apps import apps

    if not apps.ready:
        raise pytest.UsageError("--dedupe-guard needs Django to be set up, by pytest-django say")
    from .guard.watching import install

    install()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    config = session.config
    file = config.getoption("dedupe_guard")
    if file is None:
        return
    from .guard.memory import seen
    from .guard.report import entries, write
    from .guard.watching import uninstall

    found = entries(seen())
    uninstall()
    if hasattr(config, "workeroutput"):
        config.workeroutput[_HANDED_OVER] = found
    elif file:
        write(Path(config.invocation_params.dir, file), [*config.stash[_gathered], *found])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: Any) -> None:
    """With pytest-xdist: the workers see, and the process that started them writes."""
    found = getattr(node, "workeroutput", {}).get(_HANDED_OVER, [])
    node.config.stash[_gathered] += found
