"""A project that does not install Django's admin has the commands all the same."""

from __future__ import annotations

import subprocess
import sys

from tests.commands.terminal import ROOT

PROJECT = """
from django.conf import settings

settings.configure(
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "dedupe_toolkit"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    USE_TZ=True,
)

import django
from django.core.management import call_command

django.setup()
call_command("check")
call_command("migrate", verbosity=0)

from django.contrib.auth.models import User

for name in ("ann", "bob"):
    User.objects.create(username=name, email="us@example.org")
call_command("merge_duplicates", "auth.User", fields=["email"], interactive=False)
print("left:", User.objects.count())
"""


def test_a_project_without_the_admin_is_checked_and_its_rows_are_merged() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROJECT], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "left: 1"
