"""Models, fields and references as a project calls them, in the reader's language."""

from __future__ import annotations

from typing import Any
from unicodedata import bidirectional

from django.apps import apps
from django.db.models import Model
from django.utils.text import capfirst


def model_words(label: str) -> str:
    """What the rows of a model are called; the label of a model that is gone."""
    model = find_model(label)
    return label if model is None else str(capfirst(model._meta.verbose_name_plural))


def row_words(row: Model) -> str:
    """What a project calls a row; the model and the key where its own code cannot say it."""
    try:
        return str(row)
    except Exception:  # a project's own code raises what it likes
        return Model.__str__(row)


_TURNS = {"R", "AL", "RLE", "RLO", "LRE", "LRO", "RLI", "LRI"}


def within(name: str) -> str:
    """A name as it stands in a sentence: what turns the direction of writing turns no more.

    The numbers beside an Arabic name would else change places with it.
    """
    if _TURNS.isdisjoint(map(bidirectional, name)):
        return name
    return f"\N{FIRST STRONG ISOLATE}{name}\N{POP DIRECTIONAL ISOLATE}"


LONGEST_NAME = 254
"""Characters of a user's name that are kept."""


def user_name(by: Any) -> str:
    """Who does something, as it is kept: a user, of whom a project may know no text, or a name."""
    named = by.get_username() if hasattr(by, "get_username") else by
    return str(named)[:LONGEST_NAME]


def field_words(label: str, name: str) -> str:
    """What a field, or the field of a column, is called; its name where the model has no such."""
    model = find_model(label)
    for field in () if model is None else model._meta.get_fields():
        if name in (field.name, getattr(field, "column", None)):
            return str(getattr(field, "verbose_name", name))
    return name


def reference_words(label: str) -> str:
    """A reference by its rows and its field; one that is no field of a model by its own name."""
    owner, _dot, name = label.rpartition(".")
    model = find_model(owner)
    if model is None:
        return label
    rows = model_words(owner)
    if model._meta.auto_created:  # there is nothing to tell its two fields apart by
        return rows
    return f"{rows} ({field_words(owner, name)})"


def find_model(label: str) -> type[Model] | None:
    """The model of that label; None for one that is gone."""
    try:
        return apps.get_model(label)
    except (LookupError, ValueError):
        return None
