"""Collects this suite only in its own project, where every library has to be there."""

from __future__ import annotations

from django.conf import settings

if "tests.real_apps" not in settings.INSTALLED_APPS:
    collect_ignore_glob = ["test_*.py"]
