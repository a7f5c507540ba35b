"""From what a person chose for single fields to the field rules of the merge."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.db.models import BooleanField, DateField, TimeField
from django.utils.translation import gettext as _

from ..field_rules.fillers import is_blank, raw
from ..field_rules.rules import fitting_rules, is_number
from ..keys import is_text
from ..references.together import together_with
from ..values import FieldRule, Taken
from .telling import Refused

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from django.db.models import Field, Model

    from ..values import MergePolicy
    from .choice import Choice
    from .fields import FormFields

    AnyField = Field[Any, Any]


def ruled(
    choice: Choice, policy: MergePolicy, order: Sequence[Model], fields: FormFields
) -> MergePolicy:
    """The policy with what was chosen for single fields, and without what no form may change.

    ``order`` are the rows, the survivor first. Raises `Refused` for a choice that nobody
    was offered.
    """
    model = type(order[0])
    rules: dict[str, FieldRule] = dict(policy.field_rules)
    rules |= dict.fromkeys(own_columns(model, fields.hidden), "survivor")
    offered = {field.name: field for field in choosable(model, fields)}
    for name, chosen in choice.values.items():
        if name not in offered:
            raise Refused(_("There is no such choice: %(value)s") % {"value": name})
        partners = _partners(offered[name])
        if partners.intersection(choice.values) and _is_later(name, partners, choice):
            continue  # what belongs together comes from one row: the first one chosen
        for partner in partners:
            rules.pop(partner, None)
        rules[name] = _rule(offered[name], chosen, order)
    return replace(policy, field_rules=rules)


def own_columns(model: type[Model], hidden: Collection[str]) -> list[str]:
    """The hidden fields of which the row that stays keeps its value: the database computes none."""
    return [field.name for field in _own(model, hidden) if not field.generated]


def choosable(model: type[Model], fields: FormFields) -> Iterator[AnyField]:
    """The fields of which a value may be chosen: none that belongs to a hidden one."""
    for field in _own(model, fields.offered):
        if not field.primary_key and _partners(field).isdisjoint(fields.hidden):
            yield field


def other_rules(field: AnyField) -> Iterator[tuple[str, str]]:
    """The field rules that fit the type, beside the value of a single row, and what they say."""
    words = _words(field)
    for name in fitting_rules(field):
        if name in words:
            yield name, words[name]


def _words(field: AnyField) -> dict[str, str]:
    if isinstance(field, BooleanField):
        return {"any": _("yes if any is"), "all": _("yes if all are")}
    if field.is_relation or field.choices:
        return {}
    if isinstance(field, (DateField, TimeField)):
        return {"min": _("the earliest"), "max": _("the latest")}
    if is_text(field):
        return {"longest": _("the longest"), "concat": _("all of them, joined")}
    numbers = {"min": _("the lowest"), "max": _("the highest"), "sum": _("all of them, added up")}
    return numbers if is_number(field) else {}


def _own(model: type[Model], names: Collection[str]) -> list[AnyField]:
    return [field for field in model._meta.concrete_fields if field.name in names]


def _partners(field: AnyField) -> set[str]:
    """The other fields whose values belong together with that of this one."""
    return {each.name for one in together_with(field) for each in one.fields} - {field.name}


def _is_later(name: str, partners: set[str], choice: Choice) -> bool:
    return next(each for each in choice.values if each == name or each in partners) != name


def _rule(field: AnyField, chosen: str, order: Sequence[Model]) -> FieldRule:
    kind, _colon, wanted = chosen.partition(":")
    if kind == "rule" and wanted in dict(other_rules(field)):
        return wanted
    places = [place for place, row in enumerate(order) if str(row.pk) == wanted]
    if kind != "row" or not places:
        raise Refused(_("There is no such choice: %(value)s") % {"value": chosen})
    place = places[0]
    if place == 0:
        return "survivor"
    if not is_blank(field, raw(field, order[place])):
        return Taken(place)
    if field.is_relation:
        raise Refused(_("There is no such choice: %(value)s") % {"value": chosen})

    def blank(values: list[Any]) -> Any:
        return values[place]

    return blank
