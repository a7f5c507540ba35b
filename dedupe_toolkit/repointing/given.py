"""What survivors are given, as values or as targets of their own, and is repointed afterwards.

A plan counts references by what rows hold at first. A run repoints what is there by then, and
learns here how many rows that concerns. Only reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ..databases.names import numbered
from ..references.discover import columns_pointed_at, references_to
from .rows import is_found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..databases import Database
    from ..field_rules.value_steps import ValueStep
    from ..mapping.mapping import MergeMap
    from ..planning.levels import Level
    from ..references.kinds import Reference

    Condition = Callable[[Sequence[str]], str]
    """SQL for what is true of values."""


@dataclass(frozen=True, kw_only=True)
class Given:
    """What a level with this ``mapping`` gives its survivors, in the columns of a step.

    ``planned`` is the mapping of the whole run, and ``top`` all that its batch does. What a
    survivor holds before it is given a target ``of_its_own`` the plan counts as little as that.
    """

    database: Database
    planned: MergeMap
    top: Level
    mapping: MergeMap
    step: ValueStep
    of_its_own: bool

    def counted_too_often(self) -> Iterator[tuple[Reference, int]]:
        """By how many rows each reference will count more than the plan says.

        Those whose new value is yet to move, less those whose present one is.
        """
        database, mapping, columns = self.database, self.mapping, self.step.columns
        survivor = database.join_on("t", mapping.key, "v", mapping.survivors)
        given = f"SELECT COUNT(*) FROM {database.q(self.step.name)} v"
        held = f"{given} {database.join} {database.q(mapping.table.name)} t ON {survivor}"
        for reference, ahead in self._ahead().items():
            new = database.qualified("v", [columns[column] for column in reference.columns])
            queries = [f"{given} WHERE {_any_of(ahead, new)}"]
            if not self.of_its_own:
                present = database.qualified("t", reference.columns)
                queries.append(f"{held} WHERE {_any_of(ahead, present)}")
            then, *now = map(int, database.answers(queries))
            yield reference, then - sum(now)

    def _ahead(self) -> dict[Reference, list[Condition]]:
        """The references that are given values, and when one of these will become another."""
        found: dict[Reference, list[Condition]] = {}
        for reference, targets in holding(self.planned, self.database.using).items():
            if self._gives(reference):
                found[reference] = [partial(self._are_planned, targets)]
        for level in self.top.levels():
            is_done = level.mapping.name == self.mapping.name and not self.of_its_own
            merging = () if is_done or level is self.top else (level.mapping,)
            for reference in (one for work in level.works for one in work.referrer.references):
                if reference.holds_key and self._gives(reference):
                    moving = (*merging, *level.moving.get(reference.targets, ()))
                    sources = [mapping.by_targets(reference) for mapping in moving]
                    found.setdefault(reference, []).extend(
                        partial(self._are_moving, source) for source in sources
                    )
        return {reference: ahead for reference, ahead in found.items() if ahead}

    def _gives(self, reference: Reference) -> bool:
        is_here = reference.referrer._meta.db_table == self.mapping.table.name
        return is_here and self.step.columns.keys() >= set(reference.columns)

    def _are_planned(self, targets: tuple[str, ...], values: Sequence[str]) -> str:
        """SQL that is true for values of duplicates of the run that are yet to be merged."""
        database, planned, mapping = self.database, self.planned, self.mapping
        members, row, later = database.qualified("p", planned.members), "", ""
        if targets != tuple(planned.key):
            # by another column: of the row (``r``) that is the duplicate
            same = database.join_on("r", planned.key, "p", planned.members)
            row = f" {database.join} {database.q(planned.table.name)} r ON {same}"
            members = database.qualified("r", targets)
        if mapping.table.name == planned.table.name and not self.of_its_own:
            done = database.join_on("p", planned.members, "m", mapping.members)
            later = f" AND NOT EXISTS (SELECT 1 FROM {database.q(mapping.name)} m WHERE {done})"
        same = database.equal(values, members)
        return is_found(f"{database.q(planned.name)} p{row} WHERE p.place > 0 AND {same}{later}")

    def _are_moving(self, source: str, values: Sequence[str]) -> str:
        """SQL that is true for values that a work table has as those of duplicates."""
        members = self.database.qualified("u", numbered("member", len(values)))
        same = self.database.equal(values, members)
        return is_found(f"{self.database.q(source)} u WHERE u.place > 0 AND {same}")


def holding(planned: MergeMap, using: str) -> dict[Reference, tuple[str, ...]]:
    """The references that hold values of the planned rows, and the columns of which these are.

    Those to the rows themselves, and to others whose key is such a value and moves along.
    """
    waiting = [(one, one.targets) for one in references_to(planned.table.model, using)]
    found: dict[Reference, tuple[str, ...]] = {}
    while waiting:
        reference, targets = waiting.pop()
        if reference in found or reference.is_embedded or not reference.holds_key:
            continue
        found[reference] = targets
        if columns_pointed_at(reference.referrer).issuperset(reference.columns):
            below = references_to(reference.referrer, using)
            waiting += [(one, targets) for one in below if one.targets == reference.columns]
    return found


def _any_of(conditions: Sequence[Condition], values: Sequence[str]) -> str:
    return " OR ".join(condition(values) for condition in conditions)
