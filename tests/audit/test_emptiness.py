"""What an audit keeps of the files in which it has nothing to judge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dedupe_toolkit import audit_get_or_create
from dedupe_toolkit.audit import modules
from dedupe_toolkit.audit.calls import METHODS
from dedupe_toolkit.audit.emptiness import Empty, has_nothing

if TYPE_CHECKING:
    from pathlib import Path

NOTHING = [
    "kwargs.get('key')\nAuthor.objects.create(name=key)\n",
    "if not Author.objects.filter(name=key).first():\n    print(key)\n",
    "row = Author.objects.filter(name=key).first() or default\n",
]
SOMETHING = [
    "Author.objects.get_or_create(name=key)\n",
    "manager.aupdate_or_create\n",
    "class Meta:\n    django_get_or_create = ['name']\n",
    "if not rows.filter(name=key).count():\n    rows.create(name=key)\n",
    "try:\n    row = rows.get(name=key)\nexcept DoesNotExist:\n    row = Author(name=key)\n",
    "rows.bulk_create(authors, ignore_conflicts=True)\n",
    "if rows.filter(name=key).exists():\n    raise ValidationError\n",
]


def parsed(text: str, folder: Path) -> modules.Module:
    path = folder / "module.py"
    path.write_text(text, encoding="utf-8")
    return modules.parsed("module", path)


@pytest.mark.parametrize("text", NOTHING)
def test_a_file_without_a_call_or_a_form_has_nothing(text: str, tmp_path: Path) -> None:
    assert has_nothing(parsed(text, tmp_path), METHODS)


@pytest.mark.parametrize("text", SOMETHING)
def test_whatever_may_be_a_finding_is_something(text: str, tmp_path: Path) -> None:
    assert not has_nothing(parsed(text, tmp_path), METHODS)


def test_what_is_kept_goes_by_the_bytes_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first = Empty()
    first.add(b"pass")
    first.keep()
    second = Empty()
    assert second.has(b"pass")
    assert not second.has(b"pass\n")
    second.keep()
    Empty().keep()
    assert not Empty().has(b"pass"), "what the last audit did not meet is forgotten"


def test_a_folder_that_cannot_be_written_is_no_reason_to_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "taken").write_text("", encoding="utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "taken"))
    empty = Empty()
    empty.add(b"pass")
    empty.keep()
    assert not Empty().has(b"pass")


@pytest.mark.django_db(databases=["default", "other"])
def test_the_second_audit_finds_what_the_first_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first = audit_get_or_create("audited", "dedupe_toolkit", everything=True)
    assert list(tmp_path.glob("dedupe_toolkit/*.json"))
    assert audit_get_or_create("audited", "dedupe_toolkit", everything=True) == first
