"""What adding a constraint does to files: computed first, written as a whole or not at all."""

from __future__ import annotations

import os
import tempfile
import tokenize
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import unified_diff
from typing import TYPE_CHECKING

from django.core.management.utils import run_formatters

from ..errors import ConstraintRefused

if TYPE_CHECKING:
    from pathlib import Path

    from ..values import MatchKey
    from .constraints import Style


@dataclass(frozen=True, kw_only=True)
class FileEdit:
    """One file, before and after; ``before`` is None for a file that is to be created."""

    path: Path
    before: str | None
    after: str
    encoding: str = "utf-8"

    @property
    def name(self) -> str:
        """The path, relative to the current directory where that is shorter."""
        name = os.path.relpath(self.path)
        return str(self.path) if name.startswith("..") else name

    @property
    def diff(self) -> str:
        """A unified diff."""
        name = self.name
        lines = unified_diff(
            (self.before or "").splitlines(keepends=True),
            self.after.splitlines(keepends=True),
            "/dev/null" if self.before is None else f"a/{name}",
            f"b/{name}",
        )
        return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


@dataclass(frozen=True, kw_only=True)
class ConstraintEdit:
    """What `make_unique` will do: nothing has been written while one only exists.

    ``key`` is the key as it will be kept: on the model that owns the fields, which for a proxy
    or a child of multi-table inheritance may not be the one asked for. ``name`` is that of the
    constraint, empty for ``unique_together``. ``covered_by`` names the rule that covers the key
    already, and ``pending`` says of one that will once it is migrated; then there is nothing to
    write.
    """

    key: MatchKey
    style: Style
    name: str = ""
    app_label: str = ""
    files: tuple[FileEdit, ...] = ()
    migration: Path | None = None
    covered_by: str = ""
    pending: str = ""
    notes: tuple[str, ...] = field(default=())

    @property
    def diff(self) -> str:
        """All files as one unified diff; empty when nothing is to be written."""
        return "".join(file.diff for file in self.files)

    def write(self) -> None:
        """Write all files, or leave all of them as they were.

        Raises `ConstraintRefused` when a file has changed since, or cannot be written.
        """
        for file in self.files:
            _require_unchanged(file)
        try:
            _write_all(self.files)
        except OSError as error:
            raise ConstraintRefused(
                f"{self.key.label}: cannot write {error.filename}: {error.strerror};"
                " all files are as they were"
            ) from error
        if self.migration:
            run_formatters([str(self.migration)])


def read_source(path: Path) -> tuple[str, str]:
    """A Python file's text, its newlines as they are, and its encoding."""
    with path.open("rb") as file:
        encoding, _ = tokenize.detect_encoding(file.readline)
    with path.open(encoding=encoding, newline="") as text:
        return text.read(), encoding


def _require_unchanged(file: FileEdit) -> None:
    now = read_source(file.path)[0] if file.path.exists() else None
    if now != file.before:
        raise ConstraintRefused(f"{file.path} has changed meanwhile; nothing was written")


def _write_all(files: tuple[FileEdit, ...]) -> None:
    written: list[FileEdit] = []
    try:
        for file in files:
            written.append(file)
            _replace(file.path, file.after, file.encoding)
    except BaseException:  # an interrupt must not leave half an edit behind either
        for file in reversed(written):
            _restore(file)
        raise


def _restore(file: FileEdit) -> None:
    if file.before is None:
        file.path.unlink(missing_ok=True)
    elif read_source(file.path)[0] != file.before:
        _replace(file.path, file.before, file.encoding)


def _replace(path: Path, text: str, encoding: str) -> None:
    """Swap the file for one with the new text, in one step that a reader sees whole."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding=encoding, newline="") as file:
            file.write(text)
        os.chmod(name, path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())
        os.replace(name, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(name)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
