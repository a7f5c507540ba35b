"""What the journal could not keep: rows that are more than their columns say, values that are too
long for an image, or of which another value would be read.

Of a row that is deleted all columns are asked, of one that stays only what is written over.
Groups with such are held back. Writes work tables only.
"""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from ...databases.names import derived
from ...mapping.mapping import MERGED
from ...repointing.embedded_keys import find_embedded
from .limits import hold_unnamed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from ...collisions.rivals import Rivals
    from ...databases.named_rows import NamedRows
    from ...databases.tables import Column, Table
    from ...field_rules.family import FieldRules
    from ...mapping.mapping import MergeMap
    from ...references.embedded import EmbeddedReference
    from ..session import Session

_PART = 10
"""A value counts whose length is a tenth of that of the longest."""


def may_be_unkept(session: Session, mapping: MergeMap) -> bool:
    """Whether any row in question could be one of these, as far as the tables tell."""
    database, table = session.database, mapping.table
    return bool(
        database.unkept(table, "t")
        or any(database.unkept(one.table, "t") for one in session.referrers(table.model))
        or database.unread(table.stored, "t")
        or any(database.unread([held], "t") for _, held in _holders(session, mapping))
    )


def hold_unkept(session: Session, mapping: MergeMap, rules: FieldRules) -> None:
    """Hold back the groups of which the journal could not keep all that is written over."""
    table = mapping.table
    hold_unnamed(session, table, session.database.selecting(table, mapping.named))
    _hold_deleted(session, table, mapping.named.only(MERGED))
    staying = session.database.selecting(table, mapping.named.only("m.place = 0"))
    _hold_values(session, table, staying, rules.written_over(table))
    _hold_holders(session, mapping)


def hold_unkept_losers(session: Session, rivals: Rivals) -> None:
    """The same for the rows that are deleted because they collide."""
    table = rivals.referrer.table
    hold_unnamed(session, table, session.database.selecting(table, rivals.losing))
    _hold_deleted(session, table, rivals.losing)


def _hold_deleted(session: Session, table: Table, rows: NamedRows) -> None:
    selected = session.database.selecting(table, rows)
    for why, is_unkept in session.database.unkept(table, "t").items():
        told = {"model": table.model._meta.label, "why": why}
        session.held.add_rows("unkept", f"{selected} AND {is_unkept}", table.pk, told)
    _hold_values(session, table, selected, table.stored)


def _hold_values(session: Session, table: Table, selected: str, columns: Sequence[Column]) -> None:
    """Hold back the groups (``m``) of which an image of these columns would not keep some row's.

    ``selected`` is SQL from FROM on, up to a condition.
    """
    database, label = session.database, table.model._meta.label
    key = session.held.key("t", table.pk, table.key)
    is_too_long, sizes = database.is_too_long(columns, "t"), database.sizes(columns, "t")
    # both are read first: what only gives NULL here is an error in a statement that writes
    for number, row, *weights in _firsts(
        session, [key, *sizes.values()], f"{selected} AND {is_too_long}" if is_too_long else ""
    ):
        told = {"model": label, "fields": _heaviest(list(sizes), weights)}
        session.held.add_one("long row", number, row, told)
    for why, is_unread in database.unread(columns, "t").items():
        asked = f"CASE WHEN {is_too_long or '1 = 0'} THEN 0 ELSE {is_unread} END = 1"
        for number, row in _firsts(session, [key], f"{selected} AND {asked}"):
            session.held.add_one("unkept", number, row, {"model": label, "why": why})


def _firsts(session: Session, asked: Sequence[str], rows: str) -> Iterator[Sequence[Any]]:
    """The number of each group (``m``) of these rows, and what is asked of its first row."""
    if rows:
        listed = ", ".join(["m.group_number", *asked])
        found = session.database.fetch(f"SELECT {listed} {rows} ORDER BY 1, 2")
        yield from (next(same) for _, same in groupby(found, key=itemgetter(0)))


def _heaviest(columns: Sequence[str], weights: Sequence[Any]) -> list[str]:
    """The columns that make a row as long as it is, the longest first."""
    sizes = {column: int(weight or 0) for column, weight in zip(columns, weights, strict=True)}
    longest = max(sizes.values())
    heavy = [column for column in columns if sizes[column] * _PART > longest]
    return sorted(heavy, key=lambda column: -sizes[column])


def _hold_holders(session: Session, mapping: MergeMap) -> None:
    """Hold back the groups whose keys stand in values that are written anew, and would not come
    back as they are."""
    database = session.database
    for number, (reference, column) in enumerate(_holders(session, mapping)):
        if database.unread([column], "t"):
            found = find_embedded(database, mapping, reference, derived(mapping.name, "in", number))
            table, on = found.table, found.named.on
            same = database.join_on("t", list(on), "e", list(on.values()))
            work = database.q(mapping.name)
            is_root = database.same_text(mapping.root(database), "e.root")
            selected = (
                f"FROM {database.q(found.name)} e {database.join} {database.q(table.name)} t"
                f" ON {same} JOIN {work} m ON {MERGED} AND {is_root} WHERE 1 = 1"
            )
            _hold_values(session, table, selected, [column])


def _holders(session: Session, mapping: MergeMap) -> Iterator[tuple[EmbeddedReference, Column]]:
    """What holds keys inside larger values, with the column of these."""
    for reference in session.embedded(mapping.table.model):
        yield reference, session.database.table(reference.referrer).column(reference.value)
