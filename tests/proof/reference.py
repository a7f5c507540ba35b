"""A merge in plain Python over dictionaries of rows: small, slow, and not like the engine.

It knows one thing, which row ends in which (`lost`), for every table at once, and looks at all
rows of all tables until nothing collides any more. Then it writes down what every row becomes.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

from .kinds import is_loose
from .reference_together import Taken
from .reference_values import FIELD_RULES, in_survivor_order, is_blank, joined
from .tables import ANY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .reference_values import Choices, Group
    from .tables import Row, Rows, Table, To


def merged(rows: Rows, groups: list[Group], choices: Choices) -> Rows:
    """The rows of every table after merging these groups, batch after batch."""
    size = choices.batch_size or len(groups) or 1
    for start in range(0, len(groups), size):
        batch = Merge(rows, groups[start : start + size], choices)
        rows = batch.result()
        assert not batch.problems, f"cannot be merged: {batch.problems}"
    return rows


def blamed(rows: Rows, groups: list[Group], choices: Choices) -> set[Group]:
    """The groups that take part in anything that cannot be settled; empty if all can merge.

    What one group would have made equal differs once that group is left alone.
    """
    problems = [*_problems(rows, groups, choices), *_problems_on_the_way(rows, groups, choices)]
    survivors = {survivor for problem in problems for survivor in problem}
    found = {group for group in groups if group[0] in survivors}
    left = [group for group in groups if group not in found]
    return found | blamed(rows, left, choices) if found and left else found


def _problems(rows: Rows, groups: list[Group], choices: Choices) -> list[set[int]]:
    merge = Merge(rows, groups, choices)
    merge.result()
    return merge.problems


def _problems_on_the_way(rows: Rows, groups: list[Group], choices: Choices) -> Iterator[set[int]]:
    """What cannot be settled where groups merge one after another, because one has to wait."""
    waiting = set(groups)
    edges = waits(rows, groups, choices)
    while wave := {one for one in waiting if not any((other, one) in edges for other in waiting)}:
        merge = Merge(rows, sorted(wave), choices)
        rows, waiting = merge.result(), waiting - wave
        yield from merge.problems


def waits(rows: Rows, groups: list[Group], choices: Choices) -> set[tuple[Group, Group]]:
    """Pairs of groups of which the second must wait for the first: one whose duplicates point at
    its rows, where it counts at which they point."""
    table = choices.schema.by_name[choices.schema.root(choices.table)]
    columns = {c for rule in table.unique for c in rule if c in table.references}
    columns = {c for c in columns if table.references[c].table == table.name}
    of = {pk: group for group in groups for pk in group}
    return {
        (group, of[target])
        for group in groups
        for column in columns
        for target in (rows[table.name][pk][column] for pk in group[1:])
        if of.get(target, group) != group
    }


Case = tuple[str, tuple[str, ...]]
"""A table whose rows may collide, and the tables at which these rows point."""


def _are_unlike(one: list[dict[str, int]], other: list[dict[str, int]]) -> bool:
    """Whether of two pairs of objects, each the loser and the winner, the first loses to another
    than in the second, or wins there; or the other way round.
    """
    for table in {*one[0]} & {*one[1]} & {*other[0]} & {*other[1]}:
        (loser, winner), (its, over) = ([each[table] for each in pair] for pair in (one, other))
        if loser == over or winner == its or (loser == its and winner != over):
            return True
    return False


class Merge:
    """One merge of some groups, all at once."""

    def __init__(self, rows: Rows, groups: list[Group], choices: Choices) -> None:
        self.rows, self.choices, self.schema = rows, choices, choices.schema
        self.lost: dict[str, dict[int, int]] = {table.name: {} for table in self.schema.tables}
        self.gone: dict[str, set[int]] = {table.name: set() for table in self.schema.tables}
        self.blame: dict[tuple[str, int], set[int]] = {}
        self.problems: list[set[int]] = []
        self.lost_by: dict[tuple[str, int], tuple[str, ...]] = {}
        self.held_ties: set[tuple[str, int]] = set()
        self.met: list[tuple[Case, list[dict[str, int]]]] = []
        self.top = self.schema.root(choices.table)
        self.places = {pk: place for place, pk in enumerate(pk for group in groups for pk in group)}
        for group in groups:
            self.blame |= {(self.top, pk): {group[0]} for pk in group}
            for pk in group[1:]:
                self._lose(self.schema.by_name[self.top], pk, group[0])
        self._find_circles(groups)

    # objects of several rows

    def _lose(self, table: Table, loser: int, winner: int) -> None:
        """A row is lost to another, and every part of its object to the like part of the other."""
        root = self.schema.by_name[self.schema.root(table.name)]
        loser, winner = self._winner(root, loser), self._winner(root, winner)
        if loser == winner:
            return
        self.lost[root.name][loser] = winner
        for child in self.schema.tables:
            if child.parent and self.schema.root(child.name) == root.name:
                self._join_parts(child)

    def _join_parts(self, table: Table) -> None:
        """Of the parts of an object in a table, all are lost to the winner's, or the first."""
        objects: dict[int, list[int]] = {}
        for pk in self._live(table):
            objects.setdefault(self.end(table.name, pk), []).append(pk)
        for end, pks in objects.items():
            first = end if end in pks else next(iter(self._in_order(table, pks)))
            for pk in pks:
                if pk != first:
                    self.lost[table.name][pk] = first
                    for link in table.links:
                        rows = self.rows[table.name]
                        linked = self.schema.by_name[table.references[link].table]
                        self._lose(linked, rows[pk][link], rows[first][link])

    def parts(self, table: str, pk: int) -> dict[str, int]:
        """The row itself and every other part of its object, as they stand."""
        found, around = {table: pk}, [(table, pk)]
        for one, key in around:
            for other, its in self._next_parts(one, key):
                if other not in found:
                    found[other] = its
                    around.append((other, its))
        return found

    def _next_parts(self, table: str, pk: int) -> Iterator[tuple[str, int]]:
        own = self.schema.by_name[table]
        if own.parent:
            yield own.parent, pk
        for link in own.links:
            yield own.references[link].table, self.rows[table][pk][link]
        for other in self.schema.tables:
            if other.parent == table and pk in self.rows[other.name]:
                yield other.name, pk
            for link in other.links:
                if other.references[link].table == table:
                    yield from (
                        (other.name, key)
                        for key, row in self.rows[other.name].items()
                        if row[link] == pk
                    )

    def _blame(self, table: str, pk: int) -> set[int]:
        parts = self.parts(table, pk).items() if pk in self.rows[table] else ((table, pk),)
        return set().union(*(self.blame.get(part, ()) for part in parts))

    def _find_circles(self, groups: list[Group]) -> None:
        """Groups of which each must wait for another: where the rows at which they point count."""
        edges = {(one[0], other[0]) for one, other in waits(self.rows, groups, self.choices)}
        waiting = {group[0] for group in groups}
        while free := waiting - {second for first, second in edges if first in waiting}:
            waiting -= free
        self.problems += [{survivor} for survivor in waiting]

    def result(self) -> Rows:
        known = [table for table in self.schema.tables if not table.is_unknown]
        while any(self._settle_ties(table) or self._settle(table) for table in known):
            pass
        after = {table.name: self._table_after(table) for table in self.schema.tables}
        self._repoint_by_value(after)
        self._check(after)
        self._check_unknown(after)
        return after

    # where things end

    def end(self, table: str, pk: int) -> int:
        """The primary key under which a row lives on."""
        own = self.schema.by_name[table]
        if own.key in own.references:
            return self.end(own.references[own.key].table, pk)
        pk = self._winner(own, pk)
        if own.composite and pk in self.rows[table]:
            return self.image(own, self.rows[table][pk])[own.key]
        return pk

    def image(self, table: Table, row: Row) -> Row:
        """The row with every reference pointing at what its target becomes."""
        ends = {column: self._end_of(to, row, column) for column, to in table.references.items()}
        return table.keyed({**row, **ends})

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

    # rows that tie two rows of a group together

    def _settle_ties(self, table: Table) -> bool:
        """Settle the rows that would relate a row to itself; those that did so before stay."""
        before = len(self.gone[table.name]), len(self.held_ties)
        for pk in self._live(table):
            for columns in combinations(table.references, 2):
                if pk not in self.gone[table.name] and self._is_tied(table, pk, columns):
                    self._settle_tie(table, pk, columns)
        return (len(self.gone[table.name]), len(self.held_ties)) != before

    def _is_tied(self, table: Table, pk: int, columns: tuple[str, ...]) -> bool:
        row = self.rows[table.name][pk]
        targets = {self._target(table.references[column], row) for column in columns}
        keys = [row[column] for column in columns]
        if len(targets) > 1 or None in keys or keys[0] == keys[1]:
            return False
        (target,) = targets
        is_one = self.end(target, keys[0]) == self.end(target, keys[1])
        return is_one and not (target == table.name and self.end(target, keys[0]) == pk)

    def _settle_tie(self, table: Table, pk: int, columns: tuple[str, ...]) -> None:
        is_kept = any(f"{table.name}.{column}" in self.choices.kept for column in columns)
        if table.is_link:
            self.gone[table.name].add(pk)
        elif is_kept or (table.name, pk) in self.held_ties:
            return
        elif self.choices.on_collision == "discard" and self._can_vanish(table, pk):
            self.gone[table.name].add(pk)
        else:
            self.held_ties.add((table.name, pk))
            self.problems.append(self._blamed(table, columns, pk))

    def _can_vanish(self, table: Table, pk: int) -> bool:
        return table.name != self.top and not self._is_referenced(table, pk)

    def _settle(self, table: Table) -> bool:
        """Settle the collisions of a table, by what its rules point at; whether there were any."""
        cases = {self._pointed_at(table, rule) for rule in table.unique}
        return any(self._settle_case((table.name, targets)) for targets in sorted(cases))

    def _pointed_at(self, table: Table, rule: tuple[str, ...]) -> tuple[str, ...]:
        own = {table.references[column].table for column in rule if column in table.references}
        return tuple(sorted(own))

    def _settle_case(self, case: Case) -> bool:
        """Settle rule by rule what collides because rows of the same tables have become one.

        Returns whether any has met another in this case for the first time: what is held back
        meets again and again.
        """
        table, known = self.schema.by_name[case[0]], len(self.met)
        losers: dict[int, int] = {}
        policies: dict[int, str | None] = {}
        for rule in (rule for rule in table.unique if self._pointed_at(table, rule) == case[1]):
            for rivals in self._rivals(case, rule, losers):
                winner = self._elected(table, rule, rivals)
                losers |= {pk: winner for pk in rivals if pk != winner}
                self.lost_by |= {(table.name, pk): rule for pk in rivals if pk != winner}
                involved = set().union(*(self._blamed(table, rule, pk) for pk in rivals))
                self.blame |= {(table.name, pk): involved for pk in rivals}
                level = self._level(table, rule, rivals)
                policies |= {pk: level for pk in rivals if pk != winner}
        for loser in losers:
            winner = loser
            while winner in losers:
                winner = losers[winner]
            if not self._ends_otherwise(case, loser, winner):
                self._settle_pair(table, loser, winner, policies[loser])
        return len(self.met) > known

    def _ends_otherwise(self, case: Case, loser: int, winner: int) -> bool:
        """Whether the object has met others in another case, and would end differently."""
        pair = [self.parts(case[0], pk) for pk in (loser, winner)]
        is_link = self.schema.by_name[case[0]].is_link  # it says the same as any it loses to
        met = [pairs for name, pairs in self.met if name != case and not is_link]
        self.met += [(case, pair)] if (case, pair) not in self.met else []
        unlike = [other for other in met if _are_unlike(pair, other)]
        for loses, wins in [pair, *unlike] if unlike else ():
            parts = [*loses.items(), *wins.items()]
            self.problems.append(set().union(*(self.blame.get(part, set()) for part in parts)))
        return bool(unlike)

    def _elected(self, table: Table, rule: tuple[str, ...], rivals: list[int]) -> int:
        """The row that wins: as its table declares, else the one that pointed at the survivor.

        Parts win with their objects.
        """
        if rule[0] in table.links:
            lost = self.lost[table.references[rule[0]].table]
            linked = {pk: self.rows[table.name][pk][rule[0]] for pk in rivals}
            first = [pk for pk in rivals if linked[pk] not in lost]
            return next(iter(self._in_order(table, first or rivals)))
        survivor = self.choices.below(table.name).survivor
        if survivor and not table.is_link:
            return in_survivor_order(table, self.rows[table.name], rivals, survivor)[0]
        rows = self.rows[table.name]
        return min(
            rivals,
            key=lambda pk: (table.is_hidden(rows[pk]), self._is_touched(table, rule, pk), pk),
        )

    def _level(self, table: Table, rule: tuple[str, ...], rivals: list[int]) -> str | None:
        """What is said of rivals for the sake of the table at which they point and meet."""
        if rule[0] in table.links:
            return "merge"
        if table.name == self.top:
            return None
        rows = [self.rows[table.name][pk] for pk in rivals]
        (target,) = {
            self._target(to, row)
            for column, to in table.references.items()
            for row in rows
            if column in rule and row[column] in self.lost[self._target(to, row)]
        }
        if self.schema.root(target) == self.top:
            return self.choices.on_collision
        return self.choices.below(self._speaker(target)).on_collision

    def _rivals(self, case: Case, rule: tuple[str, ...], losers: dict[int, int]) -> list[list[int]]:
        table = self.schema.by_name[case[0]]
        alike: dict[tuple[Any, ...], list[int]] = {}
        for pk in self._compared(case):
            if pk not in losers and not self._gets_target(table, rule, pk):
                image = self.image(table, self.rows[table.name][pk])
                alike.setdefault(table.compared(rule, image), []).append(pk)
        return [pks for value, pks in alike.items() if len(pks) > 1 and None not in value]

    def _compared(self, case: Case) -> list[int]:
        """What becomes of an object for other reasons is not known in this case."""
        name, targets = case
        family = self.schema.family(name)
        if self.top in family or set(targets) & set(family):
            return self._live(self.schema.by_name[name])
        lost = {pair[0][name] for other, pair in self.met if other == case}
        return sorted(self.rows[name].keys() - lost - self.gone[name])

    def _gets_target(self, table: Table, rule: tuple[str, ...], pk: int) -> bool:
        """Whether a row would lead to itself, and gets another target for that."""
        row, own = self.rows[table.name][pk], table.references
        ends = [row[c] for c in rule if c in own and own[c].table == table.name and row[c] != pk]
        return any(end is not None and self.end(table.name, end) == pk for end in ends)

    def _is_touched(self, table: Table, rule: tuple[str, ...], pk: int) -> bool:
        """Whether a row pointed at one that others win against, and not at a winner."""
        row = self.rows[table.name][pk]
        targets = {c: to for c, to in table.references.items() if c in rule and not to.by}
        return any(row[c] in self.lost[self._target(to, row)] for c, to in targets.items())

    def _settle_pair(self, table: Table, loser: int, winner: int, policy: str | None) -> None:
        is_apart = policy is None
        if policy == "merge" or (self._is_redundant(table, loser, winner) and not is_apart):
            self._lose(table, loser, winner)
        elif policy == "discard" and not (table.parent or self._is_referenced(table, loser)):
            self.gone[table.name].add(loser)
        else:
            self.problems.append(self._blame(table.name, loser))
            self._lose(table, loser, winner)

    def _is_redundant(self, table: Table, loser: int, winner: int) -> bool:
        """Whether the row says nothing else: columns outside the rules count as they stand."""
        if not self._are_parts_alike(table, loser, winner):
            return False
        rules = [set(rule) for rule in table.unique if rule[0] not in table.links]
        by_rule = set.intersection(*rules) & table.references.keys()
        compared = {*table.values, *table.references} - {table.key, *table.links} - by_rule
        one, other = (self.rows[table.name][pk] for pk in (loser, winner))
        if table.unordered:
            one, other = self.image(table, one), self.image(table, other)
            compared |= by_rule
        added = {c for c, rule in self._rules(table).items() if rule == "sum" and one[c]}
        alike = not added and all(one[column] == other[column] for column in compared)
        return table.is_link or alike

    def _are_parts_alike(self, table: Table, loser: int, winner: int) -> bool:
        """Whether every other part of the row's object is found in the other's, the same."""
        mine, its = self.parts(table.name, loser), self.parts(table.name, winner)
        for name in mine.keys() - {table.name}:
            part = self.schema.by_name[name]
            columns = {*part.values, *part.references} - {part.key, *part.links}
            if name not in its:
                return False
            one, other = self.rows[name][mine[name]], self.rows[name][its[name]]
            if any(one[column] != other[column] for column in columns):
                return False
        return True

    def _speaker(self, table: str) -> str:
        """The table that declares what holds for the parts of an object: the one that collides."""
        if self.schema.root(table) == self.top:
            return table
        colliding = (
            name
            for name in self.schema.family(table)
            for rule in self.schema.by_name[name].unique
            if rule[0] not in self.schema.by_name[name].links
        )
        return next(colliding, table)

    def _rules(self, table: Table) -> dict[str, str]:
        """The field rules of a table: those of the merge are for its own model and its parents."""
        if table.name in self.schema.lineage(self.choices.table):
            return self.choices.rules
        return self.choices.below(table.name).rules

    def _is_referenced(self, table: Table, pk: int) -> bool:
        return any(
            self._may_mean(table, pk, to, row[column], is_loose(other.kinds.get(column)))
            for other in self.schema.tables
            for column, to in other.references.items()
            for row in self.rows[other.name].values()
            if self._target(to, row) == table.name
        )

    def _may_mean(self, table: Table, pk: int, to: To, held: Any, in_any_case: bool) -> bool:
        """Whether a reference that holds this means the row, as far as the database can tell."""
        if to.table == ANY and table.key_kind.converts:
            return True
        if in_any_case and held is not None:
            one, other = (str(table.key_kind.write(key)).lower() for key in (held, pk))
            return one == other
        return held is not None and held == (self.rows[table.name][pk][to.by] if to.by else pk)

    def _blamed(self, table: Table, columns: Iterable[str], pk: int) -> set[int]:
        """The groups that made the row of a rule what it is."""
        row, blamed = self.rows[table.name][pk], self._blame(table.name, pk)
        for column in columns:
            to = table.references.get(column)
            if to and row[column] is not None:
                blamed |= self._blame(self._target(to, row), row[column])
        return blamed

    # values

    def _table_after(self, table: Table) -> dict[int, Row]:
        after = {}
        for winner in self._live(table):
            rest = [pk for pk in self.lost[table.name] if self._winner(table, pk) == winner]
            row = self._united(table, [winner, *self._in_order(table, rest)])
            after[row[table.key]] = row
        return after

    def _in_order(self, table: Table, pks: list[int]) -> Iterable[int]:
        """Duplicates stand in survivor order, rivals in their own, or that of their keys."""
        by = self._speaker(table.name)
        parts = {pk: self.parts(table.name, pk) for pk in pks}
        if all(self.top in found for found in parts.values()):
            return sorted(pks, key=lambda pk: self.places.get(parts[pk][self.top], 0))
        if any(by not in found for found in parts.values()):
            by = table.name
        of = {found[by]: pk for pk, found in parts.items()}
        survivor = self.choices.below(by).survivor or "oldest"
        return [
            of[pk]
            for pk in in_survivor_order(self.schema.by_name[by], self.rows[by], list(of), survivor)
        ]

    def _is_family(self, table: Table) -> bool:
        return self.schema.root(table.name) == self.top

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
                to = table.references.get(column)
                is_key = column in (table.key, *table.composite)
                if not (is_key or (to and to.table == ANY)):
                    row[column] = self._value(table, column, pks, images)
            for taken in self._together(table, images):
                row |= taken.values()
                if taken.is_unlike():
                    self.problems.append(self._blame(table.name, pks[0]))
        return row

    def _together(self, table: Table, images: dict[int, Row]) -> Iterator[Taken]:
        for columns in table.belonging:
            named = [(c, rule) for c, rule in self._rules(table).items() if c in columns]
            yield Taken(table, columns, images, named[0] if named else None)

    def _value(self, table: Table, column: str, pks: list[int], images: dict[int, Row]) -> Any:
        held = [(pk, images[pk][column]) for pk in pks]
        to = table.references.get(column)
        if to and to.table == table.name:
            held = [(pk, self._own_target(table, column, pk, pks)) for pk in pks]
            if held[0][1] is None and not to.is_nullable:
                self.problems.append(self._blame(table.name, pks[0]))
        rules = self._rules(table)
        if not rules.keys() & table.partners(column):
            self._check_conflict(table, column, pks, images)
        rule = rules.get(column, "survivor" if table.is_silent(column) else "fill")
        if rule == "concat" and column in table.kinds:
            return joined(held, table.kinds[column].joint)
        return FIELD_RULES[rule](held)

    def _own_target(self, table: Table, column: str, pk: int, pks: list[int]) -> int | None:
        """Where a self-reference leads; the winner's goes one further if it led to itself."""
        target = self.rows[table.name][pk][column]
        if target is None or target == pk == pks[0]:
            return target
        if self.end(table.name, target) != pks[0]:
            return self.end(table.name, target)
        if pk != pks[0]:
            return None  # nothing to fill the winner with
        further = self.rows[table.name][target][column]
        if further is None or self.end(table.name, further) == pks[0]:
            return None
        return self.end(table.name, further)

    def _check_conflict(
        self, table: Table, column: str, pks: list[int], images: dict[int, Row]
    ) -> None:
        """Whether rows differ is asked of them as they are, but for references to other tables."""
        to = table.references.get(column)
        is_own = to is None or to.table == table.name
        held = self.rows[table.name] if is_own else images
        # a rule may find equal what is spelled otherwise
        is_met = {
            pk for pk in pks if to is None and column in self.lost_by.get((table.name, pk), ())
        }
        rows = [held[pk] for pk in pks if pk not in is_met]
        amounts = [amount for amount, currency in table.measures if currency == column]
        # the currency of no amount says nothing
        said = [row for row in rows if not amounts or any(not is_blank(row[a]) for a in amounts)]
        values = {row[column] for row in said}
        is_told = column in table.moments
        differ = len({value for value in values if is_told or not is_blank(value)}) > 1
        is_key = self._is_family(table) and column in self._key()
        is_apart = is_key or column in table.links
        if differ and not is_apart and self._on_conflict(table) == "hold":
            self.problems.append(self._blame(table.name, pks[0]))

    def _on_conflict(self, table: Table) -> str | None:
        if table.name in self.schema.lineage(self.choices.table):
            return self.choices.on_conflict
        return self.choices.below(self._speaker(table.name)).on_conflict

    def _key(self) -> set[str]:
        return {lookup.partition("__")[0] for lookup in self.choices.key}

    def _repoint_by_value(self, after: Rows) -> None:
        """References by another column take the value that the survivor ends with there."""
        for table in self.schema.tables:
            for column, to in table.references.items():
                if to.by and not table.is_unknown:
                    for row in after[table.name].values():
                        row[column] = self._value_after(after, to, row[column])

    def _value_after(self, after: Rows, to: To, value: Any) -> Any:
        for pk, row in self.rows[to.table].items():
            if value is not None and row[to.by] == value:
                new = after[to.table][self.end(to.table, pk)][to.by]
                if new is None:
                    self.problems.append(self._blame(to.table, pk))
                return new
        return value

    def _check(self, after: Rows) -> None:
        """No rule is broken by a value that a row took."""
        for table in self.schema.tables:
            for rule in table.unique:
                seen: dict[tuple[Any, ...], int] = {}
                for pk, row in sorted(after[table.name].items()):
                    value = table.compared(rule, row)
                    if value in seen and None not in value:
                        pks = (pk, seen[value])
                        self.problems.append(
                            set().union(*(self._blamed_after(table, rule, pk) for pk in pks))
                        )
                    seen[value] = pk

            for check in table.checks:
                for pk, row in after[table.name].items():
                    if not table.passes(check, row):
                        self.problems.append(self._blamed(table, check, pk))

    def _blamed_after(self, table: Table, rule: tuple[str, ...], pk: int) -> set[int]:
        """The groups because of which a row is what it is, under the key that it has in the end."""
        if pk not in self.rows[table.name]:
            return self._blame(table.name, pk)
        return self._blamed(table, rule, pk)

    def _check_unknown(self, after: Rows) -> None:
        """No row at which a table without a model points goes, or is known by something else."""
        for table in self.schema.tables:
            for column, to in table.references.items() if table.is_unknown else ():
                held = {row[column] for row in self.rows[table.name].values()}
                own = self.schema.by_name[to.table]
                for pk, row in self.rows[to.table].items():
                    stays = pk in self._live(own) and self.end(to.table, pk) == pk
                    named = row[to.by or own.key]
                    if (
                        named is not None
                        and named in held
                        and not (stays and after[to.table][pk][to.by or own.key] == named)
                    ):
                        self.problems.append(self._moved_by(own, pk))

    def _moved_by(self, table: Table, pk: int) -> set[int]:
        """The groups because of which a row goes, or has another key."""
        found = self._blame(table.name, pk)
        for column in {table.key, *table.composite} & table.references.keys():
            target = self.schema.by_name[table.references[column].table]
            found = found | self._moved_by(target, self.rows[table.name][pk][column])
        return found
