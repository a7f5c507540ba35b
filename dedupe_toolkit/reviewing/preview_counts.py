"""Counts what a merge of rows named one by one meets in each table that points at them.

Only reads: the mapping stands in the statement itself, and no work table is made.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

from ..collisions.compared_rows import rule_rows
from ..collisions.losing_rows import losing_rows
from ..collisions.repeated_links import counting, link_rules
from ..collisions.ties import tied_rows
from ..mapping.groups import named_members
from ..mapping.mapping import MERGED, MergeMap, filling
from ..repointing.rows import are_merged, repointed_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..databases import Database
    from ..planning.session import Session
    from ..references.kinds import Reference
    from ..references.referrers import Referrer
    from ..references.rule_sql import TableRule
    from ..values import RowSet

    Question = tuple[Any, str]
    """What is counted, under a key of any kind, and the query for its number."""


@dataclass(frozen=True, kw_only=True)
class InlineMapping:
    """A mapping without a work table: a common table expression of that name at the head of
    each statement. ``texts`` are those that may be compared to their ends, at most."""

    database: Database
    mapping: MergeMap
    head: str
    params: Sequence[Any]
    texts: int = 0

    def fetch(self, select: str) -> list[tuple[Any, ...]]:
        statement = f"{self.head} {select}"
        if self.texts:
            statement = self.database.sorted_whole(self.head, select, self.texts + 1)
        return self.database.fetch(statement, self.params)


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a merge meets in one table, each unique rule looked at by itself.

    ``rows`` are those that point at duplicates by each reference, and are none themselves;
    ``losers`` is in the order of the referrer's rules. ``own_targets`` are the survivors that
    point at a duplicate of theirs, ``tied`` the rows that tie two members by two references, and
    ``repeated`` those that link what another row links.
    """

    referrer: Referrer
    rows: dict[Reference, int]
    losers: tuple[int, ...]
    own_targets: int
    tied: int
    repeated: int

    @property
    def broken(self) -> list[TableRule]:
        """The unique rules by which rows lose."""
        return [
            rule for rule, losers in zip(self.referrer.rules, self.losers, strict=True) if losers
        ]

    @property
    def nothing(self) -> Found:
        """What is met there once the group is held back."""
        losers = (0,) * len(self.losers)
        return replace(
            self, rows=dict.fromkeys(self.rows, 0), losers=losers, own_targets=0, tied=0, repeated=0
        )


def inline(session: Session, source: RowSet, mapping: MergeMap) -> InlineMapping:
    """The mapping of rows named one by one, whose work table is not made.

    Rows collide by whole texts, as a plan has them compared.
    """
    columns = {
        referrer.table.column(name)
        for referrer in session.referrers(mapping.table.model)
        for rule in referrer.rules
        for name in rule.decisive
    }
    texts = sum(map(session.database.may_be_cut, columns))
    rows = inline_of(session.database, mapping, *named_members(session, source))
    return replace(rows, texts=texts)


def inline_of(
    database: Database, mapping: MergeMap, members: str, params: Sequence[Any]
) -> InlineMapping:
    """The mapping of the members that SQL gives (see `filling`)."""
    names, rows = filling(database, mapping, members)
    listed = ", ".join(map(database.q, names))
    typed = _texts_typed(database, mapping, rows, names)
    head = f"WITH {database.q(mapping.name)} ({listed}) AS ({typed})"
    return InlineMapping(database=database, mapping=mapping, head=head, params=params)


def is_simple(reference: Reference, mapping: MergeMap) -> bool:
    """Whether a reference is one column with the primary key, as it is or as text."""
    return len(reference.columns) == 1 and reference.place == tuple(mapping.key)


def _texts_typed(database: Database, mapping: MergeMap, rows: str, names: list[str]) -> str:
    """The rows, their keys as text comparing as those of a work table do."""
    if not mapping.texts:
        return rows
    columns = ", ".join(map(database.q, names))
    plain = [database.q(name) for name in names if name not in mapping.texts]
    texts = [database.as_text(database.q(n), kind) for n, kind in mapping.text_types.items()]
    selected = ", ".join(plain + texts)
    return f"WITH dedupe_typed ({columns}) AS ({rows}) SELECT {selected} FROM dedupe_typed"


@dataclass(frozen=True, kw_only=True)
class Counted:
    """How many rows a group has, what all doubts come to, and what each referrer has for the rows.

    ``beside`` is the row that was asked for beside these.
    """

    members: int
    doubts: int
    referrers: list[Found]
    beside: Sequence[Any]


def count_members(
    rows: InlineMapping, referrers: Sequence[Referrer], doubts: Sequence[str], beside: str
) -> Counted:
    """What there is to count for a group, by one statement.

    ``doubts`` are queries for numbers, ``beside`` is one for a row.
    """
    members = f"SELECT COUNT(*) FROM {rows.database.q(rows.mapping.name)}"
    questions: list[Question] = [("members", members)]
    questions += [(("doubt", number), sql) for number, sql in enumerate(doubts)]
    for referrer in referrers:
        questions += _questions(rows.database, rows.mapping, referrer)
    asked = ", ".join(f"({sql})" for _, sql in questions)
    (numbers,) = rows.fetch(f"SELECT {asked}, d.* FROM ({beside}) d")
    found = {key: int(number) for (key, _), number in zip(questions, numbers, strict=False)}
    return Counted(
        members=found["members"],
        doubts=sum(found["doubt", number] for number in range(len(doubts))),
        referrers=[_found(referrer, found) for referrer in referrers],
        beside=numbers[len(questions) :],
    )


def _found(referrer: Referrer, found: dict[Any, int]) -> Found:
    return Found(
        referrer=referrer,
        rows={reference: found[reference] for reference in referrer.references},
        losers=tuple(found[referrer.table.name, number] for number in range(len(referrer.rules))),
        own_targets=sum(found.get((reference, "own"), 0) for reference in referrer.references),
        tied=sum(found[ends] for ends in combinations(referrer.references, 2)),
        repeated=sum(
            found["links", referrer.table.name, number]
            for number in range(len(link_rules(referrer)))
        ),
    )


def _questions(database: Database, mapping: MergeMap, referrer: Referrer) -> Iterator[Question]:
    for reference in referrer.references:
        rows = repointed_rows(database, mapping, reference)
        gone = are_merged(database, mapping, reference)
        yield reference, f"SELECT COUNT(*) {rows} AND NOT ({gone})"
        if reference.referrer is mapping.table.model and not reference.is_key:
            yield (reference, "own"), _own_targets(database, mapping, reference)
    for ends in combinations(referrer.references, 2):
        yield ends, f"SELECT COUNT(*) {tied_rows(database, mapping, referrer, ends)}"
    for number, rule in enumerate(link_rules(referrer)):
        yield ("links", referrer.table.name, number), counting(database, mapping, referrer, rule)
    for number, rule in enumerate(referrer.rules):
        compared = rule_rows(database, mapping, referrer, rule)
        losing = losing_rows(database, mapping, referrer, compared)
        yield (referrer.table.name, number), f"SELECT COUNT(*) {losing}"


def _own_targets(database: Database, mapping: MergeMap, reference: Reference) -> str:
    """The survivors that point at a duplicate of theirs."""
    survivor = database.join_on("t", mapping.key, "m", mapping.survivors)
    held = database.join_on("t", reference.columns, "m", mapping.old(reference))
    conditions = filter(None, [MERGED, held, reference.condition("t", database)])
    return (
        f"SELECT COUNT(*) FROM {database.q(mapping.name)} m {database.join}"
        f" {database.q(mapping.table.name)} t ON {survivor} WHERE {' AND '.join(conditions)}"
    )
