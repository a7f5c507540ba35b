"""The process that a command runs in: how it is stopped, and what its output can hold."""

from __future__ import annotations

import codecs
import signal
import sys
from contextlib import contextmanager
from io import TextIOWrapper
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

# a service manager's stop, and a terminal that is closed (unknown to Windows)
_STOPS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


class StopSignal:
    """Which signal stops the command: Ctrl-C unless another has come."""

    def __init__(self) -> None:
        self.number: int = signal.SIGINT

    @property
    def exit_code(self) -> int:
        """As shells report it."""
        return 128 + self.number

    def receive(self, number: int, frame: FrameType | None) -> None:
        self.number = number
        raise KeyboardInterrupt


@contextmanager
def stopping_alike() -> Iterator[StopSignal]:
    """Whatever asks the process to end raises `KeyboardInterrupt`, as Ctrl-C does.

    A signal that somebody handles or ignores already (``nohup``) stays theirs.
    """
    stop = StopSignal()
    taken = [number for number in _STOPS if signal.getsignal(number) == signal.SIG_DFL]
    for number in taken:
        signal.signal(number, stop.receive)
    try:
        yield stop
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def ending_gently() -> Iterator[Callable[[], bool]]:
    """Within, SIGTERM stops nothing, and who asks is told; a second one stops as ever.

    At the end the command is stopped like that. Where `stopping_alike` has not taken the signal it
    stays as it is.
    """
    before = signal.getsignal(signal.SIGTERM)
    stop = getattr(before, "__self__", None)
    if not isinstance(stop, StopSignal):
        yield lambda: False
        return
    told: list[int] = []

    def tell(number: int, frame: FrameType | None) -> None:
        if told:
            stop.receive(number, frame)
        stop.number = number
        told.append(number)

    signal.signal(signal.SIGTERM, tell)
    try:
        yield lambda: bool(told)
    finally:
        signal.signal(signal.SIGTERM, before)
    if told:
        raise KeyboardInterrupt


def write_any_text() -> None:
    r"""Let standard output hold characters that its encoding lacks, as ``\u00eb``.

    JSON reads that as the character it was; Python's own ``backslashreplace`` writes ``\xeb``,
    which JSON refuses.
    """
    codecs.register_error(_ESCAPED, _escaped)
    if isinstance(sys.stdout, TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors=_ESCAPED)


_ESCAPED = "dedupe_toolkit.escaped"


def _escaped(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    pairs = (units[at : at + 2].hex() for at in range(0, len(units), 2))
    return "".join(f"\\u{pair}" for pair in pairs), error.end
