"""Tables that are drawn: what is merged, and what may point at it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from .kinds import (
    AMOUNT,
    CODES,
    CURRENCY,
    EXACT_ID,
    FOLDED,
    IDS,
    KEYS,
    KINDS,
    MOMENTS,
    NUMBER,
    TEXT,
    WHOLE,
    Kind,
)
from .schema import link
from .tables import ANY, Table, To

LABEL = ("u", "v")


def keys() -> st.SearchStrategy[Kind]:
    return st.sampled_from((NUMBER, NUMBER, *KEYS))


@st.composite
def subjects(draw: Any) -> Table:
    """What is merged: by the column ``match``."""
    kind = draw(st.sampled_from((TEXT, TEXT, *KINDS)))
    some = _SOME.get(kind.name, slice(2))
    table = Table("subject", values={"match": (*kind.values[some], None)}, kinds={"match": kind})
    table = draw(_with_values(table, fewest=2))
    own = {"boss_id": To("subject", is_nullable=True)} if draw(st.booleans()) else {}
    return replace(draw(_with_code(table)), references=own, key_kind=draw(keys()))


_SOME = {"long": slice(1, 3), "folded": slice(3)}
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
    found = [*draw(pointers(subject))] if draw(st.booleans()) else []
    found += draw(levels_of_rivals()) if draw(st.booleans()) else []
    found += draw(chains()) if draw(st.booleans()) else []
    found += draw(chapters(subject)) if draw(st.booleans()) else []
    found += draw(diamonds()) if draw(st.integers(0, 2)) == 0 else []
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
    return [draw(_stamped(book)), *letter]


@st.composite
def levels_of_rivals(draw: Any) -> list[Table]:
    """Rows of which those below collide once those above have become one; and what points there."""
    names = ("seat", "mark", "spot")[: draw(st.integers(1, 3))]
    found = [
        draw(_level(name, above)) for name, above in zip(names, ("subject", *names), strict=False)
    ]
    return [*found, Table("stamp", {f"{names[-1]}_id": To(names[-1])})]


@st.composite
def _level(draw: Any, name: str, above: str) -> Table:
    label = draw(st.sampled_from((TEXT, TEXT, FOLDED)))
    rule = (f"{above}_id", "label")
    values = {"label": LABEL if label is TEXT else FOLDED.values[:3]}
    table = Table(name, {rule[0]: To(above)}, values, (rule,), kinds={"label": label})
    return draw(_with_values(replace(table, key_kind=draw(keys()))))


@st.composite
def chains(draw: Any) -> list[Table]:
    """One-to-one fields to rows that have one themselves, each of them the primary key or not."""
    names = ("profile", "annex", "detail")[: draw(st.integers(1, 3))]
    return [
        draw(_with_values(draw(_one_to_one(name, above))))
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
    to = To("chapter", columns=("of_subject", "of_number"), is_nullable=draw(st.booleans()))
    rule = draw(st.sampled_from(((), (("chapter", "label"),))))
    verse = Table("verse", {"chapter": to}, {"label": LABEL}, rule, kinds={"label": TEXT})
    return [draw(_with_values(table)) for table in (chapter, verse)]


@st.composite
def diamonds(draw: Any) -> list[Table]:
    """Rows that are parts of a subject in two ways at once, and what points at them."""
    found = [
        Table("left", {"left_of_id": To("subject")}, key="left_of_id", parent="subject"),
        Table("right", {"right_of_id": To("subject")}, key="right_of_id", parent="subject"),
        Table(
            "both",
            {"left_ptr_id": To("left"), "right_ptr_id": To("right", again="left_ptr_id")},
            unique=(("right_ptr_id",),),
            key="left_ptr_id",
            parent="left",
            links=("right_ptr_id",),
            is_diamond=True,
        ),
    ]
    rule = (("right_id", "label"),)
    trail = Table("trail", {"right_id": To("right")}, {"label": LABEL}, rule, kinds={"label": TEXT})
    return [
        *(replace(draw(_with_values(table, prefix=table.name)), shown={}) for table in found),
        Table("hint", {"both_id": To("both")}),
        draw(_with_values(trail)),
    ]


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
def _with_values(draw: Any, table: Table, fewest: int = 0, prefix: str = "value") -> Table:
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
    together = draw(st.sampled_from(((), (), (tuple(own),)))) if len(own) > 1 else ()
    table = replace(
        table,
        values=table.values | values,
        kinds=table.kinds | own,
        moments=moments,
        shown=draw(st.sampled_from(({}, {}, _shown(own)))),
        together=together,
    )
    if not together and draw(st.booleans()):
        table = _with_money(table, f"{prefix}9")
    return draw(_stamped(table, f"{prefix}_stamped"))


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
def _stamped(draw: Any, table: Table, column: str = "stamped") -> Table:
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
