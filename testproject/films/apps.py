from __future__ import annotations

from django.apps import AppConfig


class FilmsConfig(AppConfig):
    name = "testproject.films"
