"""The test suite on every supported pair of Python and Django, and pictures of the admin.

``nox`` runs all pairs, ``nox --tags telling`` the one that tells most beside the oldest: the
newest. SQLite by default; ``DATABASE_URL`` chooses another database, as everywhere in this
project. ``nox --session screenshots`` takes the pictures.
"""

from __future__ import annotations

import os
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "venv"
nox.options.reuse_existing_virtualenvs = True
nox.options.download_python = "never"
nox.options.sessions = ["tests"]

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
    # the suite starts a thousand processes, and a runner may let none of them keep what it compiled
    session.run("python", "-m", "compileall", "-q", "dedupe_toolkit", "tests", "testproject")
    session.run("python", "-m", "pytest", *(session.posargs or ["-n", "auto"]))


LOOKS = {  # what draws the admin, and what is installed for it
    "django5.2": ["django~=5.2.0"],
    "django6.0": ["django~=6.0.0"],
    "django6.1": ["django~=6.1.0"],
}
LOOKS |= {
    f"{theme}-{look}": [*installed, f"django-{theme}"]
    for theme in ("unfold", "jazzmin")
    for look, installed in LOOKS.items()
}


@nox.session(python="3.13")
@nox.parametrize("look", list(LOOKS), ids=list(LOOKS))
def screenshots(session: nox.Session, look: str) -> None:
    """Take a picture of every screen, into ``build/screenshots``."""
    groups = nox.project.dependency_groups(PYPROJECT, "test")
    session.install(*groups, "--editable", ".", *LOOKS[look])
    folder = Path("build/screenshots", look)
    folder.mkdir(parents=True, exist_ok=True)
    session.run(
        *("python", "-m", "pytest", "--ds", "tests.admin.looks", "-W", "default"),
        "tests/admin/pictures.py",
        env={
            "LOOK": look.partition("-")[0],
            "DEDUPE_PICTURES": str(folder),
            "DEDUPE_REQUIRE_BROWSER": "1",
        },
    )
