"""Tables that are drawn: what is merged, and what may point at it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.db import connection
from hypothesis import strategies as st

from .drawn_by_hand import acting
from .drawn_columns import keys, stamped, with_values
from .drawn_objects import diamonds, rival_objects
from .kinds import (
    CODES,
    EXACT,
    EXACT_ID,
    FOLDED,
    IDS,
    KINDS,
    SPACED,
    TEXT,
    WHOLE,
)
from .schema import LABEL, link
from .tables import ANY, Table, To


@st.composite
def subjects(draw: Any) -> Table:
    """What is merged: by the column ``match``."""
    kind = draw(st.sampled_from((TEXT, TEXT, SPACED, SPACED, *KINDS)))
    some = _SOME.get(kind.name, slice(2))
    table = Table("subject", values={"match": (*kind.values[some], None)}, kinds={"match": kind})
    table = draw(with_values(table, fewest=2))
    if draw(st.integers(0, 4)) == 0:
        return _with_composite_key(table)
    own = {"boss_id": To("subject", is_nullable=True)} if draw(st.booleans()) else {}
    if draw(st.integers(0, 2)) == 0:
        own["owner_id"] = To("other", is_nullable=draw(st.booleans()))
    return replace(draw(_with_code(table)), references=own, key_kind=draw(keys()))


def _with_composite_key(table: Table) -> Table:
    """The table, whose rows are known by their owner and a number."""
    key = ("owner_id", "number")
    return replace(
        table,
        references={"owner_id": To("other")},
        values=table.values | {"number": (1, 2, 3, 4)},
        unique=(key,),
        key="pk",
        composite=key,
        kinds=table.kinds | {"number": WHOLE},
    )


_SOME = {"long": slice(1, 3), "folded": slice(3), "spaced": slice(None)}
"""The values of a key that are alike at first sight."""


@st.composite
def _with_code(draw: Any, table: Table) -> Table:
    """The table, sometimes with a unique column at which rows point in place of the key."""
    kind = draw(st.sampled_from((None, *CODES)))
    if kind is None:
        return table
    return replace(
        table,
        values=table.values | {"code": (None, *kind.values)},
        kinds=table.kinds | {"code": kind},
        unique=(*table.unique, ("code",)),
    )


@st.composite
def followers(draw: Any, subject: Table) -> list[Table]:
    """Tables that point at it, in the order in which they point at one another."""
    if subject.composite:
        return [draw(verses("subject", name)) for name in ("verse", "line")]
    found = [*draw(pointers(subject))] if draw(st.booleans()) else []
    found += draw(levels_of_rivals()) if draw(st.booleans()) else []
    found += draw(chains()) if draw(st.booleans()) else []
    found += draw(chapters(subject)) if draw(st.booleans()) else []
    found += draw(diamonds()) if draw(st.integers(0, 2)) == 0 else []
    found += draw(rival_objects()) if draw(st.integers(0, 2)) == 0 else []
    if draw(st.booleans()):
        found.append(link("subject_tags", "subject", "tag"))
    if draw(st.booleans()):
        found.append(draw(notes()))
    return [*found, _AUDIT]


_AUDIT = Table(
    "audit",
    {"object_pk": To(ANY), "object_id": To(ANY, is_nullable=True, again="object_pk")},
    kinds={"object_pk": IDS[0], "object_id": IDS[1]},
)
"""Two ids beside one content type: one as text, and as a number where it is one."""


@st.composite
def pointers(draw: Any, subject: Table) -> list[Table]:
    """By the key, and by the unique column if there is one."""
    to = To("subject", is_nullable=draw(st.booleans()), is_checked=draw(st.booleans()))
    book = Table("book", {"subject_id": to}, key_kind=draw(keys()))
    by_code = To("subject", by="code", is_nullable=True, is_checked=draw(st.booleans()))
    letter = [Table("letter", {"subject_id": by_code})] if "code" in subject.values else []
    return [draw(acting(draw(stamped(book)))), *[draw(acting(each)) for each in letter]]


@st.composite
def levels_of_rivals(draw: Any) -> list[Table]:
    """Rows of which those below collide once those above have become one; and what points there."""
    names = ("seat", "mark", "spot")[: draw(st.integers(1, 3))]
    found = [
        draw(_level(name, above)) for name, above in zip(names, ("subject", *names), strict=False)
    ]
    found.append(Table("stamp", {f"{names[-1]}_id": To(names[-1])}))
    if draw(st.booleans()):
        found.append(draw(_between(draw(st.sampled_from(names)))))
    return [draw(acting(table)) for table in found]


@st.composite
def _between(draw: Any, name: str) -> Table:
    """Rows that stand between two rivals, which may become one, or two still."""
    is_nullable = draw(st.booleans())
    return Table("vouch", {"one_id": To(name), "other_id": To(name, is_nullable=is_nullable)})


@st.composite
def _level(draw: Any, name: str, above: str) -> Table:
    label = draw(st.sampled_from((TEXT, TEXT, FOLDED)))
    rule = (f"{above}_id", "label")
    values = {"label": LABEL if label is TEXT else FOLDED.values[:3]}
    table = Table(name, {rule[0]: To(above)}, values, (rule,), kinds={"label": label})
    if above != "subject" and draw(st.booleans()):
        table = replace(
            table,
            references=table.references | {"subject_id": To("subject")},
            values=table.values | {"tone": LABEL},
            unique=(*table.unique, ("subject_id", "tone")),
            kinds=table.kinds | {"tone": TEXT},
        )
    return draw(with_values(replace(draw(_ruled(table)), key_kind=draw(keys()))))


@st.composite
def _ruled(draw: Any, table: Table) -> Table:
    """The table, whose first rule sometimes is over more than columns that rows are given."""
    rule, features = table.unique[0], connection.features
    kind = draw(st.sampled_from(("", "", "some", "lowered", "computed")))
    if kind == "computed":
        return replace(table, computed=(rule,))
    if kind == "some" and features.supports_partial_indexes:
        return replace(
            table,
            values=table.values | {"state": ("", "on", "off")},
            kinds=table.kinds | {"state": TEXT},
            counting={rule: ("state", draw(st.sampled_from(("", "on"))))},
        )
    if kind == "lowered" and features.supports_expression_indexes:
        return replace(
            table,
            values=table.values | {"label": EXACT.values},
            kinds=table.kinds | {"label": EXACT},
            lowered=(rule,),
        )
    return table


@st.composite
def chains(draw: Any) -> list[Table]:
    """One-to-one fields to rows that have one themselves, each of them the primary key or not."""
    names = ("profile", "annex", "detail")[: draw(st.integers(1, 3))]
    return [
        draw(acting(draw(with_values(draw(_one_to_one(name, above))))))
        for name, above in zip(names, ("subject", *names), strict=False)
    ]


@st.composite
def _one_to_one(draw: Any, name: str, above: str) -> Table:
    column = f"{above}_id"
    table = Table(name, {column: To(above)}, unique=((column,),))
    return replace(table, key=column) if draw(st.booleans()) else table


@st.composite
def chapters(draw: Any, subject: Table) -> list[Table]:
    """Rows whose composite key holds that of a subject, and what points at them by both columns."""
    if subject.key_kind.converts:
        return []
    chapter = Table(
        "chapter",
        {"subject_id": To("subject")},
        {"number": (1, 2)},
        unique=(("subject_id", "number"),),
        key="pk",
        composite=("subject_id", "number"),
        kinds={"number": WHOLE},
    )
    return [draw(with_values(chapter)), draw(verses("chapter", "verse"))]


@st.composite
def verses(draw: Any, above: str, name: str) -> Table:
    """Rows that point at a composite key, and may be unique below it."""
    to = To(above, columns=("of_first", "of_number"), is_nullable=draw(st.booleans()))
    rule = draw(st.sampled_from(((), ((above, "label"),))))
    return draw(
        with_values(Table(name, {above: to}, {"label": LABEL}, rule, kinds={"label": TEXT}))
    )


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
    return draw(with_values(table)) if is_unique else table
