"""Schemas that are drawn: what keys and values are, what tables and columns are called."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.db import connection
from hypothesis import strategies as st

from .drawn_by_hand import unknown
from .drawn_columns import keys
from .drawn_tables import followers, subjects
from .kinds import AMOUNT, SPACED, TEXT, WHOLE
from .reference_values import Choices, Declared
from .rows import Drawing
from .tables import Schema, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .tables import Rows

QUOTE = "`" if connection.vendor == "mysql" else '"'
TABLE_NAMES = (
    "select",
    "Drawn Order",
    "dot.ted",
    f"qu{QUOTE}{QUOTE}ote",
    "d",
    "m",
    "it's",
    "UPPER",
    "d\u00e9j\u00e0",
    "table",
    "n" * 60,
    "x",
    "order by",
    "t",
    "ROW",
    "values",
    "r",
    "b",
    "Dedupe Map",
    "e",
)
"""Reserved, quoted, and called as the engine calls what it joins."""

COLUMN_NAMES = (
    "group",
    "Mixed",
    "a.b",
    f"c{QUOTE}{QUOTE}d",
    "survivor",
    "place",
    "value",
    "group_number",
    "member_0",
    "survivor_0",
    "n",
    "rowid",
    "from where",
    "na\u00efve",
    "it's",
)


@st.composite
def schemas(draw: Any) -> Schema:
    """A table whose rows are merged, and some of each kind that point at it."""
    subject = draw(subjects())
    kinds = keys().filter(lambda kind: not (subject.composite and kind.converts))
    first = [Table("other", key_kind=draw(kinds)), Table("tag"), subject]
    tables = [*first, *draw(followers(subject))]
    tables += draw(unknown(tables)) if draw(st.integers(0, 2)) == 0 else []
    tables = [draw(_with_odd_names(table)) for table in tables]
    odd = [*draw(st.permutations(TABLE_NAMES)), *[""] * len(tables)]
    tables = [
        replace(table, db_table=name if name and draw(st.booleans()) else f"drawn_{table.name}")
        for table, name in zip(tables, odd, strict=False)
    ]
    known = {table.name for table in tables}
    targets = tuple(name for name in ("subject", "other", "seat", "ware", "pot") if name in known)
    named = targets[bool(subject.composite) :]
    return Schema("drawn", tuple(tables), subjects=named)


@st.composite
def _with_odd_names(draw: Any, table: Table) -> Table:
    """The table with columns called otherwise in the database, or by each other's names."""
    if table.is_link:
        return table
    columns = [column for column in table.columns if column != "content_type"]
    names: Sequence[str] = draw(
        st.sampled_from((columns[1:] + columns[:1], draw(st.permutations(COLUMN_NAMES))))
    )
    return replace(table, db_columns=dict(zip(columns, names, strict=False)))


@dataclass(frozen=True)
class Drawn:
    """A schema, and some situations in it."""

    schema: Schema
    situations: list[tuple[Rows, Choices]]

    def _repr_pretty_(self, printer: Any, is_cycle: bool) -> None:
        """hypothesis need not say it all: a case that fails is told by itself."""
        printer.text(f"<{len(self.schema.tables)} tables, {len(self.situations)} situations>")


SIZES = {
    "subject": (3, 7),
    "other": (1, 3),
    "tag": (1, 3),
    "left": (3, 7),
    "right": (3, 7),
}


@st.composite
def cases(draw: Any) -> Drawn:
    schema = draw(schemas())
    drawing = Drawing(schema, SIZES)
    rows = drawing.rows(schema.by_name)
    case = st.tuples(rows, choices_in(schema))
    return Drawn(schema, draw(st.lists(case, min_size=CASES_EACH, max_size=CASES_EACH)))


CASES_EACH = 5
"""Tables take longer to make than rows to merge."""


@st.composite
def choices_in(draw: Any, schema: Schema) -> Choices:
    table = draw(st.sampled_from(_merged(schema)))
    apart = {*schema.lineage(table), "subject_tags"}
    return Choices(
        table=table,
        key=draw(_keys(schema.by_name["subject"])),
        blanks=draw(st.sampled_from(("equal", "equal", "distinct"))),
        where=draw(_conditions(schema.by_name["subject"])),
        nulls=draw(st.sampled_from(("distinct", "equal"))),
        survivor=draw(st.sampled_from(("oldest", "newest"))),
        rules=draw(_rules(schema.by_name["subject"])),
        on_collision=draw(st.sampled_from(("merge", "merge", "hold", "discard"))),
        on_conflict=draw(st.sampled_from(("survivor", "survivor", "hold"))),
        limit=draw(st.sampled_from((None, None, None, 1))),
        batch_size=draw(st.sampled_from((0, 0, 1, 3))),
        declared={
            each.name: Declared(rules=draw(_rules(each)))
            for each in schema.tables
            if each.unique and not (each.is_unknown or each.name in apart) and draw(st.booleans())
        },
        schema=schema,
    )


@st.composite
def _keys(draw: Any, table: Table) -> tuple[str, ...]:
    """What rows of one name are, sometimes for each owner apart."""
    transforms: tuple[str, ...] = ("",)
    if table.kinds["match"] is SPACED:
        transforms = ("", "__lower", "__upper", "__trim", "__collapse", "__collapse__lower")
    name = f"match{draw(st.sampled_from(transforms))}"
    is_apart = "owner_id" in table.references and draw(st.booleans())
    return ("owner", name) if is_apart else (name,)


@st.composite
def _conditions(draw: Any, table: Table) -> dict[str, Any]:
    """What is asked of the rows that are looked at: often nothing, and of no trigger's column.

    Rows that an earlier batch takes out of the condition that way have changed since the plan.
    """
    left_out = {"match", table.stamped}
    asked = [name for name, kind in table.kinds.items() if kind in ASKED and name not in left_out]
    if not asked or draw(st.integers(0, 3)):
        return {}
    column = draw(st.sampled_from(asked))
    return {column: draw(st.sampled_from(table.kinds[column].values))}


ASKED = (TEXT, WHOLE, AMOUNT)
"""Kinds of values that a condition can name as they are."""


def _merged(schema: Schema) -> tuple[str, ...]:
    """The models whose rows can be merged: parts as well, where their model hides none."""
    has_parts = "both" in schema.by_name and not schema.by_name["subject"].shown
    return ("subject", "subject", "left", "both") if has_parts else ("subject",)


@st.composite
def _rules(draw: Any, table: Table) -> dict[str, str]:
    found = {"match", table.stamped}.union(*table.unique)
    rules = {
        column: draw(st.sampled_from(table.kinds[column].rules))
        for column in table.values
        if column not in found and draw(st.integers(0, 2)) == 0
    }
    # of what belongs together, one field has a rule or none
    first = {min(table.partners(column) & rules.keys()) for column in rules}
    return {column: rule for column, rule in rules.items() if column in first}
