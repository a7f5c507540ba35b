"""The unique rules that a call can rely on: those of the model's table, and of its parents'."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, Any

from django.db.models import Case, F, GeneratedField, Q
from django.db.models.constants import LOOKUP_SEP
from django.db.models.functions import Lower, NullIf, Upper

from ..databases import database
from ..references.as_written import AsWritten
from ..references.meta import column_of, concrete, named_in
from ..references.rule_sql import columns_in
from ..references.unique import rule_of, unique_rules
from ..source.constraints import constraint_for, simplified
from ..source.owner import on_owner
from ..source.unfolding import unfolded
from .lookups import field_name, fields_of
from .values import IS_NULL, NO_CASE, Part, Rule

if TYPE_CHECKING:
    from django.db.models import Model

    from ..references.unique import UniqueRule
    from ..values import MatchKey


_TAKES_OUT = re.compile(r"\b(case|nullif|if|iif)\b", re.IGNORECASE)


def rules_of(model: type[Model], using: str) -> tuple[Rule, ...]:
    """What the database ``using`` keeps unique in the model's table and its parents' tables."""
    own = concrete(model)
    return tuple(
        _as_rule(own, rule)
        for one in (own, *own._meta.get_parent_list())
        for rule in unique_rules(one, database(using))
        if rule.is_valid
    )


def rule_for(model: type[Model], key: MatchKey) -> Rule | None:
    """What the model's calls could rely on if the key were unique; None if it is not about them."""
    owned, own = on_owner(key), concrete(model)
    if not issubclass(own, owned.model):
        return None
    rule = _as_rule(own, rule_of(owned.model, constraint_for(simplified(owned))))
    # which name it will have, and whether as a constraint at all, is not known here
    return replace(rule, text=f"unique ({', '.join(key.fields)})")


def _as_rule(model: type[Model], rule: UniqueRule) -> Rule:
    fields, by_column = fields_of(model), _by_column(model)
    # a column that the model lacks is looked up by nobody
    names = {by_column.get(column, column) for column in rule.columns}
    computed = {name for name in names if isinstance(fields.get(name), GeneratedField)}
    made = unfolded(fields[name].expression for name in sorted(computed))
    expressions = (*rule.expressions, *made.values)
    parts = {Part(name=name) for name in names - computed}
    parts.update(*(_parts(model, expression) for expression in expressions))
    conditions = [one for one in (rule.condition, made.condition) if one is not None]
    is_known = all(isinstance(one, Q) for one in conditions)
    nullable = {part.name for part in parts if part.name in fields and fields[part.name].null}
    nullable -= {field_name(model, name) for name in made.equal_nulls}
    # whether a value is there is never NULL itself
    parts |= {Part(name=field_name(model, name), form=IS_NULL) for name in made.flags}
    return Rule(
        text=rule.text,
        parts=frozenset(parts),
        nullable=frozenset(nullable if rule.nulls_distinct else ()),
        condition=reduce(and_, conditions) if is_known and conditions else None,
        has_unknown_condition=not is_known or not all(map(_keeps_values, expressions)),
        is_deferrable=rule.is_deferrable,
        is_primary_key=rule.is_primary_key,
    )


def _keeps_values(expression: Any) -> bool:
    """Whether an expression is NULL for NULL alone: ``Case`` and ``NullIf`` take rows out."""
    if isinstance(expression, AsWritten):
        return not _TAKES_OUT.search(expression.sql)
    sources: list[Any] = getattr(expression, "get_source_expressions", list)()
    return not isinstance(expression, Case | NullIf) and all(
        _keeps_values(one) for one in sources if one is not None
    )


def _parts(model: type[Model], expression: Any) -> set[Part]:
    """The fields an expression is made of, each in the form that it has there."""
    if isinstance(expression, AsWritten):
        by_column = _by_column(model)
        read = columns_in([expression.sql], by_column)
        return {Part(name=by_column[column], form=expression.sql) for column in read}
    names = {field_name(model, name.split(LOOKUP_SEP)[0]) for name in named_in(expression)}
    if isinstance(expression, F) and LOOKUP_SEP not in expression.name:  # type: ignore[attr-defined]  # F.name is missing in the stubs
        return {Part(name=name) for name in names}
    is_no_case = isinstance(expression, Lower | Upper) and isinstance(
        expression.get_source_expressions()[0], F
    )
    return {Part(name=name, form=NO_CASE if is_no_case else repr(expression)) for name in names}


def _by_column(model: type[Model]) -> dict[str, str]:
    """The names of the model's fields, and of its parents', by their columns."""
    return {
        column_of(field): field_name(model, field.name) for field in model._meta.concrete_fields
    }
