"""Rows that meet: drawn by hypothesis for the tables of a schema."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from .kinds import NUMBER
from .tables import ANY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .tables import Row, Rows, Schema, Table, To

FIRST_KEY = 8
"""Keys of one and of two digits, so that a comparison as text goes wrong."""

NOWHERE, NO_KEY = -1, 20
"""The place of a row that is not there, and the key that it would have."""

OTHER_SIZES = (2, 7)


@dataclass(frozen=True)
class Drawing:
    """How rows are drawn: ``sizes`` are the fewest and the most of a table, where not as usual."""

    schema: Schema
    sizes: dict[str, tuple[int, int]]

    def rows(self, used: Iterable[str]) -> st.SearchStrategy[Rows]:
        """Rows of these tables, and none of the others."""
        tables = [table for table in self.schema.tables if table.name in used]
        return st.tuples(*map(self._drafts, tables)).map(
            lambda drafts: self._finished(
                {table.name: each for table, each in zip(tables, drafts, strict=True)}
            )
        )

    def _finished(self, drafts: dict[str, list[Row]]) -> Rows:
        rows = {t.name: _keyed(t, drafts.get(t.name, [])) for t in self.schema.tables}
        for table in self.schema.tables:
            rows[table.name] = self._readable(table, self._settled(table, rows))
            if table.is_symmetrical:
                rows[table.name] = _both_ways(rows[table.name])
        return rows

    def _readable(self, table: Table, rows: dict[int, Row]) -> dict[int, Row]:
        """A number beside the content type is there only where the keys of that are numbers."""
        refs = table.references.items()
        again = [column for column, to in refs if to.again and to.table == ANY]
        for row in rows.values() if again else ():
            if self.schema.by_name[row["content_type"]].key_kind is not NUMBER:
                row |= dict.fromkeys(again)
        return rows

    def _settled(self, table: Table, rows: Rows) -> dict[int, Row]:
        """The rows with keys for places, without those that cannot be or break a unique rule."""
        settled: dict[int, Row] = {}
        seen: set[tuple[Any, ...]] = set()
        for key, draft in rows[table.name].items():
            row = self._resolved(table, rows, draft, key)
            if row is None or row[table.key] in settled or not table.is_sound(row):
                continue
            values = {(rule, *table.compared(rule, row)) for rule in table.unique}
            values = {value for value in values if None not in value}
            if not values & seen:
                seen |= values
                settled[row[table.key]] = row
        return _without_lost_targets(table, settled)

    def _resolved(self, table: Table, rows: Rows, draft: Row, key: int) -> Row | None:
        row = dict(draft)
        if table.key not in table.references:
            row[table.key] = key
        for column, to in table.references.items():
            if to.again:
                row[column] = None if draft[column] is None else row[to.again]
                if to.table != ANY and row[column] not in rows[to.table]:
                    return None
                continue
            target = self.schema.by_name[draft["content_type"] if to.table == ANY else to.table]
            found = _found(to.by, target, rows[target.name], draft[column])
            if found is None and not to.is_nullable:
                return None
            row[column] = found
        return table.keyed(row)

    def _drafts(self, table: Table) -> st.SearchStrategy[list[Row]]:
        """Rows whose references are still places in a list that is not known yet.

        A row is drawn as one number, which picks a value for every column: that is fast, and
        zero is the plainest row.
        """
        fewest, most = self.sizes.get(table.name, OTHER_SIZES)
        domains = self._domains(table)
        numbers = st.integers(0, prod(map(len, domains.values())) - 1)
        return st.lists(numbers, min_size=fewest, max_size=most).map(
            lambda drawn: [_draft(domains, number) for number in drawn]
        )

    def _domains(self, table: Table) -> dict[str, tuple[Any, ...]]:
        domains: dict[str, tuple[Any, ...]] = {}
        for column, to in table.references.items():
            if to.table == ANY and not to.again:
                domains["content_type"] = self.schema.subjects
            domains[column] = self._places(to)
        return domains | table.values

    def _places(self, to: To) -> tuple[int | None, ...]:
        places = (0,) if to.again else tuple(range(self.sizes.get(to.table, OTHER_SIZES)[1]))
        nowhere = () if to.again or (to.is_checked and to.table != ANY) else (NOWHERE,)
        return (*((None,) if to.is_nullable else ()), *places, *nowhere)


def _draft(domains: dict[str, tuple[Any, ...]], number: int) -> Row:
    row = {}
    for column, domain in domains.items():
        number, choice = divmod(number, len(domain))
        row[column] = domain[choice]
    return row


def _keyed(table: Table, drafts: list[Row]) -> dict[int, Row]:
    return {FIRST_KEY + place: {table.key: 0} | row for place, row in enumerate(drafts)}


def _without_lost_targets(table: Table, rows: dict[int, Row]) -> dict[int, Row]:
    """A self-reference to a row that has been left out is empty."""
    own = [column for column, to in table.references.items() if to.table == table.name]
    lost = [{column: None for column in own if row[column] not in rows} for row in rows.values()]
    return {key: row | gone for (key, row), gone in zip(rows.items(), lost, strict=True)}


def _found(by: str, target: Table, rows: dict[int, Row], place: int | None) -> Any:
    held = [row[by] for row in rows.values() if row[by]] if by else list(rows)
    if place == NOWHERE:
        missing = (value for value in target.values.get(by, ()) if value and value not in held)
        return next(missing, None) if by else NO_KEY
    return held[place % len(held)] if held and place is not None else None


def _both_ways(links: dict[int, Row]) -> dict[int, Row]:
    """A symmetrical relation is stored in both directions."""
    pairs: dict[tuple[int, int], None] = {}
    for row in links.values():
        one, other = row["from_person_id"], row["to_person_id"]
        pairs |= {(one, other): None, (other, one): None}
    return {
        FIRST_KEY + place: {"id": FIRST_KEY + place, "from_person_id": one, "to_person_id": other}
        for place, (one, other) in enumerate(pairs)
    }
