"""Settings under which `make screenshots` takes its pictures; ``LOOK`` names a theme, if any."""

from __future__ import annotations

import os

from testproject.settings import *  # noqa: F403
from testproject.settings import INSTALLED_APPS, TEMPLATES

DEBUG = False
LOOK = os.environ.get("LOOK", "")
THEMES = {"unfold": ["unfold"], "jazzmin": ["jazzmin"]}
"""What stands before Django's admin in ``INSTALLED_APPS``."""

THEME = THEMES.get(LOOK, [])
INSTALLED_APPS = [*THEME, *INSTALLED_APPS]
TEMPLATES = [{**TEMPLATES[0], "DIRS": []}]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
JAZZMIN_UI_TWEAKS = {"dark_mode_theme": "darkly"}
