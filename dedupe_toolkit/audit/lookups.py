"""What ``get()`` asks for: keyword arguments and filters, under the fields' own names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldDoesNotExist

from ..databases.tables import pk_fields
from ..references.meta import concrete
from .values import NO_CASE, Given, Null, Part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model

    from .values import Call

_NO_CASE = {"iexact", "lower", "upper"}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One condition of ``get()``: a field, how it is compared, and with what."""

    name: str
    """The field; empty where the model has none of that name."""
    compared: str = "exact"
    given: Given
    reaches_create: bool = False
    written: str = ""

    @property
    def part(self) -> Part | None:
        """What it says as part of a key; None if it is no equality."""
        if not self.name:
            return None
        if self.compared == "exact":
            return Part(name=self.name)
        return Part(name=self.name, form=NO_CASE) if self.compared in _NO_CASE else None


def asked(call: Call) -> list[Asked]:
    """Every condition of the call's ``get()``, those that reach ``create()`` first."""
    lookups = [one for item in call.lookups.items() for one in _asked(call.model, *item, True)]
    filters = [one for item in call.filters.items() for one in _asked(call.model, *item, False)]
    lookups.sort(key=lambda one: not one.reaches_create)
    return [*lookups, *filters]


def field_name(model: type[Model], name: str) -> str:
    """The field's own name: of ``author_id``, of ``pk``, of a parent's primary key.

    Empty if the model has no such column.
    """
    meta: Any = concrete(model)._meta
    try:
        field = meta.pk if name == "pk" else meta.get_field(name)
    except FieldDoesNotExist:
        return ""
    if not getattr(field, "concrete", False) or field.many_to_many:
        return ""
    return _name_of(concrete(model), field)


def fields_of(model: type[Model]) -> dict[str, Any]:
    """The model's columns, its parents' among them, under their names."""
    return {_name_of(model, field): field for field in concrete(model)._meta.concrete_fields}


def _name_of(model: type[Model], field: Any) -> str:
    """A parent's primary key holds the same value as the model's own."""
    meta: Any = concrete(model)._meta
    is_parents = field.primary_key and field.model is not meta.model
    return str(meta.pk.name if is_parents else field.name)


def _asked(model: type[Model], written: str, given: Given, is_argument: bool) -> Iterator[Asked]:
    if written == "pk" and len(pk_fields(model)) > 1:
        yield from _composite(model, given, is_argument)
        return
    name, *rest = written.split("__")
    rest = _without_key(model, name, rest)
    yield Asked(
        name=field_name(model, name) if len(rest) < 2 else "",
        compared=rest[0] if rest else "exact",
        given=given,
        reaches_create=is_argument and "__" not in written,
        written=written,
    )


def _composite(model: type[Model], given: Given, is_argument: bool) -> Iterator[Asked]:
    fields = pk_fields(model)
    values = given.literal if isinstance(given.literal, tuple | list) else ()
    for number, field in enumerate(fields):
        part = (
            Given.of(values[number])
            if len(values) == len(fields)
            else Given(text=f"{given.text}[{number}]", null=Null.NEVER)
        )
        yield Asked(name=field.name, given=part, reaches_create=is_argument, written="pk")


def _without_key(model: type[Model], name: str, rest: list[str]) -> list[str]:
    """``author__id__exact`` asks for the column of ``author``, as ``author`` does."""
    if rest and rest[-1] == "exact":
        rest = rest[:-1]
    if rest and rest[0] in _target_names(model, name):
        rest = rest[1:]
    return rest


def _target_names(model: type[Model], name: str) -> set[str]:
    try:
        field: Any = model._meta.get_field(name)
    except FieldDoesNotExist:
        return set()
    if not (field.concrete and (field.many_to_one or field.one_to_one)):
        return set()
    target = field.target_field
    return {target.name, target.attname, *(["pk"] if target.primary_key else [])}
