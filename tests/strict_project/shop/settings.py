from __future__ import annotations

SECRET_KEY = "for type checking only"
INSTALLED_APPS = ["django.contrib.contenttypes", "dedupe_toolkit", "shop"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
