"""Counts what a merge of rows named one by one meets in each table that points at them.

Only reads: the mapping stands in the statement itself, and no work table is made.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .groups import named_members
from .losers import losing_rows
from .mapping import MERGED, Mapping, filling
from .repointing import are_merged, repointed_rows
from .rule_rows import rule_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..databases import Database
    from ..graph.references import Reference
    from ..graph.unique import UniqueRule
    from ..values import RowSet
    from .holders import Holder
    from .session import Session

    Question = tuple[Any, str, Sequence[Any]]
    """What is counted, under a key of any kind, and the query for its number."""


@dataclass(frozen=True, kw_only=True)
class InlineMapping:
    """A mapping without a work table: a common table expression of that name at the head of
    each statement."""

    database: Database
    mapping: Mapping
    head: str
    params: Sequence[Any]

    def fetch(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self.database.fetch(f"{self.head} {sql}", [*self.params, *params])


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a merge meets in one table, each unique rule looked at by itself.

    ``rows`` are those that point at duplicates by each reference, and are none themselves;
    ``losers`` is in the order of the holder's rules. ``own_targets`` are the survivors that
    point at a duplicate of theirs.
    """

    holder: Holder
    rows: dict[Reference, int]
    losers: tuple[int, ...]
    own_targets: int

    @property
    def broken(self) -> list[UniqueRule]:
        """The unique rules by which rows lose."""
        return [rule for rule, losers in zip(self.holder.rules, self.losers, strict=True) if losers]

    @property
    def nothing(self) -> Found:
        """What is met there once the group is held back."""
        losers = (0,) * len(self.losers)
        return replace(self, rows=dict.fromkeys(self.rows, 0), losers=losers, own_targets=0)


def inline(session: Session, source: RowSet, mapping: Mapping) -> InlineMapping:
    """The mapping of rows named one by one, whose work table is not made."""
    database = session.database
    members, params = named_members(session, source)
    names, rows = filling(database, mapping, members)
    listed = ", ".join(map(database.q, names))
    typed = _texts_typed(database, mapping, rows, names)
    head = f"WITH {database.q(mapping.name)} ({listed}) AS ({typed})"
    return InlineMapping(database=database, mapping=mapping, head=head, params=params)


def _texts_typed(database: Database, mapping: Mapping, rows: str, names: list[str]) -> str:
    """The rows, their keys as text comparing as those of a work table do."""
    if not mapping.text:
        return rows
    columns = ", ".join(map(database.q, names))
    plain = [database.q(name) for name in names if name not in mapping.texts]
    texts = [database.as_text(database.q(name), mapping.text) for name in mapping.texts]
    return f"WITH d ({columns}) AS ({rows}) SELECT {', '.join(plain + texts)} FROM d"


def count_members(rows: InlineMapping, holders: Sequence[Holder]) -> tuple[int, list[Found]]:
    """How many rows the group has, and what each holder has for them, by one statement."""
    members = f"SELECT COUNT(*) FROM {rows.database.q(rows.mapping.name)}"
    questions: list[Question] = [("members", members, ())]
    for holder in holders:
        questions += _questions(rows.database, rows.mapping, holder)
    (numbers,) = rows.fetch(
        f"SELECT {', '.join(f'({sql})' for _, sql, _ in questions)}",
        [param for _, _, params in questions for param in params],
    )
    found = {key: int(number) for (key, *_), number in zip(questions, numbers, strict=True)}
    return found["members"], [_found(holder, found) for holder in holders]


def _found(holder: Holder, found: dict[Any, int]) -> Found:
    return Found(
        holder=holder,
        rows={reference: found[reference] for reference in holder.references},
        losers=tuple(found[holder.table.name, number] for number in range(len(holder.rules))),
        own_targets=sum(found.get((reference, "own"), 0) for reference in holder.references),
    )


def _questions(database: Database, mapping: Mapping, holder: Holder) -> Iterator[Question]:
    for reference in holder.references:
        rows = repointed_rows(database, mapping, reference)
        gone = are_merged(database, mapping, reference)
        yield reference, f"SELECT COUNT(*) {rows} AND NOT ({gone})", ()
        if reference.holder is mapping.table.model and not reference.is_key:
            yield (reference, "own"), _own_targets(database, mapping, reference), ()
    for number, rule in enumerate(holder.rules):
        compared = rule_rows(database, mapping, holder, rule)
        losing = losing_rows(database, mapping, holder, compared)
        yield (holder.table.name, number), f"SELECT COUNT(*) {losing}", compared.params


def _own_targets(database: Database, mapping: Mapping, reference: Reference) -> str:
    """The survivors that point at a duplicate of theirs."""
    survivor = database.equal(
        database.qualified("t", mapping.key), database.qualified("m", mapping.survivors)
    )
    held = database.equal(
        database.qualified("t", reference.columns), database.qualified("m", mapping.old(reference))
    )
    conditions = filter(None, [MERGED, held, reference.condition("t", database)])
    return (
        f"SELECT COUNT(*) FROM {database.q(mapping.name)} m {database.join}"
        f" {database.q(mapping.table.name)} t ON {survivor} WHERE {' AND '.join(conditions)}"
    )
