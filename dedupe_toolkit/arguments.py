"""What the verbs take, for callers who hand them something else: one sentence each."""

from __future__ import annotations

from typing import Any

from django.db.models import Model

from .errors import InvalidMatchKey, InvalidOption


def require_model(model: Any) -> None:
    """Raises `InvalidMatchKey` unless it is a model class that has a table of its own."""
    if not (isinstance(model, type) and issubclass(model, Model)):
        raise InvalidMatchKey(
            f"a model class is needed, not {_shown(model)}; django.apps.apps.get_model() finds one"
            " by its name"
        )
    options = model._meta
    if options.swapped:
        raise InvalidMatchKey(
            f"{options.label} is swapped out for {options.swapped}; use that model"
        )
    if options.abstract:
        raise InvalidMatchKey(f"{options.label} is abstract and has no rows; use a model below it")


def require_list(model: type[Model], what: str, given: Any, example: str) -> None:
    """Raises `InvalidMatchKey` for text or a single value where a list is meant."""
    if isinstance(given, str | bytes) or not hasattr(given, "__iter__"):
        raise InvalidMatchKey(
            f"{model._meta.label}: {what} must be a list, not {_shown(given)}: {example}"
        )


def require_kind(verb: str, given: Any, kinds: type | tuple[type, ...], meant: str) -> None:
    """Raises `InvalidOption` that says what a verb takes in place of what it was given."""
    if not isinstance(given, kinds):
        raise InvalidOption(f"{verb} takes {meant}, not {_shown(given)}")


def _shown(given: Any) -> str:
    if isinstance(given, type):
        return f"the class {given.__name__}"
    is_plain = given is None or isinstance(given, str | int)
    return repr(given) if is_plain else f"a {type(given).__name__}"
