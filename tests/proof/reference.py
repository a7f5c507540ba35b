"""A merge in plain Python over dictionaries of rows: small, slow, and not like the engine.

It knows one thing, which row ends in which (`lost`), for every table at once, and looks at all
rows of all tables until nothing collides any more. Then it writes down what every row becomes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .reference_values import FIELD_RULES, is_blank
from .schema import ANY, BY_NAME, TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .reference_values import Choices, Group
    from .schema import Row, Rows, Table, To


def merged(rows: Rows, groups: list[Group], choices: Choices) -> Rows:
    """The rows of every table after merging these groups, batch after batch."""
    size = choices.batch_size or len(groups) or 1
    for start in range(0, len(groups), size):
        batch = Merge(rows, groups[start : start + size], choices)
        rows = batch.result()
        assert not batch.problems, f"cannot be merged: {batch.problems}"
    return rows


def blamed(rows: Rows, groups: list[Group], choices: Choices) -> set[Group]:
    """The groups that take part in anything that cannot be settled; empty if all can merge."""
    merge = Merge(rows, groups, choices)
    merge.result()
    survivors = {survivor for problem in merge.problems for survivor in problem}
    return {group for group in groups if group[0] in survivors}


class Merge:
    """One merge of some groups, all at once."""

    def __init__(self, rows: Rows, groups: list[Group], choices: Choices) -> None:
        self.rows, self.choices = rows, choices
        self.lost: dict[str, dict[int, int]] = {table.name: {} for table in TABLES}
        self.gone: dict[str, set[int]] = {table.name: set() for table in TABLES}
        self.blame: dict[tuple[str, int], set[int]] = {}
        self.problems: list[set[int]] = []
        self.top = BY_NAME[choices.table].parent or choices.table
        family = [t for t in TABLES if self.top in (t.name, t.parent)]
        self.order = [pk for group in groups for pk in group]
        for group in groups:
            for table in family:
                self._merge_family_rows(table, group)
                self.blame |= {(table.name, pk): {group[0]} for pk in group}

    def _merge_family_rows(self, table: Table, group: Group) -> None:
        there = [pk for pk in group if pk in self.rows[table.name]]
        self.lost[table.name].update((pk, there[0]) for pk in there[1:])

    def result(self) -> Rows:
        while any(self._drop_own_links(table) or self._settle(table) for table in TABLES):
            pass
        after = {table.name: self._table_after(table) for table in TABLES}
        self._repoint_by_value(after)
        self._check(after)
        return after

    # where things end

    def end(self, table: str, pk: int) -> int:
        """The primary key under which a row lives on."""
        own = BY_NAME[table]
        if own.key in own.references:
            return self.end(own.references[own.key].table, pk)
        while pk in self.lost[table]:
            pk = self.lost[table][pk]
        return pk

    def image(self, table: Table, row: Row) -> Row:
        """The row with every reference pointing at what its target becomes."""
        ends = {column: self._end_of(to, row, column) for column, to in table.references.items()}
        return {**row, **ends}

    def _end_of(self, to: To, row: Row, column: str) -> Any:
        if row[column] is None or to.by:
            return row[column]
        return self.end(self._target(to, row), row[column])

    def _target(self, to: To, row: Row) -> str:
        return row["content_type"] if to.table == ANY else to.table

    def _live(self, table: Table) -> list[int]:
        over = self.lost[table.name].keys() | self.gone[table.name]
        return sorted(self.rows[table.name].keys() - over)

    # collisions

    def _drop_own_links(self, table: Table) -> bool:
        """A link between two rows of a group is dropped; one of a row with itself was there."""
        columns = list(table.references)
        if not table.is_link or len({to.table for to in table.references.values()}) > 1:
            return False
        for pk in self._live(table):
            row = self.rows[table.name][pk]
            image = self.image(table, row)
            if len({row[c] for c in columns}) > len({image[c] for c in columns}):
                self.gone[table.name].add(pk)
                return True
        return False

    def _settle(self, table: Table) -> bool:
        """Settle the collisions of a table, rule by rule; whether there were any."""
        losers: dict[int, int] = {}
        for rule in table.unique:
            for rivals in self._rivals(table, rule, losers):
                winner = min(rivals, key=lambda pk: (self._is_touched(table, rule, pk), pk))
                losers |= {pk: winner for pk in rivals if pk != winner}
                involved = set().union(*(self._blamed(table, rule, pk) for pk in rivals))
                self.blame |= {(table.name, pk): involved for pk in rivals}
        for loser in losers:
            winner = loser
            while winner in losers:
                winner = losers[winner]
            self._settle_pair(table, loser, winner)
        return bool(losers)

    def _rivals(
        self, table: Table, rule: tuple[str, ...], losers: dict[int, int]
    ) -> list[list[int]]:
        alike: dict[tuple[Any, ...], list[int]] = {}
        for pk in self._live(table):
            if pk not in losers:
                image = self.image(table, self.rows[table.name][pk])
                alike.setdefault(tuple(image[column] for column in rule), []).append(pk)
        return [pks for value, pks in alike.items() if len(pks) > 1 and None not in value]

    def _is_touched(self, table: Table, rule: tuple[str, ...], pk: int) -> bool:
        """Whether a row pointed at one that others win against, and not at a winner."""
        row = self.rows[table.name][pk]
        targets = {c: to for c, to in table.references.items() if c in rule and not to.by}
        return any(row[c] in self.lost[self._target(to, row)] for c, to in targets.items())

    def _settle_pair(self, table: Table, loser: int, winner: int) -> None:
        policy = self.choices.on_collision
        if self._is_redundant(table, loser, winner) or policy == "merge":
            self.lost[table.name][loser] = winner
        elif policy == "discard" and not self._is_referenced(table, loser):
            self.gone[table.name].add(loser)
        else:
            self.problems.append(self.blame[table.name, loser])
            self.lost[table.name][loser] = winner

    def _is_redundant(self, table: Table, loser: int, winner: int) -> bool:
        """Whether the row says nothing else: columns outside the rules count as they stand."""
        by_rule = set.intersection(*map(set, table.unique)) & table.references.keys()
        compared = {*table.values, *table.references} - {table.key} - by_rule
        one, other = (self.rows[table.name][pk] for pk in (loser, winner))
        return table.is_link or all(one[column] == other[column] for column in compared)

    def _is_referenced(self, table: Table, pk: int) -> bool:
        return any(
            row[column] == pk and self._target(to, row) == table.name
            for other in TABLES
            for column, to in other.references.items()
            for row in self.rows[other.name].values()
        )

    def _blamed(self, table: Table, columns: Iterable[str], pk: int) -> set[int]:
        """The groups that made the row of a rule what it is."""
        row, blamed = self.rows[table.name][pk], set(self.blame.get((table.name, pk), ()))
        for column in columns:
            if to := table.references.get(column):
                blamed |= self.blame.get((self._target(to, row), row[column]), set())
        return blamed

    # values

    def _table_after(self, table: Table) -> dict[int, Row]:
        after = {}
        for winner in self._live(table):
            rest = (pk for pk in self.lost[table.name] if self._winner(table, pk) == winner)
            row = self._united(table, [winner, *sorted(rest, key=self._place(table))])
            after[row[table.key]] = row
        return after

    def _place(self, table: Table) -> Callable[[int], int]:
        """Duplicates stand in survivor order, rivals in that of their keys."""
        return self.order.index if self.top in (table.name, table.parent) else int

    def _winner(self, table: Table, pk: int) -> int:
        while pk in self.lost[table.name]:
            pk = self.lost[table.name][pk]
        return pk

    def _united(self, table: Table, pks: list[int]) -> Row:
        """The row that several become: its own values, blanks filled, or as a rule says."""
        images = {pk: self.image(table, self.rows[table.name][pk]) for pk in pks}
        row = dict(images[pks[0]])
        if len(pks) > 1:
            for column in (*table.values, *table.references):
                if column != table.key and column != "object_id":
                    row[column] = self._value(table, column, pks, images)
        return row

    def _value(self, table: Table, column: str, pks: list[int], images: dict[int, Row]) -> Any:
        held = [(pk, images[pk][column]) for pk in pks]
        to = table.references.get(column)
        if to and to.table == table.name:
            held = [(pk, self._own_target(table, column, pk, pks)) for pk in pks]
            if held[0][1] is None and not to.is_nullable:
                self.problems.append(self.blame[table.name, pks[0]])
        is_family = self.top in (table.name, table.parent)
        is_ruled = is_family and column in self.choices.rules
        if is_family and not is_ruled:
            self._check_conflict(table, column, pks)
        return FIELD_RULES[self.choices.rules[column] if is_ruled else "fill"](held)

    def _own_target(self, table: Table, column: str, pk: int, pks: list[int]) -> int | None:
        """Where a self-reference leads; where it would lead to itself, one step further."""
        target = self.rows[table.name][pk][column]
        if target is None or target == pk == pks[0]:
            return target
        if self.end(table.name, target) != pks[0]:
            return self.end(table.name, target)
        further = self.rows[table.name][target][column]
        if further is None or self.end(table.name, further) == pks[0]:
            return None
        return self.end(table.name, further)

    def _check_conflict(self, table: Table, column: str, pks: list[int]) -> None:
        """Whether rows differ is asked of them as they are, not as they will be."""
        values = {self.rows[table.name][pk][column] for pk in pks}
        differ = len({value for value in values if not is_blank(value)}) > 1
        if self.choices.on_conflict == "hold" and differ and column not in self._key():
            self.problems.append(self.blame[table.name, pks[0]])

    def _key(self) -> set[str]:
        return {lookup.partition("__")[0] for lookup in self.choices.key}

    def _repoint_by_value(self, after: Rows) -> None:
        """References by another column take the value that the survivor ends with there."""
        for table in TABLES:
            for column, to in table.references.items():
                if to.by:
                    for row in after[table.name].values():
                        row[column] = self._value_after(after, to, row[column])

    def _value_after(self, after: Rows, to: To, value: Any) -> Any:
        for pk, row in self.rows[to.table].items():
            if value is not None and row[to.by] == value:
                new = after[to.table][self.end(to.table, pk)][to.by]
                if new is None:
                    self.problems.append(self.blame[to.table, pk])
                return new
        return value

    def _check(self, after: Rows) -> None:
        """No rule is broken by a value that a row took."""
        for table in TABLES:
            for rule in table.unique:
                seen: dict[tuple[Any, ...], int] = {}
                for pk, row in sorted(after[table.name].items()):
                    value = tuple(row[column] for column in rule)
                    if value in seen and None not in value:
                        self.problems.append(self._blamed_after(table, pk, seen[value]))
                    seen[value] = pk

    def _blamed_after(self, table: Table, *pks: int) -> set[int]:
        return set().union(*(self.blame.get((table.name, pk), set()) for pk in pks))
