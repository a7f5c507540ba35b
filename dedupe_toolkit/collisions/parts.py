"""The other parts of objects of which one row loses: rows in the tables of parents and children.

Builds SQL, runs none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..references.discover import child_links, naming_columns, parent_links

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model

    from ..databases import Database
    from ..databases.tables import Table
    from ..field_rules.family import FieldRules


@dataclass(frozen=True, kw_only=True)
class _Part:
    """A table with parts of the objects of rows ``a`` and ``b``: its own aliases for each.

    ``here`` are the columns of the part next to it, aliased ``beside``, that name its rows by
    what they hold ``there``.
    """

    table: Table
    number: int
    beside: tuple[str, str]
    here: tuple[str, ...]
    there: tuple[str, ...]

    @property
    def aliases(self) -> tuple[str, str]:
        return f"a{self.number}", f"b{self.number}"


def join_parts(database: Database, model: type[Model]) -> str:
    """SQL that joins rows (``a``, ``b``) of a model with all other parts of their objects."""
    joins = []
    for part in _parts(database, model):
        for alias, row in zip(part.aliases, part.beside, strict=True):
            there = database.qualified(alias, part.there)
            same = database.equal(there, database.qualified(row, part.here))
            joins.append(f" LEFT JOIN {database.q(part.table.name)} {alias} ON {same}")
    return "".join(joins)


def parts_are_alike(database: Database, model: type[Model], rules: FieldRules) -> Iterator[str]:
    """SQL, beside `join_parts`: the parts of ``a`` say nothing that those of ``b`` do not.

    Nothing else in any column, and there is no part that the other does not have.
    """
    for part in _parts(database, model):
        one, other = part.aliases
        apart = naming_columns(part.table.model)
        alike = [
            database.same(f"{one}.{name}", f"{other}.{name}", column)
            for column in part.table.stored
            if column.name not in apart
            for name in [database.q(column.name)]
        ]
        alike += rules.say_nothing(part.table, one)
        key = database.q(part.table.pk[0].name)
        there = [f"{other}.{key} IS NOT NULL", *alike]
        yield f"({one}.{key} IS NULL OR ({' AND '.join(there)}))"


def _parts(database: Database, model: type[Model]) -> list[_Part]:
    """Every table once, however many links lead there."""
    found: list[_Part] = []
    seen, around = {model._meta.db_table}, [(model, ("a", "b"))]
    for one, beside in around:
        for table, here, there in _links(database, one):
            if table.name not in seen:
                seen.add(table.name)
                part = _Part(table=table, number=len(found), beside=beside, here=here, there=there)
                found.append(part)
                around.append((table.model, part.aliases))
    return found


def _links(
    database: Database, model: type[Model]
) -> Iterator[tuple[Table, tuple[str, ...], tuple[str, ...]]]:
    for link in parent_links(model):
        yield database.table(link.target), link.columns, link.targets
    for link in child_links(model, database.using):
        yield database.table(link.referrer), link.targets, link.columns
