"""References by other values than the primary key, where following them would miss the survivor.

Reads users' rows and writes work tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...databases.tables import OnDelete, OnMove
from ...errors import InvalidOption, MergeRefused
from ...mapping.mapping import MERGED
from ...references.meta import column_of
from ...references.rule_sql import columns_in, needed
from ...references.unique import unique_rules
from ...repointing.rows import repointed_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ...databases import Database
    from ...field_rules.family import FieldRules
    from ...field_rules.rules import NamedRule
    from ...mapping.mapping import MergeMap
    from ...references.kinds import Reference
    from ..session import Session


_MOVING = (OnMove.ACTS, OnMove.CASCADES)


def hold_incomplete(
    session: Session, mapping: MergeMap, references: Sequence[Reference], rules: FieldRules
) -> None:
    """Hold back groups whose survivor has not all of the values by which a duplicate is known.

    The survivor may be given them one by one, from different duplicates: nobody can say what
    should point at it then. A single value it takes over, unless a rule leaves it without, or it
    has an empty text in its place, at which rows can point as well.
    """
    for reference in references:
        if reference.targets == tuple(mapping.key) or reference.is_text:
            continue
        for code, found in (
            ("incomplete", _lacks(session.database, mapping, reference, rules)),
            ("filled source", _moved_by_filling(session.database, mapping, reference, rules)),
        ):
            if found:
                _hold(session, mapping, reference, code, " OR ".join(found))


def _lacks(
    database: Database, mapping: MergeMap, reference: Reference, rules: FieldRules
) -> list[str]:
    """SQL, each true for a survivor (``s``) that has not what a duplicate (``d``) is known by."""
    values = dict(zip(reference.targets, database.qualified("s", reference.targets), strict=True))
    if len(values) > 1:
        return [f"{value} IS NULL" for value in values.values()]
    ((name, value),) = values.items()
    if name not in rules.changing(mapping.table):
        return [f"{value} IS NULL"]
    column = mapping.table.column(name)
    other = database.blank_in("d", column)
    return [f"({value} = '' AND NOT {other})"] if column.is_text else []


def _moved_by_filling(
    database: Database, mapping: MergeMap, reference: Reference, rules: FieldRules
) -> list[str]:
    """The same for one that takes over what a value it is known by is computed of."""
    changing = rules.changing(mapping.table)
    names = filter(changing.__contains__, _computed_from(database, mapping, reference))
    return [
        f"({database.blank_in('s', column)} AND NOT {database.blank_in('d', column)})"
        for column in map(mapping.table.column, names)
    ]


def _computed_from(database: Database, mapping: MergeMap, reference: Reference) -> list[str]:
    """The columns of which the database computes the values by which a reference knows rows."""
    generated = database.demands(mapping.table.model).generated
    sql = needed(generated, reference.targets).values()
    return sorted(columns_in(sql, (column.name for column in mapping.table.stored)))


def hold_acted_upon(session: Session, mapping: MergeMap, references: Sequence[Reference]) -> None:
    """Hold back groups whose survivor takes over a value that the database does not let go so.

    The value is free once the duplicate is gone, and what points at it would go with that, or go
    along when an undo takes the value back; or the duplicate may not go. What a foreign key does is
    what the database says, whatever the model does.
    """
    database = session.database
    for reference in references:
        if reference.place not in mapping.values:
            continue
        code = _in_the_way(session, reference)
        if code is None:
            continue
        sides = (mapping.old(reference), mapping.new(reference))
        taken_over = database.equal(*(database.qualified("m", side) for side in sides))
        session.held.add_rows(
            code,
            f"{repointed_rows(database, mapping, reference)} AND {taken_over}",
            database.table(reference.referrer).pk,
            {"reference": reference.label},
        )


def _in_the_way(session: Session, reference: Reference) -> str | None:
    """The reason why a value that rows point at cannot go over to another row, if there is one."""
    on_delete = session.on_delete(reference)
    if on_delete is OnDelete.ACTS or session.on_move(reference) in _MOVING:
        return "acted upon"
    return "not let go" if on_delete is OnDelete.REFUSES else None


def refuse_shared_targets(session: Session, mapping: MergeMap) -> None:
    """Raises `MergeRefused` where rows are pointed at by a value that two of them may share."""
    model = mapping.table.model
    unique = [
        set(rule.columns)
        for rule in unique_rules(model, session.database)
        if rule.is_valid and not rule.expressions and rule.condition is None
    ]
    for reference in _by_value(session, mapping):
        if not any(columns.issubset(reference.targets) for columns in unique):
            columns = ", ".join(reference.targets)
            raise MergeRefused(
                f"{model._meta.label} cannot be merged: rows of {reference.label} point at it by"
                f" {columns}, which the database does not keep unique, so that nobody can say at"
                " which row: give rows that share a value values of their own, then apply the"
                " migration that makes it unique"
            )


def refuse_ruled_targets(session: Session, mapping: MergeMap, rules: FieldRules) -> None:
    """Raises `InvalidOption` for a rule that would change a value under which a row is known."""
    for reference, named in ruled_targets(session, mapping, rules):
        targets = reference.targets
        computed = f"{', '.join(targets)}, which the database computes of it"
        by = "this field" if column_of(named.field) in targets else computed
        raise InvalidOption(
            f"field rule of {named.field.name}: rows of {reference.label} point at"
            f" {mapping.table.model._meta.label} by {by}; use survivor or fill"
        )


def ruled_targets(
    session: Session, mapping: MergeMap, rules: FieldRules
) -> Iterator[tuple[Reference, NamedRule]]:
    """The rules that would change a value under which a row is known, each with a reference."""
    for reference in _by_value(session, mapping):
        for column in (*reference.targets, *_computed_from(session.database, mapping, reference)):
            if rules.replaces(mapping, mapping.table.column(column)):
                yield reference, rules.named[mapping.table.name, column]


def _by_value(session: Session, mapping: MergeMap) -> Iterator[Reference]:
    for referrer in session.referrers(mapping.table.model):
        for reference in referrer.references:
            if reference.targets != tuple(mapping.key):
                yield reference


def _hold(session: Session, mapping: MergeMap, reference: Reference, code: str, lacks: str) -> None:
    database, table = session.database, session.database.q(mapping.table.name)
    survivors, members = (
        database.equal(database.qualified(alias, mapping.key), database.qualified("m", side))
        for alias, side in (("s", mapping.survivors), ("d", mapping.members))
    )
    points = " OR ".join(
        database.equal(
            database.qualified("t", reference.columns), database.qualified(row, reference.targets)
        )
        for row in ("d", "s")
    )
    session.held.add(
        code,
        f"FROM (SELECT m.* FROM {database.q(mapping.name)} m"
        f" {database.join} {table} d ON {members} {database.join} {table} s ON {survivors}"
        f" WHERE {MERGED} AND ({lacks}) AND EXISTS"
        f" (SELECT 1 FROM {database.q(reference.referrer._meta.db_table)} t WHERE {points})) x",
        first=session.held.key("x", mapping.table.pk, mapping.members),
        second=session.held.key("x", mapping.table.pk, mapping.survivors),
        told={
            "model": mapping.table.model._meta.label,
            "reference": reference.label,
            "fields": list(reference.targets),
        },
    )
