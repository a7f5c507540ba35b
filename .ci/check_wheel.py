"""Use the installed wheel as a new project would: import, check, migrate, run every command."""

from __future__ import annotations

from importlib.resources import files

import django
from django.core.management import call_command, get_commands, load_command_class

django.setup()

import dedupe_toolkit

package = files(dedupe_toolkit)
assert "site-packages" in str(package), f"not the installed wheel but {package}"
assert package.joinpath("py.typed").is_file(), "the wheel says nothing of its types"
for folder in ("templates", "static", "locale", "migrations"):
    assert package.joinpath(folder).is_dir(), f"the wheel lacks {folder}/"
for name in dedupe_toolkit.__all__:
    getattr(dedupe_toolkit, name)

call_command("check", fail_level="WARNING")
call_command("makemigrations", check_changes=True, dry_run=True)
call_command("migrate", verbosity=0)

commands = sorted(name for name, app in get_commands().items() if app == "dedupe_toolkit")
assert "find_duplicates" in commands, "the wheel lacks the commands"
for command in commands:
    load_command_class("dedupe_toolkit", command).create_parser("django-admin", command)
call_command("find_duplicates", "auth.User", "--fields", "email")
print("the wheel works:", *commands)
