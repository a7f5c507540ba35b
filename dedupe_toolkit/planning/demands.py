"""What the database demands of rows: each kind finds the rows, as they will be, that fail it.

Unique rules are here as well, for the values that rows take over: what collides only because of a
repointed reference has been settled as rivals. Reads users' rows, writes work tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ..databases.names import numbered
from ..databases.relations import Relation, evaluated, generating, table_rows
from ..references.meta import field_of
from ..references.rule_sql import TableRule, columns_in, needed, table_rule
from ..references.unique import unique_rules
from ..wording.reasons import REASONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..databases import Database
    from ..databases.checks import LiveExclusion
    from ..databases.tables import Table
    from .new_rows import NewRows
    from .session import Session
    from .table_changes import TableChanges


class Demand(Protocol):
    """One demand on a table; ``reads`` are the columns on which it depends."""

    @property
    def reads(self) -> frozenset[str]: ...

    @property
    def doubt(self) -> str:
        """A query for a number that is zero if no row can fail it; empty if rows must tell."""

    def hold(self, session: Session, rows: NewRows) -> None:
        """Hold back the groups because of which rows fail it."""


@dataclass(frozen=True, kw_only=True)
class RowDemand:
    """A condition on each row by itself; ``code`` is that of the reason where a row fails it."""

    code: str
    told: Mapping[str, Any]
    sql: str
    reads: frozenset[str]
    generated: Mapping[str, str]
    doubt: str = ""

    def hold(self, session: Session, rows: NewRows) -> None:
        database, keys = session.database, rows.keys
        relation = generating(database, rows.relation(), self.generated)
        listed = ", ".join([f"{rows.blamed(self.reads)} AS group_number", *keys])
        _hold(
            session,
            rows,
            self.code,
            self.told,
            f"SELECT {listed} FROM {relation.sql} q WHERE NOT ({self.sql})",
        )


@dataclass(frozen=True, kw_only=True)
class UniqueDemand:
    rule: TableRule
    doubt: str = ""

    @property
    def reads(self) -> frozenset[str]:
        return self.rule.decisive

    def hold(self, session: Session, rows: NewRows) -> None:
        database = session.database
        new = evaluated(database, rows.relation(), self.rule)
        old = evaluated(database, table_rows(database, rows.table), self.rule)
        values = [*database.qualified("r", self.rule.columns), *new.values]
        compared = numbered("v", len(values))
        named = [f"{sql} AS {name}" for sql, name in zip(values, compared, strict=True)]
        same = [f"c.{name}" for name in compared]
        met = database.equal(values, same) if self.rule.nulls_distinct else "1 = 1"
        filled = [f"a.{name} IS NOT NULL" for name in compared if self.rule.nulls_distinct]
        window = (
            f"(PARTITION BY {', '.join(f'a.{name}' for name in compared)}"
            f" ORDER BY CASE WHEN a.g IS NULL THEN 0 ELSE 1 END, {', '.join(rows.keys)})"
        )
        firsts = [f"FIRST_VALUE(a.{key}) OVER {window} AS first_{key}" for key in rows.keys]
        _hold(
            session,
            rows,
            "unique",
            {"rule": self.rule.text, "fields": sorted(self.reads)},
            database.reading_again(
                f"SELECT {', '.join([*rows.keys, *named])},"
                f" {rows.blamed(self.reads)} AS g FROM {new.sql} r",
                lambda found: (
                    f"SELECT a.g AS group_number, {', '.join([*rows.keys, *firsts])} FROM"
                    f" (SELECT * FROM {found} b UNION ALL"
                    f" SELECT {', '.join([*rows.raw_keys('r'), *named])}, NULL"
                    f" FROM {found} c {database.join} {old.sql} r ON {met}"
                    f" WHERE c.g IS NOT NULL AND {rows.is_unknown('r')}) a"
                    f" WHERE {' AND '.join(filled) or '1 = 1'}"
                ),
            ),
        )


@dataclass(frozen=True, kw_only=True)
class ExclusionDemand:
    exclusion: LiveExclusion
    reads: frozenset[str]
    generated: Mapping[str, str]
    doubt: str = ""

    def hold(self, session: Session, rows: NewRows) -> None:
        database = session.database
        blamed = rows.blamed(self.reads)
        new = self._compared(database, rows.relation(), [*rows.keys], blamed)
        old = self._compared(
            database,
            table_rows(database, rows.table),
            rows.raw_keys("q"),
            "NULL::bigint",
            rows.is_unknown("q"),
        )
        meet = [
            f"a.p{number} {operator} b.p{number}"
            for number, (_, operator) in enumerate(self.exclusion.parts)
        ]
        one, other = (", ".join(f"{side}.{key}" for key in rows.keys) for side in ("a", "b"))
        firsts = [f"b.{key} AS first_{key}" for key in rows.keys]
        _hold(
            session,
            rows,
            "exclusion",
            {"name": self.exclusion.name},
            database.reading_again(
                new,
                lambda found: (
                    f"SELECT a.g AS group_number, {one}, {', '.join(firsts)} FROM {found} a"
                    f" JOIN (SELECT * FROM {found} c UNION ALL {old}) b ON {' AND '.join(meet)}"
                    f" WHERE a.g IS NOT NULL AND ({one}) <> ({other})"
                    f" AND (b.g IS NULL OR ({one}) > ({other}))"
                ),
            ),
        )

    def _compared(
        self, database: Database, relation: Relation, keys: list[str], group: str, *where: str
    ) -> str:
        relation = generating(database, relation, self.generated)
        parts = [f"{sql} AS p{number}" for number, (sql, _) in enumerate(self.exclusion.parts)]
        conditions = " AND ".join([*filter(None, [self.exclusion.condition]), *where])
        return (
            f"SELECT {', '.join([*keys, *parts])}, {group} AS g FROM {relation.sql} q"
            f" WHERE {conditions or '1 = 1'}"
        )


def demands_at_stake(database: Database, changes: TableChanges) -> list[Demand]:
    """The demands on a table that the changes may leave unmet."""
    return [
        *_row_demands(database, changes),
        *_unique_demands(database, changes),
        *_exclusion_demands(database, changes),
    ]


def _row_demands(database: Database, changes: TableChanges) -> Iterator[RowDemand]:
    demands = database.demands(changes.table.model)
    for check in demands.checks:
        generated = needed(demands.generated, (), check.sql)
        reads = _reads(changes.table, check.sql, *generated.values())
        if not check.is_valid:
            # the database asks it of every row that is written, and some may have failed before
            reads |= changes.changed
        if _is_at_stake(changes, reads, is_kept=check.is_valid):
            name = f"check constraint {check.name}" if check.name else f"check {check.sql}"
            yield RowDemand(
                code="check",
                told={"check": name.replace("%%", "%"), "fields": sorted(reads)},
                sql=check.sql,
                reads=reads,
                generated=generated,
                doubt=_doubt(database, changes, check.sql, reads, generated),
            )
    for name in sorted(changes.computed):
        column = changes.table.column(name)
        fits = database.fits(column, field_of(changes.table.model, name))
        if fits:
            yield RowDemand(
                code="does not fit",
                told={"field": name, "type": column.definition.partition(" C")[0]},
                sql=fits,
                reads=frozenset([name]),
                generated={},
            )


def _doubt(
    database: Database,
    changes: TableChanges,
    sql: str,
    reads: frozenset[str],
    generated: Mapping[str, str],
) -> str:
    """For a condition on a reference alone: how many of the keys it may be given do not meet it."""
    (column, *more) = reads
    if more or column in changes.valued:
        return ""
    counts = []
    for mapping, reference in changes.repointed[column]:
        new = database.q(mapping.new(reference)[reference.columns.index(column)])
        keys = (
            f"(SELECT {new} AS {database.q(column)} FROM {database.q(mapping.source(reference))}"
            " WHERE place = 0)"
        )
        relation = generating(database, Relation(sql=keys, columns=(column,)), generated)
        counts.append(f"(SELECT COUNT(*) FROM {relation.sql} q WHERE NOT ({sql}))")
    return f"SELECT {' + '.join(counts)}"


def _unique_demands(database: Database, changes: TableChanges) -> Iterator[Demand]:
    model = changes.table.model
    for rule in (table_rule(model, database, one) for one in unique_rules(model, database)):
        decisive = rule.decisive.difference(rule.generated)
        # one mapping by itself makes rivals, which are settled
        is_settled = len(changes.mappings(decisive)) < 2 and not decisive & changes.valued
        if not is_settled and _is_at_stake(changes, decisive, is_kept=True):
            yield UniqueDemand(rule=rule)


def _exclusion_demands(database: Database, changes: TableChanges) -> Iterator[Demand]:
    demands = database.demands(changes.table.model)
    for exclusion in demands.exclusions:
        texts = [exclusion.condition, *(sql for sql, _ in exclusion.parts)]
        generated = needed(demands.generated, (), texts)
        reads = _reads(changes.table, *texts, *generated.values())
        if _is_at_stake(changes, reads, is_kept=True):
            yield ExclusionDemand(exclusion=exclusion, reads=reads, generated=generated)


def _is_at_stake(changes: TableChanges, reads: frozenset[str], *, is_kept: bool) -> bool:
    """Whether changes can break a demand on these columns that all rows keep, if ``is_kept``."""
    if is_kept and len(reads) == 1 and reads <= changes.picked - changes.computed:
        # a value that a row had, and no longer has, does for another as well
        return bool(reads & changes.repointed.keys())
    return not reads.isdisjoint(changes.changed)


def _reads(table: Table, *texts: str) -> frozenset[str]:
    return columns_in(texts, [column.name for column in table.stored])


def _hold(session: Session, rows: NewRows, code: str, told: Mapping[str, Any], found: str) -> None:
    """Hold back the groups of a query for rows that fail, perhaps beside others (``first_…``)."""
    pk, held = rows.table.pk, session.held
    beside = [f"first_{key}" for key in rows.keys]
    is_pair = "{second}" in REASONS[code].text
    differ = "1 = 1"
    if is_pair:
        names = [f"x.{key}" for key in rows.keys]
        differ = f"NOT ({session.database.equal(names, [f'x.{name}' for name in beside])})"
    held.add(
        code,
        f"FROM ({found}) x WHERE x.group_number IS NOT NULL AND {differ}",
        first=held.key("x", pk, beside if is_pair else rows.keys),
        second=held.key("x", pk, rows.keys),
        told={"model": rows.table.model._meta.label, **told},
    )
