"""A merge on copies of the rows, so that what the database will refuse is found by the plan.

Goes through a level in the order in which a run does, wave after wave. Only columns that demands
depend on are copied, and nothing is where nothing is at stake. Reads users' rows, writes work
tables.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..field_rules.new_values import new_values
from ..field_rules.value_steps import value_steps
from ..mapping.by_value import with_values
from ..mapping.mapping import MERGED
from ..mapping.waves import waves
from ..references.rule_sql import columns_in
from ..references.together import together_in
from ..repointing.followers import followers
from ..repointing.rows import repointed_rows
from ..repointing.self_references import pointing_at_survivor
from .demands import demands_at_stake
from .new_rows import NewRows
from .table_changes import table_changes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..databases.tables import Column, Table
    from ..field_rules.value_steps import ValueStep
    from ..mapping.mapping import MergeMap
    from ..references.kinds import Reference
    from ..references.referrers import Referrer
    from ..repointing.self_references import OwnTarget
    from .demands import Demand
    from .levels import Level, Work
    from .reasons.in_the_way import InTheWay
    from .session import Session
    from .table_changes import TableChanges


def hold_refused(session: Session, level: Level) -> bool:
    """Hold back the groups that the database would refuse to merge; whether there are any."""
    before = len(session.held)
    rehearsal = Rehearsal(session, level)
    if rehearsal.copies:
        rehearsal.apply(level)
    return len(session.held) > before


def doubts(session: Session, level: Level) -> list[str] | None:
    """Queries for numbers that are zero if a rehearsal has nothing to tell; None if it must."""
    found = [demand for _, demands in _at_stake(session, level) for demand in demands]
    return [demand.doubt for demand in found] if all(demand.doubt for demand in found) else None


def _at_stake(session: Session, level: Level) -> list[tuple[TableChanges, list[Demand]]]:
    changed = table_changes(session, level)
    session.database.read_demands(changes.table.model for changes in changed)
    return [(changes, demands_at_stake(session.database, changes)) for changes in changed]


def _unsettled(session: Session, level: Level) -> list[tuple[TableChanges, list[Demand]]]:
    """What is at stake, without what no key in question can fail."""
    stakes = _at_stake(session, level)
    asked = [demand.doubt for _, demands in stakes for demand in demands if demand.doubt]
    listed = ", ".join(f"({doubt})" for doubt in asked)
    counts = session.database.fetch(f"SELECT {listed}")[0] if asked else ()
    settled = {doubt for doubt, count in zip(asked, counts, strict=True) if not count}
    return [
        (changes, [demand for demand in demands if demand.doubt not in settled])
        for changes, demands in stakes
    ]


class Rehearsal:
    """The copies of all tables that a level may change so that a demand is no longer met."""

    def __init__(self, session: Session, level: Level) -> None:
        self.session = session
        self.demands: dict[str, list[Demand]] = {}
        self.copies: dict[str, NewRows] = {}
        for number, (changes, demands) in enumerate(_unsettled(session, level)):
            if demands:
                name = session.work_table("new", number)
                self.demands[changes.table.name] = demands
                self.copies[changes.table.name] = _copies(session, name, changes, demands)

    def apply(self, level: Level) -> None:
        for work in level.works:
            self._settle_rivals(work)
        for wave in self._waves(level):
            self._move(wave)
        for side in level.sides:
            self.apply(side)

    def _waves(self, level: Level) -> Iterator[Level]:
        """The level itself, or the part of it that each wave of its groups does: a value that a
        survivor takes may still be held by a duplicate that goes later."""
        is_top = not level.mapping.is_nested
        parts = list(waves(self.session, level.mapping)) if is_top else []
        references = [ref for work in level.works for ref in work.referrer.references]
        for part in parts:
            yield replace(level, mapping=with_values(self.session.database, part, references))
        if not parts:
            yield level

    def _move(self, level: Level) -> None:
        """What a level's mapping does once all rivals are settled."""
        mapping = level.mapping
        for way in level.in_the_way:
            self._empty(mapping, way)
        for own in level.own_targets:
            self._give_target(mapping, own)
        if level.is_chained:
            self._drop_duplicates(mapping)
        for work in level.works:
            for reference in work.referrer.references:
                if reference in level.pointing:
                    self._repoint(work.referrer, mapping, reference)
        values = self._values(level)
        self._drop_duplicates(mapping)
        for step in values:
            self._write_values(mapping, step)

    def _drop_duplicates(self, mapping: MergeMap) -> None:
        if rows := self.copies.get(mapping.table.name):
            rows.drop(mapping.named.only(MERGED))

    def _settle_rivals(self, work: Work) -> None:
        rows, rivals = self.copies.get(work.referrer.table.name), work.rivals
        if rows and rivals:
            for outcome in work.deleted:
                rows.drop(rivals.losing.only(f"m.outcome = '{outcome}'"))
        if work.nested:
            self.apply(work.nested)

    def _empty(self, mapping: MergeMap, way: InTheWay) -> None:
        if rows := self._copied(way.mapping.table, way.reference):
            named = way.named.only(self._has(mapping, mapping.members))
            rows.take_named(named)
            rows.update(way.assigned, named)

    def _give_target(self, mapping: MergeMap, own: OwnTarget) -> None:
        values = {column: f"value_{n}" for n, column in enumerate(own.reference.columns)}
        if rows := self._copied(mapping.table, own.reference):
            named = mapping.survivors_in(own.name).only(self._has(mapping, ["group_number"]))
            rows.take_named(named)
            by = {rows.by[column]: "group_number" for column in values}
            rows.update(values | by, named)
            self._hold(rows, values)

    def _has(self, mapping: MergeMap, columns: Sequence[str]) -> str:
        """SQL that is true for what a work table (``m``) says of groups of this mapping."""
        database = self.session.database
        same = database.join_on("m", columns, "g", columns)
        return f"EXISTS (SELECT 1 FROM {database.q(mapping.name)} g WHERE {same})"

    def _copied(self, table: Table, reference: Reference) -> NewRows | None:
        rows = self.copies.get(table.name)
        return rows if rows and set(reference.columns) <= rows.by.keys() else None

    def _repoint(self, referrer: Referrer, mapping: MergeMap, reference: Reference) -> None:
        database = self.session.database
        if rows := self._copied(referrer.table, reference):
            rows.take(repointed_rows(database, mapping, reference))
            new = dict(zip(reference.columns, mapping.new(reference), strict=True))
            by = {rows.by[column]: "group_number" for column in reference.columns}
            rows.update(new | by, mapping.pointing(reference, database))
            self._hold(rows, new)
        for follower in followers(self.session, mapping, referrer, reference):
            self._repoint(follower.referrer, follower.mapping, follower.reference)

    def _values(self, level: Level) -> list[ValueStep]:
        """The values that survivors take, worked out of the copies."""
        mapping, rules = level.mapping, level.policy.rules
        rows = self.copies.get(mapping.table.name)
        wanted = rows.by.keys() & rules.changing(mapping.table).keys() if rows else ()
        if not rows or not wanted:
            return []
        rows.take_named(mapping.named)
        # the copies are all repointed
        held: dict[str, str] = {}
        own = pointing_at_survivor(self.session, mapping, level, held)
        copied = replace(mapping, table=rows.as_table(wanted))
        values = list(new_values(rules, copied, own, held))
        return list(value_steps(self.session.database, copied, values))

    def _write_values(self, mapping: MergeMap, step: ValueStep) -> None:
        database, rows = self.session.database, self.copies[mapping.table.name]
        rows.update(step.columns, mapping.survivors_in(step.name))
        survivor = database.join_on("v", mapping.survivors, "m", mapping.members)
        changed = f"EXISTS (SELECT 1 FROM {database.q(step.name)} v WHERE {survivor})"
        by = {rows.by[column]: "group_number" for column in step.columns}
        rows.update(by, mapping.named.only(f"m.place = 0 AND {changed}"))
        self._hold(rows, step.columns)

    def _hold(self, rows: NewRows, columns: Iterable[str]) -> None:
        """After each step, as the database looks at rows after each."""
        for demand in self.demands[rows.table.name]:
            if not demand.reads.isdisjoint(columns):
                demand.hold(self.session, rows)


def _copies(session: Session, name: str, changes: TableChanges, demands: list[Demand]) -> NewRows:
    """The work table for the copies of a table's rows, empty."""
    database, table = session.database, changes.table
    reads = {key.name for key in table.pk}.union(*(demand.reads for demand in demands))
    reads |= _beside(session, changes, reads)
    changing = [column.name for column in table.stored if column.name in changes.changed & reads]
    rows = NewRows(
        database=database,
        name=name,
        table=table,
        columns=tuple(
            _wide(session, changes, column) for column in table.stored if column.name in reads
        ),
        by={column: f"dedupe_by_{number}" for number, column in enumerate(changing)},
    )
    rows.create()
    return rows


def _beside(session: Session, changes: TableChanges, reads: set[str]) -> set[str]:
    """The columns that say whom the references among these columns mean, and their other ones; and
    those with which they belong together."""
    found: set[str] = set()
    names = [column.name for column in changes.table.columns]
    for _, reference in (pair for column in reads for pair in changes.repointed.get(column, ())):
        condition = reference.condition("t", session.database)
        found |= {*reference.columns, *columns_in([condition], names)}
    for one in together_in(changes.table.model):
        if not reads.isdisjoint(one.columns):
            found.update(one.columns)
    return found


def _wide(session: Session, changes: TableChanges, column: Column) -> Column:
    """The column, able to hold any value that may be asked whether it meets the demands."""
    is_computed = column.name in changes.computed
    kind = session.database.wide(column) if is_computed else column.undemanding
    return replace(column, definition=kind)
