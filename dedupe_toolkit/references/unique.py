"""Which unique rules a model's table has: the catalogue decides, and the model says how it means.

A rule that only the model declares keeps nothing apart; one that only the database has does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.db.models import F, Model
from django.db.models.functions import Left

from ..databases.tables import pk_fields
from .as_written import AsWritten
from .unique_declared import DeclaredRule, can_have, declared_rules, rule_from

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import UniqueConstraint

    from ..databases import Database
    from ..databases.rules import LiveRule


@dataclass(frozen=True, kw_only=True)
class UniqueRule:
    """Values that no two rows of a table may share.

    The values are those of ``columns`` and of ``expressions``, among the rows that meet
    ``condition``. ``text`` is the rule as users know it, for messages. ``is_valid`` says whether
    the database warrants that all rows keep it, beside checking what is written.

    Expressions and the condition are Django's where the model declares the rule, and `AsWritten`
    where only the database has it.
    """

    name: str
    text: str
    columns: tuple[str, ...]
    expressions: tuple[Any, ...] = ()
    condition: Any = None
    nulls_distinct: bool = True
    is_primary_key: bool = False
    is_valid: bool = True
    is_deferrable: bool = False


@dataclass(frozen=True, kw_only=True)
class RuleStanding:
    """A unique rule where model and database agree on it, or as one of them alone has it.

    ``is_same`` is false where they agree on its name and its columns only, as far as is known.
    """

    model: type[Model]
    declared: DeclaredRule | None
    live: LiveRule | None
    is_same: bool = True

    @property
    def text(self) -> str:
        """What a person would call it."""
        if self.declared:
            return self.declared.text
        return f"the database's own unique index {self.live.name}" if self.live else ""

    @property
    def is_valid(self) -> bool:
        """Whether the database warrants that all rows keep the rule."""
        return self.live is not None and self.live.is_valid and self.is_same


def rule_standings(model: type[Model], database: Database) -> tuple[RuleStanding, ...]:
    """How each unique rule of the model's own table stands: the declared ones, then the others.

    Rules that this database cannot have at all are left out: Django makes nothing of them there.
    """
    declared = [rule for rule in declared_rules(model) if can_have(database, rule)]
    live = database.rules(model)
    alike = [[one for one in live if _is_alike(model, rule, one, database)] for rule in declared]
    agreed = {one for some in alike for one in some}
    return (
        *(
            RuleStanding(model=model, declared=rule, live=max(some, key=_strength, default=None))
            for rule, some in zip(declared, alike, strict=True)
        ),
        *(RuleStanding(model=model, declared=None, live=one) for one in live if one not in agreed),
    )


def unique_rules(model: type[Model], database: Database) -> list[UniqueRule]:
    """The unique rules that writes to the model's own table must keep, the primary key first.

    The primary key is among them even if the database does not check it: it tells rows apart.
    """
    return list(_enforced(model, database))


def rule_of(model: type[Model], constraint: UniqueConstraint) -> UniqueRule:
    """The rule that the constraint would be, if the model's table had it."""
    return replace(_as_declared(rule_from(model, constraint), None), is_valid=True)


def names_one_row(model: type[Model], names: set[str]) -> bool:
    """Whether some of these fields together are unique, as far as the model declares it."""
    meta: Any = model._meta
    unique = [
        {field.name for field in pk_fields(model)},
        *({field.name} for field in meta.local_concrete_fields if field.unique),
        *map(set, meta.unique_together),
        *(set(constraint.fields) for constraint in meta.total_unique_constraints),
    ]
    return any(fields <= names for fields in unique)


def _enforced(model: type[Model], database: Database) -> Iterator[UniqueRule]:
    for standing in rule_standings(model, database):
        declared, live = standing.declared, standing.live
        if declared and (declared.is_primary_key or (live and live.is_checked)):
            yield _as_declared(declared, live)
        elif live and live.is_checked:
            yield _as_found(model, live, database)


def _as_declared(rule: DeclaredRule, live: LiveRule | None) -> UniqueRule:
    is_plain = not rule.expressions and rule.condition is None
    fields = f"unique ({', '.join(field.name for field in rule.fields)})"
    name = rule.constraint.name if rule.constraint else rule.text
    return UniqueRule(
        name=name,
        text=fields if is_plain else f"unique constraint {name}",
        columns=rule.columns,
        expressions=rule.expressions,
        condition=rule.condition,
        nulls_distinct=rule.nulls_distinct,
        is_primary_key=rule.is_primary_key,
        is_valid=live is not None and live.is_valid,
        is_deferrable=live is not None and live.is_deferrable,
    )


def _as_found(model: type[Model], rule: LiveRule, database: Database) -> UniqueRule:
    """The rule in the database's own words, for Django to put into its queries."""
    names = {field.column: field.name for field in model._meta.local_concrete_fields}
    fields = ", ".join(names.get(column, column) for column in rule.columns)
    beginnings = (
        Left(F(names[column]) if column in names else AsWritten(database.q(column)), length)
        for column, length in rule.prefixes
    )
    return UniqueRule(
        name=rule.name,
        text=f"unique ({fields})" if rule.is_plain else f"unique index {rule.name}",
        columns=rule.columns,
        expressions=(*beginnings, *map(AsWritten, rule.expressions)),
        condition=AsWritten(rule.condition, is_condition=True) if rule.condition else None,
        nulls_distinct=rule.nulls_distinct,
        is_primary_key=rule.is_primary_key,
        is_valid=rule.is_valid,
        is_deferrable=rule.is_deferrable,
    )


def _strength(rule: LiveRule) -> tuple[bool, bool]:
    """Of rules that mean the same, the one to go by is the greatest."""
    return rule.is_valid, not rule.is_deferrable


def _is_named(declared: DeclaredRule, live: LiveRule) -> bool:
    return declared.constraint is not None and declared.constraint.name == live.name


def _is_alike(
    model: type[Model], declared: DeclaredRule, live: LiveRule, database: Database
) -> bool:
    """Whether the database's rule is what the model declares.

    What an expression or condition says, the two write each in their own way: there the name
    decides, beside what can be compared.
    """
    if declared.is_primary_key and live.is_primary_key:
        return set(declared.columns) == set(live.columns)
    has_same_parts = (
        set(declared.columns) == set(live.columns)
        and not live.prefixes
        and len(declared.expressions) == len(live.expressions)
        and (declared.condition is None) == (not live.condition)
    )
    if not has_same_parts or not (live.is_plain or _is_named(declared, live)):
        return False
    return declared.nulls_distinct == live.nulls_distinct or not any(
        column.is_nullable
        for column in database.table(model).columns
        if column.name in live.columns
    )
