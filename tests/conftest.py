"""What the suite collects, and which of it need not run once more for every version."""

from __future__ import annotations

import pytest
from django.conf import settings

collect_ignore = []
if not settings.DATABASES["default"]["ENGINE"].endswith("postgresql"):
    # one database's own types belong to that database alone
    collect_ignore.append("test_postgres.py")

SLOW = (
    "tests/cases/test_constraint.py",
    "tests/proof/",
    "tests/test_concurrency",
    "tests/test_demo.py",
    "tests/test_films_import.py",
    "tests/test_killed.py",
    "tests/test_race.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.startswith(SLOW):
            item.add_marker(pytest.mark.slow)
