"""Rows with values that a project's own code cannot read: all others are shown. Only reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import DatabaseError
from django.db.models import F, TextField
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from django.db.models import QuerySet

_TEXT = "dedupe_text_{}"


@dataclass(frozen=True)
class Unreadable:
    """Stands for such a value: ``text`` is what the database has, so that two can be compared."""

    text: str

    def __str__(self) -> str:
        return _("(cannot be shown)")


def read_rows(rows: QuerySet[Any]) -> list[Any]:
    """The rows. What cannot be read of them is `Unreadable`; a statement more for each field then.

    Raises what the database says, and what a key that cannot be read raises.
    """
    try:
        return list(rows)
    except DatabaseError:
        raise
    except Exception:  # fields of a project raise what they like
        names = _unreadable(rows)
        if not names:
            raise
        return _without(rows, names)


def _unreadable(rows: QuerySet[Any]) -> list[str]:
    fields = rows.model._meta.concrete_fields
    return [f.attname for f in fields if not f.primary_key and not _can_be_read(rows, f.attname)]


def _can_be_read(rows: QuerySet[Any], name: str) -> bool:
    try:
        list(rows.order_by().values_list(name, flat=True))
    except DatabaseError:
        raise
    except Exception:  # as above
        return False
    return True


def _without(rows: QuerySet[Any], names: list[str]) -> list[Any]:
    texts = {_TEXT.format(name): Cast(F(name), TextField()) for name in names}
    found = list(rows.defer(*names).annotate(**texts))
    for row in found:
        for name in names:
            text = row.__dict__.pop(_TEXT.format(name))
            row.__dict__[name] = None if text is None else Unreadable(text)
    return found
