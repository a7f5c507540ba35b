"""Groups whose rows disagree: held back where a person asked for it. Writes work tables only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...databases.tables import Column
from ...field_rules.differences import field_of, is_stamped, says_something
from ...field_rules.rules import settling_rule
from ...references.discover import naming_columns
from ...references.refusals import agreeing_columns
from ...references.rule_sql import columns_in
from ...references.telling import moments
from ...repointing.meeting import value_met
from ...values import OnConflict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...mapping.mapping import MergeMap
    from ...repointing.meeting import Meeting
    from ..policies import LevelPolicy
    from ..session import Session


def hold_conflicts(
    session: Session, mapping: MergeMap, policy: LevelPolicy, meeting: Meeting | None
) -> None:
    """Where that is chosen, hold back groups that differ in a column of neither key nor rules.

    One level down the unique rule by which two rows collide is what the key is at the top, and
    references to rows that are merged above are compared as they will be.
    """
    if policy.on_conflict is not OnConflict.HOLD:
        return
    columns = [
        column
        for column in mapping.table.non_key_columns
        if column.name not in policy.key_columns | naming_columns(mapping.table.model)
        and not policy.rules.names(mapping, column)
        and not is_stamped(mapping, column)
    ]
    for start in range(0, len(columns), _AT_ONCE):
        _hold_all(session, mapping, columns[start : start + _AT_ONCE], meeting)


_AT_ONCE = 90
"""As many columns as have their flags named in one text."""


def hold_unlike(session: Session, mapping: MergeMap) -> None:
    """Hold back groups of different kinds of objects, by the columns that say so."""
    for name in agreeing_columns(mapping.table.model):
        _hold_kinds(session, mapping, mapping.table.column(name))


def _hold_all(
    session: Session, mapping: MergeMap, columns: Sequence[Column], meeting: Meeting | None
) -> None:
    """Hold back the groups that differ in any of the columns, and name all in which they do."""
    database, names = session.database, [f"f{number}" for number in range(len(columns))]
    differ = [
        f"CASE WHEN {_differ(session, mapping, column, meeting)} THEN 1 ELSE 0 END AS {name}"
        for column, name in zip(columns, names, strict=True)
    ]
    flags = [(_FLAG, f"MAX(p.{name}) OVER (PARTITION BY p.group_number)") for name in names]
    session.held.add(
        "differ",
        f"FROM (SELECT p.group_number, p.a_key, p.b_key, {database.image(flags)} AS which FROM"
        f" (SELECT {_pair_of_keys(session, mapping)}, {', '.join(differ)}"
        f" FROM {_pairs(session, mapping)}) p WHERE {' + '.join(f'p.{n}' for n in names)} > 0) x",
        told={**_about(mapping), "declare": _settled_in(mapping)},
        listed=dict(_settled(mapping, column) for column in columns),
        first="x.a_key",
        second="x.b_key",
        which="x.which",
    )


_FLAG = Column(name="flag", definition="integer", is_integer=True)


def _settled(mapping: MergeMap, column: Column) -> tuple[str, str]:
    """The field of a column, and how a sentence lists it: with the rule that would settle it."""
    field = field_of(mapping, column)
    if field is None:
        return column.name, column.name
    rule = settling_rule(field)
    given = f"{field.name}={rule}" if mapping.is_nested else f"--field-rule {field.name}={rule}"
    return field.name, f"{field.name} ({given})"


def _settled_in(mapping: MergeMap) -> str:
    """Where rules are declared for rows that no option of a command speaks of."""
    if not mapping.is_nested:
        return ""
    return f"; declare field_rules of {mapping.table.model._meta.label} in dedupe.py"


def _hold_kinds(session: Session, mapping: MergeMap, column: Column) -> None:
    session.held.add(
        "other kind",
        f"FROM (SELECT {_pair_of_keys(session, mapping)} FROM {_pairs(session, mapping)}"
        f" WHERE {_differ(session, mapping, column, None)}) x",
        told={**_about(mapping), "field": column.name},
        first="x.a_key",
        second="x.b_key",
    )


def _pair_of_keys(session: Session, mapping: MergeMap) -> str:
    one, other = (session.held.key(s, mapping.table.pk, mapping.members) for s in ("a", "b"))
    return f"b.group_number, {one} AS a_key, {other} AS b_key"


def _differ(session: Session, mapping: MergeMap, column: Column, meeting: Meeting | None) -> str:
    """SQL that is true for two rows (``ra``, ``rb``) with different values, neither blank.

    No date or time, beside one, is a difference.
    """
    database = session.database
    one, other = (value_met(session, mapping, column, row, meeting) for row in ("ra", "rb"))
    is_told = column.name in moments(mapping.table.model, database)
    said = () if is_told else (says_something(database, mapping, column, r) for r in ("ra", "rb"))
    conditions = [
        *said,
        f"NOT ({database.same(one, other, column)})",
        *(_not_met_by(session, mapping, column, side, meeting) for side in ("a", "b")),
    ]
    return " AND ".join(filter(None, conditions))


def _about(mapping: MergeMap) -> dict[str, str]:
    """The model, which commands tell only of rows that are not those a person speaks of."""
    label = mapping.table.model._meta.label
    return {"model": label, "about": f"{label}: " if mapping.is_nested else ""}


def _pairs(session: Session, mapping: MergeMap) -> str:
    """SQL for every two members (``a``, ``b``) that become one, with their rows."""
    database, work = session.database, session.database.q(mapping.name)
    table = database.q(mapping.table.name)
    # one level down, a group may have several survivors, and a survivor several groups
    names = mapping.survivors if mapping.is_nested else ["group_number"]
    same = database.join_on("a", names, "b", names)
    rows = [
        f"{database.join} {table} {row} ON "
        + database.join_on(row, mapping.key, side, mapping.members)
        for side, row in (("a", "ra"), ("b", "rb"))
    ]
    return f"{work} a JOIN {work} b ON {same} AND a.place < b.place {' '.join(rows)}"


def _not_met_by(
    session: Session, mapping: MergeMap, column: Column, side: str, meeting: Meeting | None
) -> str:
    """SQL that is true unless the row has lost by a rule that compares this column.

    Such a rule may find equal what is not the same to the letter.
    """
    if meeting is None or meeting.rivals.referrer.table.name != mapping.table.name:
        return ""
    rivals = meeting.rivals
    numbers = [
        str(number)
        for number, rule in enumerate(rivals.referrer.rules)
        if column.name in rule.columns or columns_in(rule.expressions, [column.name])
    ]
    if not numbers:
        return ""
    database = session.database
    losers = database.join_on("lost", rivals.losers, side, mapping.members)
    return (
        f"NOT EXISTS (SELECT 1 FROM {database.q(rivals.name)} lost"
        f" WHERE {losers} AND lost.rule IN ({', '.join(numbers)}))"
    )
