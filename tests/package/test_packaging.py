"""The wheel holds what the package needs at run time, and the sdist what its suite needs."""

from __future__ import annotations

import email
import re
import subprocess
import sys
import tarfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest

if TYPE_CHECKING:
    from email.message import Message

ROOT = Path(__file__).parents[2]
LEFT_BEHIND = {"__pycache__"}
DRAWN = {"docs/explanation/rooms.svg"}
"""What building the documentation leaves beside its sources."""


REPOSITORY = "https://github.com/dedupe-toolkit/dedupe-toolkit"


def built(target: str, folder: Path) -> Path:
    """The file of that kind, built from this checkout."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (found,) = folder.iterdir()
    return found


@pytest.fixture(scope="module")
def wheel_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built("wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def wheel(wheel_file: Path) -> set[str]:
    """The names of the files in the wheel."""
    with ZipFile(wheel_file) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def metadata(wheel_file: Path) -> Message:
    """What a package index reads in the wheel, and shows."""
    with ZipFile(wheel_file) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return email.message_from_bytes(archive.read(name))


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of the files in the sdist, as in the folder it unpacks to."""
    with tarfile.open(built("sdist", tmp_path_factory.mktemp("sdist"))) as archive:
        return {name.partition("/")[2] for name in archive.getnames()}


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


def test_a_package_index_links_to_the_project(metadata: Message) -> None:
    links = dict(text.split(", ") for text in metadata.get_all("Project-URL", []))
    assert set(links) >= {"Homepage", "Documentation", "Changelog", "Issues", "Source"}
    assert all(link.startswith(REPOSITORY) for link in links.values())


def test_the_readme_links_to_what_is_there_wherever_it_is_read(metadata: Message) -> None:
    raw = REPOSITORY.replace("github.com", "raw.githubusercontent.com")
    for link in re.findall(r"\]\(([^)]*)\)", str(metadata.get_payload())):
        file = re.fullmatch(rf"(?:{REPOSITORY}/blob|{raw})/main/([^#]*)(?:#.*)?", link)
        assert file, f"{link} leads nowhere on a package index"
        assert (ROOT / file[1]).is_file(), link


def test_the_sdist_holds_all_that_its_suite_and_its_makefile_use(sdist: set[str]) -> None:
    folders = (".ci", "benchmarks", "dedupe_toolkit", "docs", "tests", "testproject")
    single = ("manage.py", "Makefile", "noxfile.py", "pyproject.toml", "README.md", "LICENSE")
    for folder in folders:
        suffixes = {".py", ".md", ".html", ".mo", ".svg", ""}
        files = {
            path.relative_to(ROOT).as_posix()
            for path in (ROOT / folder).rglob("*")
            if path.is_file() and path.suffix in suffixes and "_build" not in path.parts
        } - DRAWN
        assert files, folder
        assert files <= sdist, sorted(files - sdist)
    assert set(single) <= sdist


def test_the_sdist_holds_nothing_that_was_made_here(sdist: set[str]) -> None:
    made = (".venv", ".servers", "demo", "dist", "__pycache__", ".mypy_cache")
    assert not {name for name in sdist if name.split("/")[0] in made}
    assert not {name for name in sdist if name.endswith((".pyc", ".sqlite3"))}
