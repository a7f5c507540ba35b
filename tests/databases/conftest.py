"""One database's own types belong to that database alone."""

from __future__ import annotations

from django.conf import settings

collect_ignore = []
if not settings.DATABASES["default"]["ENGINE"].endswith("postgresql"):
    collect_ignore.append("test_postgres.py")
