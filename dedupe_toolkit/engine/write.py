"""Carries a level out: which users' rows change, in which order. Only a merge comes here."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..models import MergeStep
from .changes import Changes, RowsChanged
from .embedded import Embedded, find_embedded
from .handing_over import handing_over
from .levels import Level, Work
from .mapping import MERGED, Mapping
from .repointing import NEVER, are_merged, count_rows, repointed_rows, will_move_on
from .rivals import Fate, Rivals

if TYPE_CHECKING:
    from ..graph.references import Reference
    from .new_values import FieldRules, NewValue
    from .own_targets import OwnTarget
    from .session import Session
    from .tally import Tally

Reason = MergeStep.Reason

_DISCARDS = {
    Fate.REDUNDANT: Reason.REDUNDANT,
    Fate.DISCARD: Reason.DISCARDED,
    Fate.OWN_LINK: Reason.OWN_LINK,
}


@dataclass(frozen=True, kw_only=True)
class Writer:
    """Carries out one level after another, in the transaction of one batch."""

    session: Session
    changes: Changes
    rules: FieldRules
    tally: Tally
    planned: Mapping
    """The mapping of the whole run: what a later batch merges counts as going, too."""

    def apply(self, level: Level, reason: MergeStep.Reason = Reason.DUPLICATE) -> int:
        """Apply a mapping to every table it concerns; returns how many rows were merged.

        In an order in which no unique rule is broken on the way and no cascade ever fires:
        rivals go first, then everything is repointed, then the duplicates go, and last the
        survivors take values that may have to be unique.
        """
        mapping = level.mapping
        for work in level.works:
            self._settle_rivals(work, mapping)
        for own in level.own_targets:
            self._give_target(mapping, own)
        for work in level.works:
            for reference in work.holder.references:
                self._repoint(work, mapping, reference, level.above)
        self._repoint_embedded(mapping)
        values = list(self.rules.new_values(mapping, _own(self.session, mapping, level)))
        with handing_over(self.session, mapping, values):
            merged = self._delete_merged(mapping, reason)
            for value in values:
                self._write_value(mapping, value)
        return merged

    def _settle_rivals(self, work: Work, mapping: Mapping) -> None:
        if work.rivals is None:
            return
        for fate, reason in _DISCARDS.items():
            if work.fates.get(fate) and not (fate is Fate.REDUNDANT and work.nested):
                self._delete_losers(work.rivals, fate, reason)
        if work.nested:
            nested = work.nested.mapping
            self.session.database.lock_rows(nested.table, nested.name, nested.on_key)
            self.apply(work.nested, Reason.RIVAL)
        label, kind = _names(work)
        self.tally.add(label, kind, discarded=work.discarded, merged=work.merged)

    def _delete_losers(self, rivals: Rivals, fate: Fate, reason: MergeStep.Reason) -> None:
        self.changes.delete(
            rivals.holder.table,
            source=rivals.name,
            on=rivals.on_key,
            where_source=f"m.fate = '{fate}'",
            root="m.root",
            reason=reason,
            reference=rivals.holder.references[0].label,
        )

    def _give_target(self, mapping: Mapping, own: OwnTarget) -> None:
        columns = list(own.reference.columns)
        values = [f"value_{number}" for number in range(len(columns))]
        self._update_survivors(
            mapping, own.name, dict(zip(columns, values, strict=True)), Reason.OWN_TARGET
        )

    def _write_value(self, mapping: Mapping, value: NewValue) -> None:
        self._update_survivors(mapping, value.name, {value.column.name: "value"}, Reason.VALUE)

    def _update_survivors(
        self, mapping: Mapping, source: str, assigned: dict[str, str], reason: MergeStep.Reason
    ) -> None:
        """Set columns of survivors from a work table that has their keys and the values."""
        database = self.session.database
        root = mapping.root(database)
        if mapping.is_nested:
            same = database.equal(
                database.qualified("m", mapping.survivors), database.qualified("g", mapping.members)
            )
            root = f"(SELECT g.root FROM {database.q(mapping.name)} g WHERE {same})"
        self.changes.update(
            mapping.table,
            assigned,
            source=source,
            on=mapping.on_survivor,
            root=root,
            reason=reason,
        )

    def _repoint_embedded(self, mapping: Mapping) -> None:
        for number, reference in enumerate(self.session.embedded(mapping.table.model)):
            name = f"{mapping.name}_in_{number}"
            database = self.session.database
            found = find_embedded(database, mapping, reference, name)
            if found.rows:
                database.lock_rows(found.table, name, found.on_key)
                # again, now that nobody else can change the values any more
                self._replace(find_embedded(database, mapping, reference, name))

    def _replace(self, embedded: Embedded) -> None:
        rows = self.changes.update(
            embedded.table,
            {embedded.reference.value: "value"},
            source=embedded.name,
            on=embedded.on_key,
            root="m.root",
            reason=Reason.REPOINTED,
            reference=embedded.reference.label,
        )
        self.tally.add(embedded.reference.label, embedded.reference.kind, repointed=rows)

    def _repoint(
        self, work: Work, mapping: Mapping, reference: Reference, above: tuple[Mapping, ...] = ()
    ) -> None:
        passing = self._count_passing(mapping, reference, above)
        database = self.session.database
        with database.broken_foreign_keys() if reference.is_key else nullcontext():
            rows = self.changes.update(
                work.holder.table,
                dict(zip(reference.columns, mapping.new(reference), strict=True)),
                source=mapping.source(reference),
                on=dict(zip(reference.columns, mapping.old(reference), strict=True)),
                where=reference.condition("t", database),
                where_source=MERGED,
                root=mapping.root_at(reference, database),
                reason=Reason.REPOINTED,
                reference=reference.label,
            )
        self.tally.add(reference.label, reference.kind, repointed=rows - passing)
        if reference.is_key and rows:
            self._follow(mapping, work)

    def _count_passing(
        self, mapping: Mapping, reference: Reference, above: tuple[Mapping, ...]
    ) -> int:
        """How many rows are about to be repointed that go, or are repointed again, anyway."""
        database = self.session.database
        going = are_merged(database, self._going(mapping), reference)
        moving = will_move_on(database, mapping, above)
        if going == moving == NEVER:
            return 0
        rows = repointed_rows(database, mapping, reference)
        return int(database.value(f"SELECT COUNT(*) {rows} AND ({going} OR {moving})"))

    def _going(self, mapping: Mapping) -> Mapping:
        return self.planned if mapping.table.name == self.planned.table.name else mapping

    def _follow(self, mapping: Mapping, work: Work) -> None:
        """Rows whose primary key just changed with the mapping: what points at them follows.

        Nothing pointed at the new key before, so nothing can collide.
        """
        keyed = replace(mapping, table=work.holder.table)
        self._repoint_embedded(keyed)
        for holder in self.session.holders(work.holder.table.model):
            below = Work(holder=holder)
            for reference in holder.references:
                self._repoint(below, mapping, reference)

    def _delete_merged(self, mapping: Mapping, reason: MergeStep.Reason) -> int:
        """Delete the duplicates, after making sure that nothing points at them any more."""
        database, table = self.session.database, mapping.table
        self._refuse_left(mapping)
        return self.changes.delete(
            table,
            source=mapping.name,
            on=mapping.on_key,
            where_source=MERGED,
            root=mapping.root(database),
            reason=reason,
        )

    def _refuse_left(self, mapping: Mapping) -> None:
        database = self.session.database
        for holder in self.session.holders(mapping.table.model):
            for reference in holder.references:
                if reference.is_enforced or _points_at_twin(reference, mapping):
                    continue
                left = count_rows(database, repointed_rows(database, mapping, reference))
                if left:
                    raise RowsChanged(f"{left} new rows of {reference.label} point at duplicates")


def _points_at_twin(reference: Reference, mapping: Mapping) -> bool:
    """A foreign key by value: the survivor may have taken over the very value it holds."""
    return not reference.is_text and reference.targets != tuple(mapping.key)


def _own(session: Session, mapping: Mapping, level: Level) -> dict[str, str]:
    """For each self-reference, SQL that is true when a member (``d``) points at its survivor."""
    database = session.database
    own = {}
    for work in level.works:
        for reference in work.holder.references:
            if work.holder.table.name == mapping.table.name and not reference.is_text:
                same = database.equal(
                    database.qualified("d", reference.columns),
                    database.qualified("m", mapping.survivors),
                )
                parts = [same, reference.condition("d", database)]
                own[reference.columns[0]] = " AND ".join(filter(None, parts))
    return own


def _names(work: Work) -> tuple[str, str]:
    reference = work.holder.references[0]
    return reference.label, reference.kind
