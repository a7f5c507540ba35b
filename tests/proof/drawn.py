"""Schemas that are drawn: what keys and values are, what tables and columns are called."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.db import connection
from hypothesis import strategies as st

from .kinds import EXACT_ID, IDS, KEYS, KINDS, MOMENTS, NUMBER, TEXT, Kind
from .reference_values import Choices, Declared
from .rows import Drawing
from .schema import link
from .tables import ANY, Schema, Table, To

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
LABEL = ("u", "v")


@st.composite
def schemas(draw: Any) -> Schema:
    """A table whose rows are merged, and some of each kind that point at it."""
    subject = draw(subjects())
    tables = [Table("other", key_kind=draw(_keys())), Table("tag"), subject, *draw(followers())]
    tables = [draw(_with_odd_names(table)) for table in tables]
    names = draw(st.permutations(TABLE_NAMES))
    tables = [
        replace(table, db_table=name if draw(st.booleans()) else f"drawn_{table.name}")
        for table, name in zip(tables, names, strict=False)
    ]
    known = {table.name for table in tables}
    targets = tuple(name for name in ("subject", "other", "seat") if name in known)
    return Schema("drawn", tuple(tables), subjects=targets)


def _keys() -> st.SearchStrategy[Kind]:
    return st.sampled_from((NUMBER, NUMBER, *KEYS))


@st.composite
def subjects(draw: Any) -> Table:
    """What is merged: by the column ``match``."""
    kind = draw(st.sampled_from((TEXT, TEXT, *KINDS)))
    some = kind.values[:2] if kind.name != "long" else kind.values[1:3]
    table = Table("subject", values={"match": (*some, None)}, kinds={"match": kind})
    table = draw(_with_values(table, fewest=2))
    own = {"boss_id": To("subject", is_nullable=True)} if draw(st.booleans()) else {}
    return replace(table, references=own, key_kind=draw(_keys()))


@st.composite
def followers(draw: Any) -> list[Table]:
    """Tables that point at it, in the order in which they point at one another."""
    found = []
    if draw(st.booleans()):
        found.append(draw(pointers()))
    if draw(st.booleans()):
        seat = Table("seat", {"subject_id": To("subject")}, {"label": LABEL}, _RULE)
        found.append(
            draw(_with_values(replace(seat, kinds={"label": TEXT}, key_kind=draw(_keys()))))
        )
        found.append(Table("stamp", {"seat_id": To("seat")}))
    if draw(st.booleans()):
        found.append(draw(_with_values(draw(profiles()))))
    if draw(st.booleans()):
        found.append(link("subject_tags", "subject", "tag"))
    if draw(st.booleans()):
        found.append(draw(notes()))
    return [*found, _AUDIT]


_RULE = (("subject_id", "label"),)
_AUDIT = Table(
    "audit",
    {"object_pk": To(ANY), "object_id": To(ANY, is_nullable=True, again="object_pk")},
    kinds={"object_pk": IDS[0], "object_id": IDS[1]},
)
"""Two ids beside one content type: one as text, and as a number where it is one."""


@st.composite
def pointers(draw: Any) -> Table:
    to = To("subject", is_nullable=draw(st.booleans()), is_checked=draw(st.booleans()))
    return Table("book", {"subject_id": to}, key_kind=draw(_keys()))


@st.composite
def profiles(draw: Any) -> Table:
    is_key = draw(st.booleans())
    table = Table("profile", {"subject_id": To("subject")}, unique=(("subject_id",),))
    return replace(table, key="subject_id") if is_key else table


@st.composite
def notes(draw: Any) -> Table:
    is_unique = draw(st.booleans())
    table = Table(
        "note",
        {"object_id": To(ANY)},
        {"who": LABEL},
        unique=(("content_type", "object_id", "who"),) if is_unique else (),
        kinds={"object_id": EXACT_ID if is_unique else IDS[0], "who": TEXT},
    )
    return draw(_with_values(table)) if is_unique else table


@st.composite
def _with_values(draw: Any, table: Table, fewest: int = 0) -> Table:
    """The table with some columns more, of any kind."""
    kinds = draw(
        st.lists(st.sampled_from((*MOMENTS, *KINDS, *MOMENTS)), min_size=fewest, max_size=3)
    )
    values, own = {}, {}
    for number, kind in enumerate(kinds):
        is_nullable = draw(st.booleans()) or kind.is_moment
        own[f"value{number}"] = kind
        values[f"value{number}"] = ((None,) if is_nullable else ()) + kind.values
    moments = tuple(column for column, kind in own.items() if kind.is_moment)
    together = draw(st.sampled_from(((), (), (tuple(own),))))
    return replace(
        table,
        values=table.values | values,
        kinds=table.kinds | own,
        moments=moments,
        shown=draw(st.sampled_from(({}, {}, _shown(own)))),
        together=together if len(own) > 1 else (),
    )


def _shown(kinds: dict[str, Kind]) -> dict[str, Any]:
    """What a default manager shows, if it hides rows by one of these columns."""
    for column, kind in kinds.items():
        if kind.is_moment or kind is TEXT:
            return {column: None if kind.is_moment else ""}
    return {}


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


@st.composite
def cases(draw: Any) -> Drawn:
    schema = draw(schemas())
    drawing = Drawing(schema, {"subject": (3, 7), "other": (1, 3), "tag": (1, 3)})
    rows = drawing.rows(schema.by_name)
    case = st.tuples(rows, choices_in(schema))
    return Drawn(schema, draw(st.lists(case, min_size=CASES_EACH, max_size=CASES_EACH)))


CASES_EACH = 5
"""Tables take longer to make than rows to merge."""


@st.composite
def choices_in(draw: Any, schema: Schema) -> Choices:
    return Choices(
        table="subject",
        key=("match",),
        nulls=draw(st.sampled_from(("distinct", "equal"))),
        survivor=draw(st.sampled_from(("oldest", "newest"))),
        rules=draw(_rules(schema.by_name["subject"])),
        on_collision=draw(st.sampled_from(("merge", "merge", "hold", "discard"))),
        on_conflict=draw(st.sampled_from(("survivor", "survivor", "hold"))),
        limit=draw(st.sampled_from((None, None, None, 1))),
        batch_size=draw(st.sampled_from((0, 0, 1, 3))),
        declared={
            table.name: Declared(rules=draw(_rules(table)))
            for table in schema.tables
            if table.name in ("seat", "profile", "note") and draw(st.booleans())
        },
        schema=schema,
    )


@st.composite
def _rules(draw: Any, table: Table) -> dict[str, str]:
    rules = {
        column: draw(st.sampled_from(table.kinds[column].rules))
        for column in table.values
        if column.startswith("value") and draw(st.integers(0, 2)) == 0
    }
    # of what belongs together, one field has a rule or none
    first = {min(table.partners(column) & rules.keys()) for column in rules}
    return {column: rule for column, rule in rules.items() if column in first}
