"""A Django project of its own, in a folder and a database that are gone after the test."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pexpect

from . import forking

CONCURRENTLY = "SchemaEditorClass.sql_create_index_concurrently"
PATIENCE = 60
_ABILITIES: dict[str, bool] = {}
"""What the database of this run can do; all its projects are on the same."""
ROOT = Path(__file__).parent.parent.parent

SETTINGS = """\
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent
SECRET_KEY = "only for a test"
INSTALLED_APPS = ["django.contrib.contenttypes", "dedupe_toolkit", "shop", "vendor"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
DATABASES = {{"default": {database!r}}}
"""

MANAGE = """\
import sys

from django.core.management import execute_from_command_line

execute_from_command_line(sys.argv)
"""

SHOP = """\
# the shop
from django.db import models


class Timed(models.Model):
    changed = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True
        ordering = ["changed"]


class Item(models.Model):
    name = models.CharField(max_length=50)  # as on the box
    code = models.CharField(max_length=20, blank=True)
    year = models.IntegerField(null=True)
    is_gone = models.BooleanField(default=False)

    def __str__(self):
        return self.name


class Special(Item):
    extra = models.CharField(max_length=20)


class Shown(Item):
    class Meta:
        proxy = True


class Tag(Timed):
    item = models.ForeignKey(Item, models.CASCADE)
    name = models.CharField(max_length=50)


class Place(models.Model):
    row = models.IntegerField()
    seat = models.IntegerField()
    block = models.IntegerField(default=0)

    class Meta:
        unique_together = ("row", "seat")


class Price(models.Model):
    item = models.ForeignKey(Item, models.CASCADE)
    amount = models.IntegerField()

    class Meta:
        constraints = [
            # nothing is free
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="shop_not_free"),
        ]


class Legacy(models.Model):
    name = models.CharField(max_length=50)

    class Meta:
        managed = False
"""

VENDOR = """\
from django.db import models


class Account(models.Model):
    email = models.CharField(max_length=50)
    nick = models.CharField(max_length=50, default="")
"""

CHECKED = """
import django
django.setup()
from django.apps import apps
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

def make(label, **values):
    apps.get_model(label).objects.create(**values)

def fails(label, **values):
    try:
        with transaction.atomic():
            make(label, **values)
    except IntegrityError:
        return True
    return False

"""


@dataclass(frozen=True, kw_only=True)
class Project:
    """Runs commands and Python in a process of their own, as a person in a shell would."""

    folder: Path

    def manage(self, *args: str) -> subprocess.CompletedProcess[str]:
        return self._run("manage.py", *args)

    def must(self, *args: str) -> str:
        """The output of a command that has to succeed."""
        done = self.manage(*args)
        assert done.returncode == 0, f"{' '.join(args)}\n{done.stdout}{done.stderr}"
        return done.stdout

    def python(self, code: str) -> str:
        """The output of Python code that starts with `CHECKED`."""
        done = self._run("-c", CHECKED + code)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def refuses(self, *args: str) -> str:
        """The error of a command that fails with code 1, one line, and writes nothing."""
        before = self.files()
        done = self.manage(*args)
        assert done.returncode == 1, done.stdout + done.stderr
        assert self.files() == before
        assert done.stderr.count("\n") == 1, done.stderr
        return done.stderr.removeprefix("CommandError: ").rstrip("\n")

    def at_terminal(self, *args: str, columns: int) -> tuple[int | None, str]:
        """The exit code of a command at a terminal so wide, and what it shows, colours and all."""
        child = self.begun_at_terminal(*args, columns=columns)
        child.expect(pexpect.EOF)
        child.close()
        return child.exitstatus, child.before or ""

    def begun_at_terminal(self, *args: str, columns: int = 80) -> pexpect.spawn[str]:
        """A command at a terminal, for a person to answer it."""
        return pexpect.spawn(
            sys.executable,
            ["manage.py", *args],
            cwd=str(self.folder),
            env={name: value for name, value in self._environment.items() if name != "COLUMNS"},
            dimensions=(40, columns),
            encoding="utf-8",
            timeout=PATIENCE,
        )

    def has(self, ability: str) -> bool:
        """Whether the database connection has something, such as a feature."""
        if ability not in _ABILITIES:
            code = (
                f"from operator import attrgetter\nprint(bool(attrgetter({ability!r})(connection)))"
            )
            with suppress(AssertionError):
                _ABILITIES[ability] = self.python(code) == "True\n"
        return _ABILITIES.setdefault(ability, False)

    def files(self) -> dict[str, str]:
        found = sorted(self.folder.rglob("*.py"))
        return {str(path.relative_to(self.folder)): path.read_text() for path in found}

    @property
    def models(self) -> str:
        return (self.folder / "shop" / "models.py").read_text()

    def migrations(self, app: str = "shop") -> dict[str, str]:
        folder = self.folder / app / "migrations"
        return {p.stem: p.read_text() for p in sorted(folder.glob("0*.py"))}

    def start(self, *args: str) -> subprocess.Popen[str]:
        """A command of manage.py that has begun."""
        return subprocess.Popen(
            [sys.executable, "manage.py", *args],
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    @property
    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "settings",
            "PYTHONPATH": os.pathsep.join(
                [str(self.folder), str(self.folder / "site-packages"), str(ROOT)]
            ),
            "PYTHONDONTWRITEBYTECODE": "1",
            "COLUMNS": "80",
        }

    def _run(self, *args: str) -> subprocess.CompletedProcess[str]:
        done: subprocess.CompletedProcess[str]
        done = forking.run([*args], self.folder, self._environment)
        return done


def create(folder: Path, database: dict[str, Any]) -> Project:
    """The files of a new project, with the first migrations of its apps."""
    apps = {"shop": SHOP, "site-packages/vendor": VENDOR}
    for app, models in apps.items():
        migrations = folder / app / "migrations"
        migrations.mkdir(parents=True)
        (migrations / "__init__.py").touch()
        (folder / app / "__init__.py").touch()
        (folder / app / "models.py").write_text(models)
    (folder / "manage.py").write_text(MANAGE)
    point_at(folder, database)
    project = Project(folder=folder)
    project.must("makemigrations", "shop", "vendor")
    return project


def point_at(folder: Path, database: dict[str, Any]) -> None:
    (folder / "settings.py").write_text(SETTINGS.format(database=database))
