"""In which fields the rows that become one differ, and how many values give way. Only reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..plan_values import FieldDifference
from ..references.discover import naming_columns
from ..references.telling import moments
from ..references.together import together_in

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from ..databases import Database
    from ..databases.tables import Column
    from ..mapping.mapping import MergeMap
    from ..planning.levels import Level
    from .family import FieldRules


def differences(
    database: Database, level: Level, apart_from: Collection[str] = ()
) -> Iterator[FieldDifference]:
    """The fields in which rows that become one differ, of this level and all below it.

    One statement a table. ``apart_from`` are the columns in which they are known to agree, or do
    so once repointed.
    """
    columns = compared_columns(level.mapping, apart_from)
    (numbers,) = database.fetch(counting(database, level.mapping, columns))
    yield from told(level.mapping, level.policy.rules, columns, numbers)
    for work in level.works:
        if work.nested:
            repointed = {name for ref in work.referrer.references for name in ref.columns}
            known = repointed.union(*(rule.columns for rule in work.referrer.rules))
            yield from differences(database, work.nested, known)
    for side in level.sides:
        yield from differences(database, side, apart_from)


def compared_columns(mapping: MergeMap, apart_from: Collection[str] = ()) -> list[Column]:
    """The columns in which rows may differ to a person's regret."""
    return [
        column
        for column in mapping.table.non_key_columns
        if column.name not in naming_columns(mapping.table.model).union(apart_from)
        and not is_stamped(mapping, column)
    ]


def is_stamped(mapping: MergeMap, column: Column) -> bool:
    """Whether Django writes the moment of each change there: no two rows ever agree."""
    field = field_of(mapping, column)
    return getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False)


def field_of(mapping: MergeMap, column: Column) -> Any:
    """The field of a column, where the model has one."""
    fields = mapping.table.model._meta.local_concrete_fields
    return next((field for field in fields if field.column == column.name), None)


def says_something(database: Database, mapping: MergeMap, column: Column, row: str) -> str:
    """SQL that is true for a value that is not blank, nor speaks of others that all are."""
    said = f"NOT {database.blank_in(row, column)}"
    spoken_of = {
        head
        for one in together_in(mapping.table.model)
        for head in (one.heads if column.name in one.qualifiers else ())
    }
    heads = [each for each in mapping.table.columns if each.name in spoken_of]
    if not heads:
        return said
    blanks = [database.blank_in(row, head) for head in heads]
    return f"{said} AND NOT ({' AND '.join(blanks)})"


def distinct_values(database: Database, mapping: MergeMap, column: Column, row: str) -> str:
    """SQL, in a group, for the number of values in a column that differ and are not blank.

    No date or time is a value as well.
    """
    value = f"{row}.{database.q(column.name)}"
    exact = value if column.is_integer else database.exact(value, column)
    said = says_something(database, mapping, column, row)
    count = f"COUNT(DISTINCT CASE WHEN {said} THEN {exact} END)"
    if column.name in moments(mapping.table.model, database):
        count += f" + MAX(CASE WHEN {value} IS NULL THEN 1 ELSE 0 END)"
    return count


def differing_columns(database: Database, mapping: MergeMap) -> dict[int, int]:
    """In how many columns the rows of each group differ, by group number; none without any."""
    columns = compared_columns(mapping)
    if not columns:
        return {}
    counted = [
        f"CASE WHEN {distinct_values(database, mapping, column, 'r')} > 1 THEN 1 ELSE 0 END"
        for column in columns
    ]
    rows = database.fetch(
        f"SELECT * FROM (SELECT m.group_number AS g, {' + '.join(counted)} AS n"
        f" FROM {mapping.with_rows('r', database)} GROUP BY m.group_number) x WHERE x.n > 0"
    )
    return {int(number): int(differing) for number, differing in rows}


def counting(database: Database, mapping: MergeMap, columns: Sequence[Column]) -> str:
    """A query for the number of groups that differ, and of values that give way, by column."""
    counted = [
        f"{distinct_values(database, mapping, column, 'r')} AS n{number}"
        for number, column in enumerate(columns)
    ]
    totals = [
        f"COUNT(CASE WHEN x.n{number} > 1 THEN 1 END) AS g{number},"
        f" SUM(CASE WHEN x.n{number} > 1 THEN x.n{number} - 1 ELSE 0 END) AS v{number}"
        for number in range(len(columns))
    ]
    grouped = ", ".join(database.qualified("m", mapping.survivors))
    # without a column to compare there is still one row
    asked, inner = ", ".join(totals) or "COUNT(*) AS g", ", ".join(counted) or "0 AS n"
    return (
        f"SELECT {asked} FROM (SELECT {inner}"
        f" FROM {mapping.with_rows('r', database)} GROUP BY {grouped}) x"
    )


def told(
    mapping: MergeMap, rules: FieldRules, columns: Sequence[Column], numbers: Sequence[Any]
) -> Iterator[FieldDifference]:
    """What a plan says of these columns, for which these numbers were counted."""
    for number, column in enumerate(columns):
        groups, values = numbers[2 * number : 2 * number + 2]
        if groups:
            named = rules.named.get((mapping.table.name, column.name))
            yield FieldDifference(
                model=mapping.table.model._meta.label,
                field=getattr(field_of(mapping, column), "name", column.name),
                groups=int(groups),
                values=int(values),
                rule=named.name if named else "",
            )
