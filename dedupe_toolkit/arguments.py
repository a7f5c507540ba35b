"""What the verbs take, for callers who hand them something else: one sentence each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import wraps
from inspect import signature
from numbers import Real
from pathlib import Path
from types import NoneType
from typing import Any, ParamSpec, TypeVar

from django.db.models import Model

from .errors import InvalidMatchKey, InvalidOption

MOST_ROWS = 2**62
"""More than there can be, and a number that every database takes."""

P = ParamSpec("P")
T = TypeVar("T")

_TEXT, _NUMBER = ((str, NoneType), "a text or None"), ((int, NoneType), "a whole number or None")
_KINDS: dict[str, tuple[tuple[Any, ...], str]] = {
    "using": ((str,), "the alias of a database"),
    "limit": _NUMBER,
    "batch_size": _NUMBER,
    "processes": ((int,), "a whole number"),
    "calls": ((int,), "a whole number"),
    "wait": ((Real,), "a number of seconds"),
    "max_lag": ((Real, NoneType), "a number of seconds or None"),
    **dict.fromkeys(
        ("batch_seconds", "pause", "lock_timeout"),
        ((Real, NoneType), "a number of seconds or None"),
    ),
    "stop": ((Callable, NoneType), "a function or None"),
    "replicas": ((Iterable,), "a list of aliases"),
    "survivors": ((Iterable, NoneType), "a list of primary keys or None"),
    "before": ((datetime,), "a datetime"),
    "note": ((str,), "a text"),
    "name": _TEXT,
    "into_app": _TEXT,
    "style": _TEXT,
    "baseline": ((str, Path, NoneType), "a path or None"),
    "observed": ((str, Path, NoneType), "a path or None"),
    "where": ((Mapping, NoneType), 'lookups with their values, {"active": True}, or None'),
    "field_rules": ((Mapping, NoneType), "rules by the names of fields"),
    "collisions": ((Mapping, NoneType), "rules by the names of references"),
    "together": ((Iterable, NoneType), "names of fields"),
    "progress": ((Callable, NoneType), "a function or None"),
}
"""What an argument of a public function is, by its name: the same in all of them."""


def checking_arguments(function: Callable[P, T]) -> Callable[P, T]:
    """A public function that says which of its arguments is of a kind that it cannot take.

    Raises `InvalidOption` for one that `_KINDS` knows.
    """
    told = signature(function)

    @wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> T:
        # what Python itself has against a call, the function says better
        with suppress(TypeError):
            require_kinds(f"{function.__name__}()", told.bind(*args, **kwargs).arguments)
        return function(*args, **kwargs)

    return checked


def require_kinds(what: str, given: Mapping[str, Any]) -> None:
    """Raises `InvalidOption` for a value under a name of `_KINDS` that is of another kind."""
    for name in given.keys() & _KINDS.keys():
        kinds, meant = _KINDS[name]
        # True is a number only to Python, and a text a list only of its letters
        is_disguised = isinstance(given[name], bool | str) and not {bool, str} & {*kinds}
        if is_disguised or not isinstance(given[name], kinds):
            raise InvalidOption(f"{what}: {name} is {meant}, not {shown(given[name])}")


def require_model(model: Any) -> None:
    """Raises `InvalidMatchKey` unless it is a model class that has a table of its own."""
    if not (isinstance(model, type) and issubclass(model, Model)):
        raise InvalidMatchKey(
            f"a model class is needed, not {shown(model)}; django.apps.apps.get_model() finds one"
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
            f"{model._meta.label}: {what} must be a list, not {shown(given)}: {example}"
        )


def require_kind(verb: str, given: Any, kinds: type | tuple[type, ...], meant: str) -> None:
    """Raises `InvalidOption` that says what a verb takes in place of what it was given."""
    if not isinstance(given, kinds):
        raise InvalidOption(f"{verb} takes {meant}, not {shown(given)}")


def shown(given: Any) -> str:
    """What somebody has given, for a message."""
    if isinstance(given, type):
        return f"the class {given.__name__}"
    is_plain = given is None or isinstance(given, str | int)
    return repr(given) if is_plain else f"a {type(given).__name__}"
