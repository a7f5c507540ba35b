"""The benchmarks' project with an admin, for the review page; merges are measured without."""

from __future__ import annotations

from testproject.settings import MIDDLEWARE, TEMPLATES

from .settings import *  # noqa: F403  # all settings are its names
from .settings import INSTALLED_APPS as WITHOUT_ADMIN

INSTALLED_APPS = [
    *WITHOUT_ADMIN,
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
]
ALLOWED_HOSTS = ["testserver"]
ROOT_URLCONF = "benchmarks.review_urls"
STATIC_URL = "static/"

__all__ = ["MIDDLEWARE", "TEMPLATES"]
