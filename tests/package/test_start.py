"""Starting a process: what a project pays in each of them for having this app installed."""

from __future__ import annotations

import os
import subprocess
import sys

LISTED = "print(*sys.modules, sep='\\n', file=sys.stderr)"
SETUP = f"import sys, django; django.setup(); {LISTED}"
HELP = f"""
import sys
from django.core.management import execute_from_command_line
try:
    execute_from_command_line(["manage.py", "find_duplicates", "--help"])
finally:
    {LISTED}
"""


def imported(code: str) -> set[str]:
    """The modules of a process that has run the code."""
    done = subprocess.run(  # our own code
        [sys.executable, "-c", code],
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "benchmarks.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stderr.splitlines())


def parts(modules: set[str], *names: str) -> set[str]:
    return {m for m in modules for name in names if f"{m}.".startswith(f"{name}.")}


def test_setting_up_imports_no_engine_no_dialect_and_no_editor_of_source() -> None:
    found = imported(SETUP)
    unwanted = (
        "checks",
        "databases",
        "finding",
        "mapping",
        "planning",
        "references",
        "source",
        "operations",
        "management",
    )
    assert not parts(found, *(f"dedupe_toolkit.{name}" for name in unwanted), "libcst", "rich")


def test_the_help_of_find_duplicates_imports_neither_merge_nor_audit_nor_constraints() -> None:
    found = imported(HELP)
    assert "dedupe_toolkit.management.commands.find_duplicates" in found
    assert not parts(found, "dedupe_toolkit.source", "dedupe_toolkit.audit", "libcst")
    assert not parts(
        found, *(f"dedupe_toolkit.{name}" for name in ("merging", "planning", "finding.find"))
    )
