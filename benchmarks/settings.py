"""Settings of the benchmarks' own project; ``BENCH_URL`` is the database of one measurement."""

from __future__ import annotations

import os
from typing import Any

import dj_database_url

SECRET_KEY = "serves nobody"  # noqa: S105  # no secret: no server runs
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django_extensions",
    "dedupe_toolkit",
    "benchmarks.library",
]
MIGRATION_MODULES = {"library": None}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True

# the settings of a project that cares about speed; the same for every contestant
SQLITE_TUNED = (
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
    " PRAGMA cache_size=-262144; PRAGMA mmap_size=8589934592"
)


def database(url: str, *, is_tuned: bool = True) -> dict[str, Any]:
    """The entry of ``DATABASES`` for a URL."""
    config: dict[str, Any] = {**dj_database_url.parse(url)}
    if config["ENGINE"].endswith("sqlite3") and is_tuned:
        config["OPTIONS"] = {"init_command": SQLITE_TUNED}
    if config["ENGINE"].endswith("mysql"):
        config["OPTIONS"] = {"charset": "utf8mb4"}
    return config


DATABASES = {
    "default": database(
        os.environ.get("BENCH_URL", "sqlite:///:memory:"),
        is_tuned="BENCH_UNTUNED" not in os.environ,
    )
}
