"""Notes on code that means something to be unique, of which the database knows nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from dedupe_toolkit import audit_get_or_create
from tests.situations import audited

pytestmark = pytest.mark.django_db(databases=["default", "other"])


def test_checks_and_ignored_conflicts_are_noted_where_nothing_is_unique() -> None:
    text = Path(audited.__file__).with_name("weaker.py").read_text(encoding="utf-8")
    expected = {n for n, line in enumerate(text.splitlines(), 1) if "# Loose" in line}
    notes = audit_get_or_create("audited", everything=True).notes
    found = {one.line: one.text for one in notes if one.path.endswith("weaker.py")}
    assert set(found) == expected
    assert sorted(found.values()) == [
        "a check before saving is no constraint: audited.Loose by key is not unique in the"
        " database",
        "ignore_conflicts ignores nothing: only the primary key of audited.Loose is unique",
    ]


def test_notes_in_tests_are_left_out() -> None:
    assert audit_get_or_create("audited").notes == ()
