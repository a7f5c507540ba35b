"""Files in which an audit has nothing to judge, told by their text alone and kept by its hash.

What is kept says nothing of models, other files or the database, so it cannot go stale: a file of
the same bytes has nothing to judge again. What is to be judged is judged anew by every audit.
"""

from __future__ import annotations

import ast
import json
import os
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .creating import may_create
from .factories import is_factory_option
from .looking import KINDS, looks
from .sources import project_root
from .spelling import last_name
from .weaker import NAMES

if TYPE_CHECKING:
    from collections.abc import Container

    from .modules import Module


def has_nothing(module: Module, methods: Container[str]) -> bool:
    """Whether no call, factory, look or weaker form stands in a module, whatever its names mean."""
    return not (
        any(one.attr in methods for one in module.of_kinds(ast.Attribute))
        or any(is_factory_option(one) for one in module.of_kinds(ast.Assign))
        or any(last_name(one) in NAMES for one in module.of_kinds(ast.Call))
        or any(_is_candidate(one, module) for one in module.of_kinds(*KINDS))
    )


def _is_candidate(node: Any, module: Module) -> bool:
    return any(may_create(look.absent) for look in looks(node, module))


class Empty:
    """The hashes of files that have nothing to judge, as the audit before left them."""

    def __init__(self) -> None:
        self._path = _folder() / f"audit-{_digest(str(project_root()).encode(), _code())}.json"
        self._known: set[str] = set()
        self._met: set[str] = set()
        with suppress(OSError, ValueError, TypeError):
            self._known = set(json.loads(self._path.read_text(encoding="utf-8")))

    def has(self, text: bytes) -> bool:
        """Whether a file with these bytes is known to have nothing."""
        is_known = _digest(text) in self._known
        if is_known:
            self.add(text)
        return is_known

    def add(self, text: bytes) -> None:
        self._met.add(_digest(text))

    def keep(self) -> None:
        """Keep what was met for the next audit; an audit goes without where that cannot be."""
        if self._met == self._known:
            return
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            new = self._path.with_suffix(f".{os.getpid()}")
            new.write_text(json.dumps(sorted(self._met)), encoding="utf-8")
            new.replace(self._path)


def _folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base else Path("~/.cache").expanduser()) / "dedupe_toolkit"


@cache
def _code() -> bytes:
    """The audit's own source: another one may find something where this one finds nothing."""
    return b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))


def _digest(*parts: bytes) -> str:
    return sha256(b"\0".join(parts)).hexdigest()[:40]
