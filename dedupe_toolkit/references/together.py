"""Fields whose values belong together: an amount and its currency, the two halves of a generic key.

Read from the models and from ``dedupe.py``; reads no rows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import DecimalField, FloatField, ForeignObject, IntegerField

from ..databases.caching import cached
from ..errors import InvalidOption
from ..keys import is_text
from ..registry import declarations, declared
from ..suggest import nearest
from .generic import generic_keys
from .meta import column_of, concrete, lineage_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from django.db.models import Field, Model

_QUALIFIERS = ("currency", "currency_code", "unit", "units", "uom", "unit_of_measure")
_QUALIFIER = re.compile(f"(?:(?P<about>.+)_)?(?:{'|'.join(_QUALIFIERS)})")


@dataclass(frozen=True, kw_only=True)
class Together:
    """Fields of one table whose values mean something only side by side, in one row.

    ``qualifiers`` are the columns that say what the others mean, and nothing where those are
    blank. Columns that are ``shared`` belong to other fields as well: these never change them.
    """

    fields: tuple[Field[Any, Any], ...]
    qualifiers: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(map(column_of, self.fields))

    @property
    def heads(self) -> tuple[str, ...]:
        """The columns that the qualifiers speak of."""
        return tuple(column for column in self.columns if column not in self.qualifiers)

    def meets(self, other: Together) -> bool:
        return not set(self.columns).isdisjoint(other.columns)


@cached
def together_in(model: type[Model]) -> tuple[Together, ...]:
    """The fields of a model's own table that belong together.

    What is declared (of the model, or of one that inherits the fields), the pairs of generic keys,
    the columns of a `ForeignObject`, amounts and their currency or unit; these last are known by
    their names, unless the model declares its own.

    Raises `InvalidOption` for a declaration that cannot be.
    """
    own = concrete(model)
    declaration = declared(own)
    guessed = () if declaration and declaration.together is not None else _quantities(own)
    found = _united([*_declared(own), *map(_of, generic_keys(own))])
    for pair in (*map(_of, _foreign_objects(own)), *_money(own), *guessed):
        if not any(set(pair.columns) <= set(each.columns) for each in found):
            found.append(pair)
    return tuple(_knowing_shared(each, found) for each in found)


def together_with(field: Field[Any, Any]) -> Iterator[Together]:
    """The values that a field is part of."""
    for part in lineage_of(field.model):
        yield from (one for one in together_in(part) if field.name in {f.name for f in one.fields})


def declared_together(model: type[Model], names: Sequence[str]) -> tuple[Field[Any, Any], ...]:
    """The fields that a declaration names; that of a generic key stands for both of its fields.

    Raises `InvalidOption` unless they are two or more fields with columns in one table.
    """
    fields = {field.name: field for name in names for field in _named(model, name)}
    what = f"together={tuple(names)!r}: "
    if len(fields) < 2:
        raise InvalidOption(f"{what}name two fields of {model._meta.label} or more")
    if len({field.model for field in fields.values()}) > 1:
        raise InvalidOption(f"{what}these fields of {model._meta.label} are in several tables")
    return tuple(fields.values())


def _named(model: type[Model], name: str) -> Iterator[Field[Any, Any]]:
    try:
        field: Any = model._meta.get_field(name)
    except FieldDoesNotExist:
        known = [field.name for field in model._meta.concrete_fields]
        raise InvalidOption(
            f"together: {model._meta.label} has no field {name!r}{nearest(name, known)}"
        ) from None
    if hasattr(field, "ct_field"):
        yield from (*_named(model, field.ct_field), *_named(model, field.fk_field))
    elif isinstance(field, ForeignObject):
        yield from field.local_related_fields
    elif getattr(field, "concrete", False) and field.column and not field.primary_key:
        yield field
    else:
        raise InvalidOption(
            f"together: {model._meta.label}.{name} has no column whose value could be filled"
        )


def _declared(model: type[Model]) -> Iterator[Together]:
    for one in declarations():
        if model in lineage_of(one.model):
            for names in one.together or ():
                fields = declared_together(one.model, names)
                if fields[0].model is model:
                    yield _of(fields)


def _of(fields: Iterable[Field[Any, Any]]) -> Together:
    """Fields that belong together; those among them that name a currency or unit qualify."""
    listed = tuple(fields)
    names = frozenset(column_of(field) for field in listed if _qualified(field) is not None)
    is_number = any(map(_is_number, listed))
    return Together(fields=listed, qualifiers=names if is_number else frozenset())


def _foreign_objects(model: type[Model]) -> Iterator[tuple[Field[Any, Any], ...]]:
    for field in model._meta.local_fields:
        local = field.local_related_fields if isinstance(field, ForeignObject) else ()
        if len(local) > 1 and all(one.model is model for one in local):
            yield local


def _money(model: type[Model]) -> Iterator[Together]:
    """The fields of django-money, whatever the column of their currency is called."""
    fields = {field.name: field for field in model._meta.local_concrete_fields}
    for field in fields.values():
        if any(base.__module__.startswith("djmoney.") for base in type(field).__mro__):
            named = getattr(field, "currency_field_name", None) or f"{field.name}_currency"
            if named in fields:
                currency = fields[named]
                yield Together(
                    fields=(field, currency), qualifiers=frozenset({column_of(currency)})
                )


def _quantities(model: type[Model]) -> Iterator[Together]:
    """Numbers beside a field that names their unit or currency, as far as names can tell."""
    fields = {field.name: field for field in model._meta.local_concrete_fields}
    about = {name: _qualified(field) for name, field in fields.items()}
    own = {of: fields[name] for name, of in about.items() if of in fields}
    plain = [fields[name] for name, of in about.items() if of == ""]
    for number in fields.values():
        qualifier = own.get(number.name) if _is_number(number) else None
        # a plain "unit" speaks of all quantities that have none of their own; counts have none
        if qualifier is None and len(plain) == 1 and isinstance(number, (DecimalField, FloatField)):
            qualifier = plain[0]
        if qualifier is not None:
            yield Together(fields=(number, qualifier), qualifiers=frozenset({column_of(qualifier)}))


def _is_number(field: Field[Any, Any]) -> bool:
    kind = isinstance(field, (DecimalField, FloatField, IntegerField))
    return kind and not field.primary_key


def _qualified(field: Field[Any, Any]) -> str | None:
    """What a field names the unit of: a field's name, nothing (of any), None if it names none."""
    match = _QUALIFIER.fullmatch(field.name)
    if match is None or not (is_text(field) or field.is_relation):
        return None
    return match["about"] or ""


def _united(found: Iterable[Together]) -> list[Together]:
    """What has fields in common is one value: two object ids beside one content type."""
    result: list[Together] = []
    for each in found:
        met = [other for other in result if other.meets(each)]
        result = [other for other in result if other not in met]
        fields = dict.fromkeys(field for one in (*met, each) for field in one.fields)
        qualifiers = frozenset().union(*(one.qualifiers for one in (*met, each)))
        result.append(Together(fields=tuple(fields), qualifiers=qualifiers))
    return result


def _knowing_shared(each: Together, found: Sequence[Together]) -> Together:
    others = frozenset(c for other in found if other is not each for c in other.columns)
    return replace(each, shared=others.intersection(each.columns))
