"""The benchmarks' project with a large schema in place of the library."""

from __future__ import annotations

from .settings import *  # noqa: F403  # all settings are its names
from .settings import INSTALLED_APPS as WITH_LIBRARY

INSTALLED_APPS = [*WITH_LIBRARY, "benchmarks.wide"]
MIGRATION_MODULES = {"library": None, "wide": None}
