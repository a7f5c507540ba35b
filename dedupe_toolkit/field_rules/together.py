"""Values that belong together: a survivor takes them from one row, or not at all.

The rules of their fields, the SQL that says which rows can fill them, and the groups held back
because amounts of different kinds would be added up. Writes work tables only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ..errors import InvalidOption
from ..references.meta import column_of
from ..references.together import Together, together_in
from ..repointing.meeting import value_met
from .rules import FILL, RULES, Follow, NamedRule, Pick

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from django.db.models import Model

    from ..databases import Database
    from ..databases.tables import Column
    from ..mapping.mapping import MergeMap
    from ..planning.session import Session
    from ..repointing.meeting import Meeting
    from .family import FieldRules

Place = tuple[str, str]
"""A table and a column."""

_ORDERED = (RULES["min"], RULES["max"])


@dataclass(frozen=True, kw_only=True)
class Alike:
    """Columns in which rows must agree, or no value can be made of what they have in ``leaders``.

    ``named`` is the rule that asks for it.
    """

    leaders: tuple[str, ...]
    partners: tuple[str, ...]
    named: NamedRule


def completed(model: type[Model], named: Mapping[Place, NamedRule]) -> dict[Place, NamedRule]:
    """The rules of a model's own table, with those that follow for what belongs together.

    Raises `InvalidOption` where fields that belong together have rules that differ.
    """
    found = dict(named)
    table = model._meta.db_table
    for one in together_in(model):
        said = {c: named[table, c] for c in one.columns if (table, c) in named}
        if said:
            _refuse_different(model, one, list(said.values()))
            found |= {(table, c): rule for c, rule in _for_all(one, said).items()}
    return found


def _refuse_different(model: type[Model], one: Together, said: list[NamedRule]) -> None:
    names = {named.name for named in said}
    if len(names) > 1:
        rules = ", ".join(f"{named.field.name}={named.name}" for named in said)
        raise InvalidOption(
            f"field rules {rules}: these fields of {model._meta.label} belong together, and are"
            " taken from one row; name one rule for all of them"
        )


def _for_all(one: Together, said: dict[str, NamedRule]) -> dict[str, NamedRule]:
    """The rule of every column that the named ones decide."""
    leader, named = next(iter(said.items()))
    rule: Any = named.rule
    own = [column for column in one.columns if column not in one.shared or column in said]
    if rule is None or rule is FILL:
        return {c: replace(named, field=f) for c, f in _fields(one) if c in own}
    is_picked = isinstance(rule, Pick)
    follow = Follow(
        leaders=(leader,) if is_picked else tuple(said),
        rule=rule if is_picked else FILL,
    )
    return {
        c: NamedRule(field=f, rule=follow, name=named.name)
        for c, f in _fields(one)
        if c in own and (is_picked or c not in said)
    }


def _fields(one: Together) -> list[tuple[str, Any]]:
    return [(column_of(field), field) for field in one.fields]


def alike(model: type[Model], named: Mapping[Place, NamedRule]) -> Iterator[Alike]:
    """What must agree in the rows of a group because a rule makes one value of several."""
    table = model._meta.db_table
    for one in together_in(model):
        said = {c: named[table, c] for c in one.columns if (table, c) in named}
        leaders = tuple(c for c, rule in said.items() if _makes_one(rule))
        partners = tuple(c for c in one.columns if c not in leaders)
        if leaders and partners:
            yield Alike(leaders=leaders, partners=partners, named=said[leaders[0]])


def _makes_one(named: NamedRule) -> bool:
    """Whether a rule computes with values, or compares amounts, of several rows."""
    rule = named.rule
    if isinstance(rule, Follow):
        is_leading = column_of(named.field) in rule.leaders
        return is_leading and rule.rule in _ORDERED and _is_amount(named.field)
    return rule is not None and not isinstance(rule, Pick)


def _is_amount(field: Any) -> bool:
    return str(field.get_internal_type()).endswith(("IntegerField", "DecimalField", "FloatField"))


@dataclass(frozen=True, kw_only=True)
class Filling:
    """How blanks are filled in columns that belong together, as SQL on a survivor and a row.

    The survivor (``s``) takes the values of one row (``d``) that has what it lacks, and has the
    same where it lacks nothing. ``settled`` are columns in which all rows of a group agree, and
    ``kept`` those that nothing but a rule changes; a blank that is ``telling`` is no lack.
    """

    database: Database
    together: Together
    settled: Collection[str]
    kept: Collection[str] = ()
    telling: Collection[str] = ()

    @property
    def free(self) -> list[Column]:
        """The columns that may get another value."""
        fixed = self.together.shared.union(self.settled, self.kept)
        names = [name for name in self.together.columns if name not in fixed]
        table = self.database.table(self.together.fields[0].model)
        return [column for column in table.non_key_columns if column.name in names]

    def where(self, own: Mapping[str, str]) -> str:
        """True for a row from which the survivor takes all; ``own`` as `new_values` has it."""
        gains = [
            f"{self.database.blank_in('s', column)} AND NOT {self.database.blank_in('d', column)}"
            for column in self.free
            if column.name not in self.telling
        ]
        never = [f"NOT ({own[name]})" for name in self.together.columns if name in own]
        agrees = [
            self._agrees(column)
            for column in self._columns(self.together.columns)
            if column.name not in self.settled
        ]
        return " AND ".join([f"({' OR '.join(gains) or '1 = 0'})", *agrees, *never])

    def _agrees(self, column: Column) -> str:
        """True where the survivor says nothing that the row does not say."""
        name = self.database.q(column.name)
        same = self.database.same(f"s.{name}", f"d.{name}", column)
        if column not in self.free:
            return same
        ways = [same, self.database.blank_in("s", column), *self._says_nothing(column)]
        return f"({' OR '.join(ways)})"

    def _says_nothing(self, column: Column) -> Iterator[str]:
        if column.name in self.together.qualifiers:
            heads = self._columns(self.together.heads)
            yield f"({' AND '.join(self.database.blank_in('s', head) for head in heads)})"
        default = plain_default(self._field(column))
        if default is not None:
            yield f"s.{self.database.q(column.name)} = {self.database.literal(default)}"

    def _field(self, column: Column) -> Any:
        return next(f for f in self.together.fields if column_of(f) == column.name)

    def _columns(self, names: Collection[str]) -> list[Column]:
        table = self.database.table(self.together.fields[0].model)
        return [column for column in table.columns if column.name in names]


def plain_default(field: Any) -> Any:
    """What a field holds if nobody has said anything, where that is a plain value."""
    found = field.default
    return found if isinstance(found, (str, int, float, Decimal)) else None


def hold_unlike_amounts(
    session: Session, mapping: MergeMap, rules: FieldRules, meeting: Meeting | None
) -> None:
    """Hold back groups in which a rule would make one value of what is not of one kind."""
    for one in alike(mapping.table.model, rules.named):
        _hold_unlike(session, mapping, one, meeting)


def _hold_unlike(session: Session, mapping: MergeMap, one: Alike, meeting: Meeting | None) -> None:
    database, table = session.database, mapping.table
    has_value = [f"NOT {database.blank_in('d', table.column(name))}" for name in one.leaders]
    partners = [table.column(name) for name in one.partners]
    key = session.held.key("m", table.pk, mapping.members)
    own = [value_met(session, mapping, column, "d", meeting) for column in partners]
    listed = ["m.group_number", f"{key} AS a_key", f"FIRST_VALUE({key}) OVER w AS b_key"]
    listed += [f"{sql} AS p{n}, FIRST_VALUE({sql}) OVER w AS f{n}" for n, sql in enumerate(own)]
    differs = [
        f"NOT ({database.same(f'x.p{n}', f'x.f{n}', column)})" for n, column in enumerate(partners)
    ]
    survivors = ", ".join(database.qualified("m", mapping.survivors))
    session.held.add(
        "unlike",
        f"FROM (SELECT {', '.join(listed)} FROM {mapping.with_rows('d', database)}"
        f" WHERE {' OR '.join(has_value)}"
        f" WINDOW w AS (PARTITION BY {survivors} ORDER BY m.place)) x"
        f" WHERE {' OR '.join(differs)}",
        told=_unlike(mapping, one),
        first="x.b_key",
        second="x.a_key",
    )


def _unlike(mapping: MergeMap, one: Alike) -> dict[str, Any]:
    model = mapping.table.model
    names = {column_of(field): field.name for field in model._meta.local_concrete_fields}
    return {
        "model": model._meta.label,
        "about": f"{model._meta.label}: " if mapping.is_nested else "",
        "fields_beside": [names[name] for name in one.partners],
        "fields_made": [names[name] for name in one.leaders],
        "rule": one.named.name,
    }
