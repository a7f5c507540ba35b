"""The source files an audit reads: the project's own, or those of the apps that were named."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from django.apps import apps
from django.conf import settings

from ..source.project import app_named

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PACKAGE = Path(__file__).resolve().parent.parent
"""This package itself, which is nobody's own code even where it is not installed."""
_SKIPPED = {"site-packages", "dist-packages", "node_modules", "__pycache__", "build", "dist"}
_MARKS_A_PROJECT = ("manage.py", "pyproject.toml", "setup.py", "setup.cfg", ".git")
"""Without one of these, the folder that the command is run in may be anybody's home, or ``/``."""
_TEST_FOLDERS = {"tests", "test", "testing", "testutils", "fixtures", "factories"}
_TEST_FILES = {"conftest", "tests", "test", "factories", "testing", "test_utils"}
_SCRIPTS = {"commands", "scripts", "bin", "seeds"}


class Kind(StrEnum):
    """What a file is for, which decides how much a race there matters."""

    CODE = "code"
    SCRIPT = "script"
    TEST = "test"
    MIGRATION = "migration"


@dataclass(frozen=True, kw_only=True)
class SourceFile:
    """One file: where it lies, the module it is, and what it is for."""

    path: Path
    shown: str
    """The path as reports name it: relative to the project."""
    module: str
    kind: Kind


def source_files(labels: Iterable[str] = ()) -> list[SourceFile]:
    """The Python files of these apps; of the whole project if none is named.

    Raises `InvalidOption` for an app that is not installed.
    """
    named = [Path(app_named(label).path) for label in labels]
    folders = named or _project_folders()
    paths = {path for folder in folders for path in _python_files(folder)}
    return [_source_file(path) for path in sorted(paths)]


def project_root() -> Path:
    """The folder that paths in reports are relative to."""
    base = getattr(settings, "BASE_DIR", None)
    here = Path.cwd().resolve()
    root = Path(base).resolve() if base else here
    is_project = any((here / name).exists() for name in _MARKS_A_PROJECT)
    return here if is_project and root.is_relative_to(here) else root


def is_installed(path: Path) -> bool:
    """Whether a file belongs to an installed package."""
    return bool({"site-packages", "dist-packages"} & set(path.parts))


def _project_folders() -> list[Path]:
    own = [Path(config.path).resolve() for config in apps.get_app_configs()]
    own = [path for path in own if not (is_installed(path) or path == _PACKAGE)]
    roots = [project_root(), *own]
    return [one for one in roots if not any(one != o and one.is_relative_to(o) for o in roots)]


def _python_files(folder: Path) -> Iterator[Path]:
    for here, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not _is_skipped(Path(here, name))]
        paths = (Path(here, name).resolve() for name in files if name.endswith(".py"))
        # an editor's lock on a file is a link to nothing
        yield from (path for path in paths if path.is_file())


def _is_skipped(folder: Path) -> bool:
    is_environment = (folder / "pyvenv.cfg").exists()
    return folder.name in _SKIPPED or folder.name.startswith(".") or is_environment


def shown_path(path: Path) -> str:
    """The path as reports name it: relative to the project where it lies within."""
    root = project_root()
    return (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()


def _source_file(path: Path) -> SourceFile:
    shown = shown_path(path)
    return SourceFile(path=path, shown=shown, module=module_name(path), kind=_kind(Path(shown)))


def module_name(path: Path) -> str:
    """The name under which Django has loaded the file, or would."""
    if path in _loaded():
        return _loaded()[path]
    parts = [path.stem] if path.stem != "__init__" else []
    folder = path.parent
    while (folder / "__init__.py").exists():
        parts.insert(0, folder.name)
        folder = folder.parent
    return ".".join(parts)


@cache
def _loaded() -> dict[Path, str]:
    """The files of loaded modules, under the modules' names."""
    found: dict[Path, str] = {}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and file.endswith(".py") and name != "__main__":
            found.setdefault(Path(file).resolve(), name)
    return found


def _kind(path: Path) -> Kind:
    folders, stem = {part.lower() for part in path.parts[:-1]}, path.stem.lower()
    if folders & _TEST_FOLDERS or any(one.endswith("tests") for one in folders):
        return Kind.TEST
    if stem in _TEST_FILES or stem.startswith("test_"):
        return Kind.TEST
    if stem.endswith(("_test", "_tests", "_factory", "_factories")):
        return Kind.TEST
    if any("migrations" in folder for folder in folders):
        return Kind.MIGRATION
    return Kind.SCRIPT if folders & _SCRIPTS else Kind.CODE
