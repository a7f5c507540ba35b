"""The other columns of tables that are drawn: of any kind, alone or together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from .kinds import AMOUNT, CURRENCY, KEYS, KINDS, MOMENTS, NUMBER, TEXT, WHOLE, Kind

if TYPE_CHECKING:
    from .tables import Table


def keys() -> st.SearchStrategy[Kind]:
    return st.sampled_from((NUMBER, NUMBER, *KEYS))


@st.composite
def with_values(draw: Any, table: Table, fewest: int = 0, prefix: str = "value") -> Table:
    """The table with some columns more, of any kind."""
    kinds = draw(
        st.lists(st.sampled_from((*MOMENTS, *KINDS, *MOMENTS)), min_size=fewest, max_size=3)
    )
    values, own = {}, {}
    for number, kind in enumerate(kinds):
        is_nullable = draw(st.booleans()) or kind.is_moment
        own[f"{prefix}{number}"] = kind
        values[f"{prefix}{number}"] = ((None,) if is_nullable else ()) + kind.values
    moments = tuple(column for column, kind in own.items() if kind.is_moment)
    written = [column for column in moments if own[column].name == "moment"]
    together = draw(st.sampled_from(((), (), (tuple(own),)))) if len(own) > 1 else ()
    table = replace(
        table,
        values=table.values | values,
        kinds=table.kinds | own,
        moments=moments,
        touched=draw(st.sampled_from(("", *written))),
        shown=draw(st.sampled_from(({}, {}, _shown(own)))),
        together=together,
    )
    if not together and draw(st.booleans()):
        table = _with_money(table, f"{prefix}9")
    return draw(stamped(table, f"{prefix}_stamped"))


def _with_money(table: Table, amount: str) -> Table:
    """The table with an amount that nothing but a name says to be in a currency."""
    currency = f"{amount}_currency"
    return replace(
        table,
        values=table.values | {amount: (None, *AMOUNT.values), currency: CURRENCY.values},
        kinds=table.kinds | {amount: AMOUNT, currency: CURRENCY},
        measures=((amount, currency),),
    )


@st.composite
def stamped(draw: Any, table: Table, column: str = "stamped") -> Table:
    """The table, sometimes with a column that the database writes whenever a row is changed."""
    if draw(st.integers(0, 4)):
        return table
    return replace(
        table,
        values=table.values | {column: (0,)},
        kinds=table.kinds | {column: WHOLE},
        stamped=column,
    )


def _shown(kinds: dict[str, Kind]) -> dict[str, Any]:
    """What a default manager shows, if it hides rows by one of these columns."""
    for column, kind in kinds.items():
        if kind.is_moment or kind is TEXT:
            return {column: None if kind.is_moment else ""}
    return {}
