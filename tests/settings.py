"""Settings of the test suite: the test project, a second database and the situation apps.

``DATABASE_URL`` chooses the database engine. Test databases are created and dropped by the
test runner; the database that the URL names is never touched.
"""

from __future__ import annotations

import os
import tempfile
from copy import deepcopy
from pathlib import Path

import django

from testproject.settings import *  # noqa: F403
from testproject.settings import DATABASES, INSTALLED_APPS, MIDDLEWARE

SITUATION_APPS = [
    f"tests.situations.{name}"
    for name in (
        "audited",
        "blanks",
        "circle",
        "declared",
        "drawn",
        "family",
        "generic",
        "indexes",
        "joined",
        "keyed",
        "links",
        "measured",
        "moving",
        "named",
        "objects",
        "odd",
        "proof",
        "rivals",
        "ruled",
        "spelled",
        "ties",
        "together",
        "typed",
        "wide",
    )
]
"""The small apps of ``tests.situations``, one for each situation that needs its own models."""

if DATABASES["default"]["ENGINE"].endswith("postgresql"):
    SITUATION_APPS += [
        "django.contrib.postgres",
        "tests.situations.arrays",
        "tests.situations.hstore",
    ]
INSTALLED_APPS = ["tests.flushing", *INSTALLED_APPS, *SITUATION_APPS]
# every page of the suite comes with a policy under which nothing written into it runs
HAS_POLICIES = django.VERSION >= (6, 0)
POLICY = "django.middleware.csp.ContentSecurityPolicyMiddleware"
MIDDLEWARE = [POLICY if HAS_POLICIES else "tests.admin.policy.StrictPolicy", *MIDDLEWARE]
SECURE_CSP = {
    "default-src": ["'self'"],
    "script-src": ["'self'"],
    "img-src": ["'self'", "data:"],
    "object-src": ["'none'"],
    "base-uri": ["'none'"],
}
DEBUG = False
# conditions and expressions that a database cannot enforce are situations too
SILENCED_SYSTEM_CHECKS = ["models.W036", "models.W038", "models.W044", "models.W047"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def _other_name(name: str) -> str:
    """Of the database beside that one, found in the processes of a test as well."""
    path = Path(name)
    return str(path.with_name(f"other_{path.name}"))


def _test_name() -> str:
    """The name of the test database; for SQLite a file, since other processes open it too."""
    if not DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        return f"test_{DATABASES['default']['NAME']}"
    # The number keeps two test runs apart; their files are deleted with the test databases.
    return str(Path(tempfile.gettempdir()) / f"dedupe_toolkit_{os.getpid()}.sqlite3")


DATABASES = {"default": DATABASES["default"], "other": deepcopy(DATABASES["default"])}
DATABASES["default"]["TEST"] = {"NAME": _test_name()}
DATABASES["other"]["NAME"] = _other_name(str(DATABASES["default"]["NAME"]))
DATABASES["other"]["TEST"] = {"NAME": _other_name(_test_name())}
