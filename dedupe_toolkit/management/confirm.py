"""The question before anything is written."""

from __future__ import annotations

import sys
from typing import Any

from ..errors import InvalidOption


def confirmed(stream: Any, question: str) -> bool:
    """Ask on ``stream`` and read the answer; only "y" or "yes" is a yes.

    Raises `InvalidOption` when there is nobody to ask, `KeyboardInterrupt` saying that nothing
    was written when a person answers with Ctrl-C.
    """
    try:
        stream.write(f"{question} [y/N] ", ending="")
        stream.flush()
        # None where the process was started with standard input closed
        answer = sys.stdin.readline() if sys.stdin else ""
    except KeyboardInterrupt:
        raise KeyboardInterrupt("Stopped: nothing was written.") from None
    if not answer:
        stream.write("")  # what is said next begins a line
        raise InvalidOption("nobody answers on standard input: use --no-input to go ahead")
    return answer.strip().lower() in ("y", "yes")
