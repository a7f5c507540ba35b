"""Where a call comes from: the first frame that is neither of Django's ORM nor of what runs it."""

from __future__ import annotations

import os
import sys
import sysconfig
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import ref

import asgiref
import django

if TYPE_CHECKING:
    from types import CodeType, FrameType

_STDLIB = os.path.join(sysconfig.get_path("stdlib"), "")
_DJANGO = os.path.dirname(django.__file__)
_BETWEEN = (
    # what Django itself gets or creates elsewhere has lines of its own
    os.path.join(_DJANGO, "db", ""),
    os.path.join(_DJANGO, "contrib", "contenttypes", "fields.py"),
    os.path.join(os.path.dirname(__file__), ""),
    *(os.path.join(path, "") for path in asgiref.__path__),
    *(_STDLIB + name for name in ("asyncio", "concurrent", "contextlib", "functools", "threading")),
)


class Caller(NamedTuple):
    """A place in code that calls; its line is worked out where it is asked for."""

    code: CodeType
    at: int
    names: dict[str, Any]
    """The module's globals."""

    @property
    def path(self) -> str:
        return self.code.co_filename

    @property
    def line(self) -> int:
        for start, end, line in self.code.co_lines():
            if start <= self.at < end and line:
                return line
        return self.code.co_firstlineno


_sites: dict[tuple[str, CodeType], int] = {}
_numbers: dict[int, tuple[int, Any]] = {}


def site_of(code: CodeType) -> int:
    """A number for the code of one file; the same however often that is compiled.

    Python takes long to hash code, the longer the code is, and leaves its file aside.
    """
    known_as = id(code)
    known = _numbers.get(known_as)
    if known is not None:
        return known[0]
    number = _sites.setdefault((code.co_filename, code), len(_sites))
    # the next object of that id is another
    _numbers[known_as] = number, ref(code, lambda _: _numbers.pop(known_as, None))
    return number


def caller() -> Caller | None:
    """Who called; None in a thread that began with the call itself."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename.startswith(_BETWEEN):
        frame = frame.f_back
    return frame and Caller(frame.f_code, frame.f_lasti, frame.f_globals)
