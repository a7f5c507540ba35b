"""The wheel holds what the package needs at run time, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parent.parent
LEFT_BEHIND = {"__pycache__"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of the files in a wheel built from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    with ZipFile(built) as archive:
        return set(archive.namelist())


def files_of_the_package() -> set[str]:
    found = (path for path in (ROOT / "dedupe_toolkit").rglob("*") if path.is_file())
    return {
        path.relative_to(ROOT).as_posix()
        for path in found
        if not LEFT_BEHIND & set(path.parts) and path.suffix != ".pyc"
    }


def test_the_wheel_holds_every_file_of_the_package(wheel: set[str]) -> None:
    assert {name for name in wheel if name.startswith("dedupe_toolkit/")} == files_of_the_package()


def test_the_wheel_installs_the_package_and_nothing_beside_it(wheel: set[str]) -> None:
    tops = {PurePosixPath(name).parts[0] for name in wheel}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"dedupe_toolkit"}


def test_the_wheel_says_that_it_is_typed(wheel: set[str]) -> None:
    assert "dedupe_toolkit/py.typed" in wheel


@pytest.mark.parametrize(
    ("folder", "suffix"),
    [("templates/dedupe_toolkit", ".html"), ("static/dedupe_toolkit", ".css"), ("locale", ".mo")],
)
def test_the_wheel_holds_the_files_that_are_not_code(
    wheel: set[str], folder: str, suffix: str
) -> None:
    start = f"dedupe_toolkit/{folder}/"
    assert any(name.startswith(start) and name.endswith(suffix) for name in wheel)


def test_the_wheel_holds_the_licence(wheel: set[str]) -> None:
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in wheel)
