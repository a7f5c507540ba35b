"""Checks that are no constraints, and conflicts that cannot be. Read, never run."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError

from .models import Coded, Loose


class Form:
    def clean_key(self, key: str) -> None:
        if Loose.objects.filter(key=key).exists():  # Loose by key
            raise ValidationError("taken")
        if Coded.objects.filter(key=key).exists():
            raise ValidationError("taken")

    def shown(self, key: str) -> None:
        if Loose.objects.filter(key=key).exists():
            raise ValueError("taken")


def many(rows: list[Any]) -> None:
    Loose.objects.bulk_create(rows, ignore_conflicts=True)  # Loose is
    Coded.objects.bulk_create(rows, ignore_conflicts=True)
    Loose.objects.bulk_create(rows)
