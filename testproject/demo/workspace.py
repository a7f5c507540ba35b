"""The folder in which the demo works: a copy of the test project, new every time.

The demo edits a model and writes a migration, which must not happen to the repository.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from testproject.demo.errors import DemoError

ROOT = Path(__file__).resolve().parents[2]
WORKSPACE = ROOT / "demo"


def fresh_workspace(workspace: Path = WORKSPACE) -> Path:
    """Replace the copy of the last demo by a new one; never deletes a folder of another kind."""
    if workspace.exists():
        _remove(workspace)
    ignored = shutil.ignore_patterns("__pycache__", "demo")
    shutil.copytree(ROOT / "testproject", workspace / "testproject", ignore=ignored)
    shutil.copy(ROOT / "manage.py", workspace)
    return workspace


def _remove(workspace: Path) -> None:
    if not (workspace / "testproject" / "films").is_dir():
        raise DemoError(f"{workspace} is not the folder of an earlier demo: please move it away.")
    shutil.rmtree(workspace)
