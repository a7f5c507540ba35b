"""An edit is written as a whole or not at all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from dedupe_toolkit.errors import ConstraintRefused
from dedupe_toolkit.keys import match_key
from dedupe_toolkit.source.constraints import Style
from dedupe_toolkit.source.edits import ConstraintEdit, FileEdit, read_source
from testproject.films.models import Film

if TYPE_CHECKING:
    from pathlib import Path


def edit(*files: FileEdit, **options: Any) -> ConstraintEdit:
    key = match_key(Film, ["title"])
    return ConstraintEdit(key=key, style=Style.UNIQUE_TOGETHER, files=files, **options)


def test_all_files_are_written_and_keep_their_mode_and_newlines(tmp_path: Path) -> None:
    old = tmp_path / "old.py"
    old.write_bytes(b"# -*- coding: latin-1 -*-\r\nx = '\xe9'\r\n")
    old.chmod(0o640)
    before, encoding = read_source(old)
    new = FileEdit(path=tmp_path / "new.py", before=None, after="y = 1\n")
    edit(FileEdit(path=old, before=before, after=f"{before}z\r\n", encoding=encoding), new).write()
    assert old.read_bytes() == b"# -*- coding: latin-1 -*-\r\nx = '\xe9'\r\nz\r\n"
    assert old.stat().st_mode & 0o777 == 0o640
    assert new.path.read_text() == "y = 1\n"


def test_nothing_is_written_when_a_file_has_changed_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "models.py"
    path.write_text("x = 2\n")
    new = FileEdit(path=tmp_path / "new.py", before=None, after="y = 1\n")
    with pytest.raises(ConstraintRefused, match="has changed meanwhile; nothing was written"):
        edit(new, FileEdit(path=path, before="x = 1\n", after="x = 3\n")).write()
    assert path.read_text() == "x = 2\n"
    assert os.listdir(tmp_path) == ["models.py"]


def test_a_write_that_fails_half_way_leaves_every_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "models.py"
    path.write_text("x = 1\n")
    unreachable = FileEdit(path=tmp_path / "missing" / "new.py", before=None, after="y = 1\n")
    with pytest.raises(ConstraintRefused, match="all files are as they were"):
        edit(FileEdit(path=path, before="x = 1\n", after="x = 2\n"), unreachable).write()
    assert path.read_text() == "x = 1\n"
    assert os.listdir(tmp_path) == ["models.py"]


def test_a_character_that_the_encoding_lacks_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "models.py"
    path.write_text("x = 1\n")
    broken = FileEdit(path=path, before="x = 1\n", after="x = 'é'\n", encoding="ascii")
    with pytest.raises(UnicodeEncodeError):
        edit(broken).write()
    assert os.listdir(tmp_path) == ["models.py"]
    assert path.read_text() == "x = 1\n"


def test_a_diff_names_its_files_from_where_the_user_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    old = FileEdit(path=tmp_path / "app" / "models.py", before="x = 1", after="x = 2\n")
    new = FileEdit(path=tmp_path / "app" / "new.py", before=None, after="y = 1\n")
    assert edit(old, new).diff == (
        "--- a/app/models.py\n+++ b/app/models.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n"
        "--- /dev/null\n+++ b/app/new.py\n@@ -0,0 +1 @@\n+y = 1\n"
    )
