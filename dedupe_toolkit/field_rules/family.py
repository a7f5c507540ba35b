"""The field rules of a family of models: what they say of each column, before any row is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..keys import key_field
from ..references.meta import column_of
from ..references.telling import decisive_columns, moments
from ..references.together import together_in
from .functions import called_values
from .rules import CONCAT, FILL, Call, Follow, Pick
from .together import Filling
from .value_steps import written_together

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..databases import Database
    from ..databases.tables import Column, Table
    from ..mapping.mapping import MergeMap
    from ..values import MatchKey, RowSet
    from .rules import NamedRule


class FieldRules:
    """The field rules of a family of models, and what they make of a mapping.

    ``named`` are the rules by table and column; columns in ``equal`` hold the same value in all
    rows of a group.
    """

    def __init__(
        self,
        database: Database,
        named: Mapping[tuple[str, str], NamedRule],
        equal: frozenset[tuple[str, str]] = frozenset(),
    ) -> None:
        self.database = database
        self.named = named
        self.equal = equal

    def names(self, mapping: MergeMap, column: Column) -> bool:
        """Whether a rule speaks of this column."""
        return (mapping.table.name, column.name) in self.named

    def replaces(self, mapping: MergeMap, column: Column) -> bool:
        """Whether a rule may put another value in place of one that is there."""
        named = self.named.get((mapping.table.name, column.name))
        return named is not None and named.rule not in (None, FILL)

    def joined(self, table: Table) -> list[str]:
        """The columns of this table whose texts are joined."""
        return [column for column, named in self._of(table).items() if named.rule is CONCAT]

    def functions(self, table: Table) -> list[tuple[NamedRule, Callable[[list[Any]], Any]]]:
        """The rules of this table that are Python functions, each with its function."""
        return [
            (named, named.rule.function)
            for named in self._of(table).values()
            if isinstance(named.rule, Call)
        ]

    def say_nothing(self, table: Table, alias: str) -> list[str]:
        """SQL, true for a row that adds nothing to one equal to it, for each rule in question."""
        return [
            named.rule.nothing(f"{alias}.{self.database.q(column)}")
            for column, named in self._of(table).items()
            if named.rule and named.rule.nothing
        ]

    def _of(self, table: Table) -> dict[str, NamedRule]:
        place = _table_name(table)
        return {column: named for (name, column), named in self.named.items() if name == place}

    def of(self, table: Table, column: Column) -> NamedRule | None:
        """The rule that speaks of a column, if one does."""
        return self.named.get((_table_name(table), column.name))

    def changing(self, table: Table) -> dict[str, bool]:
        """The columns of which survivors may get another value, and whether it may be one that no
        row has."""
        found = {}
        for column in table.non_key_columns:
            named = self.of(table, column)
            rule = named.rule if named else FILL
            if rule is not None and (rule is not FILL or self._can_fill(table, column)):
                found[column.name] = not isinstance(rule, (Pick, Follow))
        return found

    def written_over(self, table: Table) -> list[Column]:
        """The columns of survivors in which more is written than a blank is filled."""
        changing = self.changing(table)
        together = written_together(self.database, table, changing)
        return [
            column
            for column in table.non_key_columns
            if column.name in together
            or (column.name in changing and not self._fills_blanks(table, column))
        ]

    def _fills_blanks(self, table: Table, column: Column) -> bool:
        named = self.of(table, column)
        is_fill = named is None or named.rule is FILL
        return is_fill and self.filling(table, column) is None

    def _can_fill(self, table: Table, column: Column) -> bool:
        """Whether a survivor may be given another value where it, or what it belongs to, lacks
        one."""
        filling = self.filling(table, column)
        if filling is None:
            return self.can_gain(table, column)
        return column in filling.free and any(self.can_gain(table, c) for c in filling.free)

    def filling(self, table: Table, column: Column) -> Filling | None:
        """How a column is filled together with others, unless it is filled by itself."""
        settled = {name for place, name in self.equal if place == _table_name(table)}
        for one in together_in(table.model):
            if column.name in one.columns:
                return Filling(
                    database=self.database,
                    together=one,
                    settled=settled,
                    kept=self._telling(table) & decisive_columns(table.model, self.database),
                    telling=self._telling(table),
                )
        return None

    def can_gain(self, table: Table, column: Column) -> bool:
        """Whether a column may hold a blank that says nothing, and another row something else."""
        is_equal = (_table_name(table), column.name) in self.equal
        is_silent = column.name not in self._telling(table)
        return (column.is_nullable or column.is_text) and not is_equal and is_silent

    def _telling(self, table: Table) -> frozenset[str]:
        """The columns in which a blank says something, unless a rule says that it is to be
        filled."""
        named = self._of(table)
        found = moments(table.model, self.database) | decisive_columns(table.model, self.database)
        return frozenset(name for name in found if name not in named)

    def try_functions(self, mapping: MergeMap) -> None:
        """Call each function that is a rule of this table, and use nothing of what it returns.

        Raises `InvalidOption` if one raises, or returns what its field cannot hold.
        """
        for named, function in self.functions(mapping.table):
            list(called_values(self.database, mapping, named.field, function))


def equal_columns(source: MatchKey | RowSet) -> frozenset[tuple[str, str]]:
    """Table and column of what the rows of every group agree on, blanks included."""
    fields = [key_field(source.model, lookup) for lookup in source.fields if "__" not in lookup]
    return frozenset((field.model._meta.db_table, column_of(field)) for field in fields)


def _table_name(table: Table) -> str:
    """The name that rules know the table by, also where copies of its rows stand in for it."""
    return table.model._meta.db_table
