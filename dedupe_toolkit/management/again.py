"""Another command of the same project in a process of its own, which reads its source anew."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

from django.db import connections
from django.utils.autoreload import get_child_arguments

from ..prove.processes import requests_to_end_wait, terminal_speaks_to_us_alone

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMED = ("settings", "pythonpath", "verbosity")
_SWITCHES = ("traceback", "no_color", "force_color")


def run_anew(*words: str, options: Mapping[str, Any]) -> int:
    """Run ``manage.py`` with these words as this process was run; the exit code.

    Its output goes where this one's goes, and Django's own options are handed on. When this
    process is asked to end, the other one is too, and has ended before `KeyboardInterrupt` is
    raised.
    """
    sys.stdout.flush()
    # an open transaction or a lock of ours would be in its way
    connections.close_all()
    # what Django's own reloader runs again: ``manage.py``, ``django-admin`` or ``python -m django``
    program = get_child_arguments()[: -len(sys.argv[1:])]
    try:
        with requests_to_end_wait(), terminal_speaks_to_us_alone():
            child = subprocess.Popen([*program, *words, *_of_django(options)])  # noqa: S603 (ours)
        return child.wait()
    except KeyboardInterrupt:
        child.terminate()
        child.wait()
        raise


def _of_django(options: Mapping[str, Any]) -> list[str]:
    named = [f"--{name}={options[name]}" for name in _NAMED if options.get(name) is not None]
    switches = [f"--{name.replace('_', '-')}" for name in _SWITCHES if options.get(name)]
    return [*named, *switches]
