"""The options that describe a match key: the same words, with the same meaning, in every command.

Values are checked here and not by argparse, which would print its usage and exit with 2.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import (
    BooleanField,
    FloatField,
    ForeignKey,
    IntegerField,
    JSONField,
    Model,
)

from ..errors import InvalidMatchKey, InvalidOption
from ..keys import check_alias, match_key, resolve_model
from ..suggest import nearest
from ..values import Blanks, MatchKey, Nulls

if TYPE_CHECKING:
    from argparse import _ArgumentGroup
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from django.core.management.base import CommandParser

_DURATION = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)([smh])")
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_LISTS = ("in", "range")
_REFINING: dict[str, Any] = {
    "nulls": Nulls.DISTINCT.value,
    "blanks": Blanks.EQUAL.value,
    "where": [],
    "ignore_case": False,
    "ignore_space": False,
}
_LITERALS: dict[Any, Callable[[str], Any]] = {
    IntegerField: int,
    FloatField: float,
    JSONField: json.loads,
}
_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def add_key_arguments(parser: CommandParser) -> None:
    """Add ``--fields`` and everything that refines it, and ``--database``."""
    group = parser.add_argument_group("match key")
    fields = "Key fields, each optionally with transforms: email__lower, name__trim__lower."
    add_options(group, {"--fields F [F …]": fields})
    group.add_argument(
        "--nulls",
        default=Nulls.DISTINCT.value,
        metavar="|".join(Nulls),
        help="Whether two NULLs are equal (default: distinct, as in a plain unique constraint).",
    )
    group.add_argument(
        "--blanks",
        default=Blanks.EQUAL.value,
        metavar="|".join(reversed(Blanks)),
        help="Whether two empty strings are equal (default: equal).",
    )
    group.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="LOOKUP=VALUE",
        help="Consider only the rows that filter(LOOKUP=VALUE) gives; can be repeated.",
    )
    refining = {
        "--ignore-case": "Add lower to every text field of the key.",
        "--ignore-space": "Add collapse to every text field of the key.",
    }
    add_options(group, refining)
    add_database(parser)


def add_model(parser: CommandParser, **how: Any) -> None:
    """Add ``MODEL``."""
    parser.add_argument("model", metavar="MODEL", help="The model: app_label.ModelName.", **how)


def add_options(parser: CommandParser | _ArgumentGroup, options: Mapping[str, str]) -> None:
    """Add options, each by its usage and its help; what takes no value is a flag.

    ``"--limit N"`` takes one value, ``"--pks PK [PK …]"`` several, ``"--dry-run"`` none.
    """
    for usage, text in options.items():
        name, *values = usage.split()
        if values:
            nargs = "+" if values[1:] else None
            parser.add_argument(name, metavar=values[0], nargs=nargs, help=text)
        else:
            parser.add_argument(name, action="store_true", help=text)


def add_limit(parser: CommandParser, listed: str) -> None:
    """Add ``--limit``, of what is listed."""
    text = f"{listed} to list (default: 20; 0: all)."
    parser.add_argument("--limit", default=20, metavar="N", help=text)


def add_database(parser: CommandParser | _ArgumentGroup) -> None:
    """Add ``--database``."""
    parser.add_argument(
        "--database", default="default", metavar="ALIAS", help="The database (default: default)."
    )


def add_format(parser: CommandParser, shapes: Iterable[str]) -> None:
    """Add ``--format``, of which a table is the default."""
    parser.add_argument(
        "--format",
        default="table",
        metavar="|".join(shapes),
        help="How to print (default: table).",
    )


def add_no_input(parser: CommandParser) -> None:
    """Add ``--no-input``, under the name that Django's own commands give it."""
    parser.add_argument(
        "--no-input",
        "--noinput",
        action="store_false",
        dest="interactive",
        help="Do not ask for confirmation.",
    )


def key_from_options(options: Mapping[str, Any]) -> MatchKey:
    """The match key that ``MODEL``, ``--fields`` and the rest describe, every part checked.

    Raises `InvalidMatchKey` or `InvalidOption`, naming what is wrong and the nearest names.
    """
    check_alias(options["database"])
    model = resolve_model(options["model"])
    return match_key(
        model,
        options["fields"] or (),
        nulls=one_of("--nulls", options["nulls"], Nulls),
        blanks=one_of("--blanks", options["blanks"], Blanks),
        where=where_from(model, options["where"]),
        ignore_case=options["ignore_case"],
        ignore_space=options["ignore_space"],
    )


def keys_from_options(options: Mapping[str, Any]) -> tuple[MatchKey, ...]:
    """The key named by ``--fields``, or else those known of the model, or of all models.

    Known are the declared keys, and what the last audit found unsafe calls to look up.

    Raises `InvalidMatchKey`, with the line to type, when none is named and none declared.
    """
    from ..audit.memory import known_keys  # not for the help

    check_alias(options["database"])
    if options["fields"] and options["model"]:
        return (key_from_options(options),)
    if options["fields"]:
        raise InvalidOption("--fields names fields of a model: MODEL --fields F [F …]")
    refuse_refining(options, "goes with --fields: it says more of the key that is named there")
    model = resolve_model(options["model"]) if options["model"] else None
    keys = known_keys(options["database"], model)
    if not keys and model is not None:
        raise InvalidMatchKey(
            f"{model._meta.label} has no declared keys, and the last audit found none: name one"
            " with --fields F [F …]"
        )
    if not keys:
        raise InvalidMatchKey(
            "no keys are declared, and the last audit found none: name one as MODEL --fields F"
            " [F …], or run audit_get_or_create"
        )
    return keys


def refuse_refining(options: Mapping[str, Any], reason: str) -> None:
    """Raises `InvalidOption` for an option that says more of a key where no key is named.

    Left unheard, ``--where`` would let all rows be merged.
    """
    for name, default in _REFINING.items():
        if options[name] != default:
            raise InvalidOption(f"--{name.replace('_', '-')} {reason}")


def one_of(option: str, value: str, known: Iterable[str]) -> str:
    """The value, if it is one of those known; else `InvalidOption` with the nearest."""
    choices = [str(choice) for choice in known]
    if value in choices:
        return value
    raise InvalidOption(f"{option} takes {_or(choices)}, not {value!r}{nearest(value, choices)}")


def whole_number(option: str, value: str | int, *, least: int = 0) -> int:
    """The value as a whole number that is not below ``least``; else `InvalidOption`."""
    try:
        number = int(value)
    except ValueError:
        number = least - 1
    if number < least:
        raise InvalidOption(f"{option} takes a whole number from {least}, not {value!r}")
    return number


def duration(option: str, text: str) -> float:
    """``5s``, ``0.5s``, ``2m``, ``1h`` as seconds; else `InvalidOption`."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise InvalidOption(f"{option} takes a time such as 5s, 0.5s, 2m or 1h, not {text!r}")
    return float(found[1]) * _SECONDS[found[2]]


def where_from(model: type[Model], conditions: Sequence[str]) -> dict[str, Any]:
    """``["active=true", "year__in=2019,2020"]`` as the keyword arguments of ``filter()``."""
    where: dict[str, Any] = {}
    for condition in conditions:
        lookup, equals, text = condition.partition("=")
        if not (lookup and equals):
            raise InvalidOption(f"--where takes LOOKUP=VALUE, not {condition!r}")
        if lookup in where:
            raise InvalidOption(f"--where is given twice for {lookup!r}")
        where[lookup] = _value(model, lookup, text)
    return where


def _value(model: type[Model], lookup: str, text: str) -> Any:
    last = lookup.split("__")[-1]
    field = None if last == "isnull" else _field_at_end(model, lookup)
    try:
        if last == "isnull":
            return _BOOLEANS[text.lower()]
        if last in _LISTS:
            return [_scalar(field, part.strip()) for part in text.split(",")]
        return _scalar(field, text)
    except KeyError:
        raise InvalidMatchKey(
            f"{model._meta.label}: cannot filter by {lookup}={text!r}: it takes true or false"
        ) from None


def _scalar(field: Any, text: str) -> Any:
    """The value as Python source would write it; what has no literal of its own stays text."""
    if isinstance(field, BooleanField):
        return _BOOLEANS[text.lower()]
    for kind, parse in _LITERALS.items():
        if isinstance(field, kind):
            try:
                return parse(text)
            except ValueError:
                return text  # the check of the whole key says what is wrong with it
    return text


def _field_at_end(model: type[Model], lookup: str) -> Any:
    """The field that the lookup leads to, through relations; None if it starts at none."""
    current: Any = model
    field: Any = None
    for name in lookup.split("__"):
        try:
            field = current._meta.get_field(current._meta.pk.name if name == "pk" else name)
        except (AttributeError, FieldDoesNotExist):
            break
        current = field.related_model
    while isinstance(field, ForeignKey):
        field = field.target_field
    return field


def _or(choices: Sequence[str]) -> str:
    return " or ".join(filter(None, [", ".join(choices[:-1]), choices[-1]]))
