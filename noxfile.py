"""The test suite on every supported pair of Python and Django.

``nox`` runs all pairs, ``nox --tags telling`` the one that tells most beside the oldest, on which
everything else is run: the newest. SQLite by default; ``DATABASE_URL`` chooses another database,
as everywhere in this project.
"""

from __future__ import annotations

import os
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "venv"
nox.options.reuse_existing_virtualenvs = True
nox.options.download_python = "never"

PYPROJECT = nox.project.load_toml(Path(__file__).with_name("pyproject.toml"))
DJANGOS = {  # Django 6.0 and later need Python 3.12
    "3.11": ["5.2"],
    "3.12": ["5.2", "6.0", "6.1"],
    "3.13": ["5.2", "6.0", "6.1"],
}
TELLING = {("3.13", "6.1")}
EXTRAS = {"postgres": "[postgres]", "postgresql": "[postgres]", "mysql": "[mysql]"}

PAIRS = [
    nox.param(
        python,
        django,
        id=f"{python}-django{django}",
        tags=["telling"] if (python, django) in TELLING else [],
    )
    for python, djangos in DJANGOS.items()
    for django in djangos
]


@nox.session
@nox.parametrize(("python", "django"), PAIRS)
def tests(session: nox.Session, django: str) -> None:
    """Run pytest; what stands behind ``--`` goes to it."""
    driver = EXTRAS.get(os.environ.get("DATABASE_URL", "").partition(":")[0], "")
    groups = nox.project.dependency_groups(PYPROJECT, "test")
    session.install(*groups, "--editable", f".{driver}", f"django~={django}.0")
    session.run("python", "-m", "django", "--version")
    session.run("python", "-m", "pytest", *(session.posargs or ["-n", "auto"]))
