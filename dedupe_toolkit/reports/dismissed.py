"""Dismissed groups as a table for people, as JSON or CSV for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.timezone import is_aware, localtime

from .formats import as_csv

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..models import DismissedGroup

COLUMNS = ("number", "model", "key", "rows", "by", "dismissed", "note")
NUMBERS = ("number",)


def dismissed_document(groups: Iterable[DismissedGroup]) -> dict[str, Any]:
    return {"dismissed_groups": [_as_plain(group) for group in groups]}


def dismissed_csv(groups: Iterable[DismissedGroup]) -> str:
    rows = [
        one
        | {"fields": " ".join(one["fields"]), "rows": " ".join(one["rows"])}
        | {"dismissed": one["dismissed"].isoformat()}
        for one in map(_as_plain, groups)
    ]
    return as_csv(rows, ("number", "model", "fields", "rows", "by", "dismissed", "note"))


def dismissed_cells(group: DismissedGroup) -> list[str]:
    """One dismissed group under `COLUMNS`."""
    dismissed = group.dismissed
    dismissed = localtime(dismissed) if is_aware(dismissed) else dismissed
    return [
        str(group.pk),
        group.model,
        ", ".join(_fields(group)) or "every key",
        ", ".join(_rows(group)),
        group.by,
        f"{dismissed:%Y-%m-%d %H:%M}",
        group.note,
    ]


def _as_plain(group: DismissedGroup) -> dict[str, Any]:
    return {
        "number": group.pk,
        "model": group.model,
        "fields": _fields(group),
        "rows": _rows(group),
        "by": group.by,
        "dismissed": group.dismissed,
        "note": group.note,
    }


def _fields(group: DismissedGroup) -> list[str]:
    return group.fields.split(",") if group.fields else []


def _rows(group: DismissedGroup) -> list[str]:
    return [row.row for row in group.rows.all()]
