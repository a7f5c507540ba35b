"""The question before anything is written."""

from __future__ import annotations

import sys
from typing import Any

from ..errors import InvalidOption


def confirmed(stream: Any, question: str) -> bool:
    """Ask on ``stream`` and read the answer; only "y" or "yes" is a yes.

    Raises `InvalidOption` when there is nobody to ask.
    """
    stream.write(f"{question} [y/N] ", ending="")
    stream.flush()
    answer = sys.stdin.readline()
    if not answer:
        raise InvalidOption("nobody answers on standard input: use --no-input to go ahead")
    return answer.strip().lower() in ("y", "yes")
