"""Objects of several tables that are drawn: parts of what is merged, and rivals."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from .drawn_columns import keys, with_values
from .kinds import TEXT
from .schema import LABEL
from .tables import Table, To

if TYPE_CHECKING:
    from .kinds import Kind


@st.composite
def diamonds(draw: Any) -> list[Table]:
    """Rows that are parts of a subject in two ways at once, and what points at them."""
    found = [
        _child("left", "subject", key="left_of_id"),
        _child("right", "subject", key="right_of_id"),
        _joint("both", "left", "right"),
    ]
    return [
        *[draw(_part(table)) for table in found],
        Table("hint", {"both_id": To("both")}),
        draw(with_values(_labelled(Table("trail"), "right"))),
    ]


@st.composite
def rival_objects(draw: Any) -> list[Table]:
    """Objects of which one table collides, or two, and what points at each of their parts."""
    shape = draw(st.sampled_from(SHAPES))
    names = [table.name for table in shape]
    colliding = draw(st.sets(st.sampled_from(names), min_size=1, max_size=2))
    kind: dict[str, Kind] = {}
    found = []
    for table in shape:
        kind[table.name] = kind[table.parent] if table.parent else draw(keys())
        own = replace(table, key_kind=kind[table.name])
        own = _labelled(own, "subject") if table.name in colliding else own
        found.append(draw(_part(own)))
    return [*found, *[draw(_pointer(table)) for table in found]]


@st.composite
def _pointer(draw: Any, part: Table) -> Table:
    """What points at a part: often so that it collides in its turn."""
    table = Table(f"of_{part.name}", {f"{part.name}_id": To(part.name)})
    return _labelled(table, part.name) if draw(st.booleans()) else table


@st.composite
def _part(draw: Any, table: Table) -> Table:
    return replace(draw(with_values(table, prefix=table.name)), shown={})


def _labelled(table: Table, above: str) -> Table:
    """The table, with rows that are unique below what they point at."""
    column, label = f"{table.name}_of_id", f"{table.name}_label"
    return replace(
        table,
        references=table.references | {column: To(above)},
        values=table.values | {label: LABEL},
        kinds=table.kinds | {label: TEXT},
        unique=(*table.unique, (column, label)),
    )


def _child(name: str, parent: str, key: str = "") -> Table:
    key = key or f"{parent}_ptr_id"
    return Table(name, {key: To(parent)}, key=key, parent=parent)


def _joint(name: str, parent: str, second: str, *, is_diamond: bool = True) -> Table:
    """A child of two tables: of one row in two ways, or of two rows."""
    key, link = f"{parent}_ptr_id", f"{second}_ptr_id"
    to = To(second, again=key if is_diamond else "")
    return replace(
        _child(name, parent),
        references={key: To(parent), link: to},
        unique=((link,),),
        links=(link,),
        is_diamond=is_diamond,
    )


_WARE, _GEM, _JAR = Table("ware"), _child("gem", "ware"), _child("jar", "ware")
_TIN = Table("tin", key="tin_id")
SHAPES = (
    (_WARE, _GEM),
    (_WARE, _GEM, _JAR),
    (_WARE, _GEM, _child("pot", "gem")),
    (_WARE, _TIN, _joint("pot", "ware", "tin", is_diamond=False)),
    (_WARE, _GEM, _JAR, _joint("pot", "gem", "jar")),
)
"""Objects by their tables: children, siblings, grandchildren; two parents, one in two ways."""
