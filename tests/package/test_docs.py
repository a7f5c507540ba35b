"""Everything a user can set, call or be told has its place in the documentation."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class
from django.core.management.base import DjangoHelpFormatter
from django.dispatch import Signal

import dedupe_toolkit
from dedupe_toolkit.databases.base import Database
from dedupe_toolkit.databases.sqlite import SQLite
from tests.package.pages import page

PACKAGE = Path(dedupe_toolkit.__file__).parent

COMMANDS = sorted(name for name, app in get_commands().items() if app == "dedupe_toolkit")
DJANGOS_OWN = DjangoHelpFormatter.show_last  # options every management command has


def section(text: str, title: str) -> str:
    """The text under a second-level heading, up to the next one."""
    found = re.search(rf"^## `?{re.escape(title)}`?$(.*?)(?=^## |\Z)", text, re.M | re.S)
    assert found, f"no section of its own for {title}"
    return found[1]


def options_of(command: str) -> list[set[str]]:
    """The options and arguments that a command adds to Django's own, each with its spellings."""
    parser = load_command_class("dedupe_toolkit", command).create_parser("manage.py", command)
    every = [set(action.option_strings) or {str(action.metavar)} for action in parser._actions]
    return [spellings for spellings in every if not spellings & {*DJANGOS_OWN, "--help"}]


def test_the_default_batch_sizes_are_documented() -> None:
    text = section(page("commands.md"), "merge_duplicates")
    servers, files = Database.batch_size, SQLite.batch_size
    assert f"at most {servers:,} (SQLite: {files:,})" in " ".join(text.split())


def system_check_ids() -> list[str]:
    source = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    return sorted(set(re.findall(r"dedupe_toolkit\.[EWI]\d{3}", source)))


def settings() -> list[str]:
    source = PACKAGE / "conf.py"
    found = re.findall(r"\bDEDUPE_[A-Z_]+\b", source.read_text("utf-8") if source.exists() else "")
    return sorted(set(found))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_each_of_its_options_is_documented(command: str) -> None:
    text = section(page("commands.md"), command)
    for spellings in options_of(command):
        documented = any(f"`{name}" in text for name in spellings)
        assert documented, f"{command} {min(spellings)} is not in docs/reference/commands.md"


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_is_documented_with_an_option_it_does_not_have(command: str) -> None:
    text = section(page("commands.md"), command)
    entries = re.findall(r"^`(--[a-z-]+)", text, re.M)
    unknown = sorted(set(entries).difference(DJANGOS_OWN, *options_of(command)))
    assert not unknown, f"{command} has no {', '.join(unknown)}"


def test_every_setting_is_documented() -> None:
    for setting in settings():
        assert section(page("settings.md"), setting).strip()


def test_every_system_check_is_documented() -> None:
    for check in system_check_ids():
        assert section(page("checks.md"), check).strip()


def test_every_public_name_is_documented() -> None:
    missing = [name for name in dedupe_toolkit.__all__ if f"`{name}" not in page("python.md")]
    assert not missing, f"{', '.join(missing)} not in docs/reference/python.md"


def test_every_signal_is_documented() -> None:
    signals = importlib.import_module("dedupe_toolkit.signals")
    names = [name for name, value in inspect.getmembers(signals) if isinstance(value, Signal)]
    missing = [name for name in names if f"`{name}`" not in page("signals.md")]
    assert not missing, f"{', '.join(missing)} not in docs/reference/signals.md"
