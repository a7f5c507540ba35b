"""Every choice a person has, and the rows that it is about: drawn by hypothesis."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from .reference_values import Choices, Declared
from .rows import Drawing
from .schema import SCHEMA
from .tables import ANY

if TYPE_CHECKING:
    from .tables import Rows

KEYS: dict[str, tuple[tuple[str, ...], ...]] = {
    "person": (("last",), ("last",), ("first",), ("first__lower",), ("first", "last")),
    "employee": (("last",), ("desk",), ("first", "pay")),
    "team": (("name",),),
    "tag": (("name",),),
    "paper": (("title",),),
    "sheet": (("size",),),
    "stop": (("line",), ("name", "line")),
}
TEXT_RULES = ("survivor", "fill", "newest", "oldest", "min", "max", "longest", "concat")
NUMBER_RULES = ("survivor", "fill", "newest", "oldest", "min", "max", "sum")
PICKING_RULES = ("survivor", "fill", "newest", "oldest")
BELOW = {
    "employee": {"desk": TEXT_RULES, "pay": NUMBER_RULES},
    "membership": {"role": TEXT_RULES, "since": NUMBER_RULES},
    "badge": {"color": TEXT_RULES},
    "thesis": {"grade": NUMBER_RULES},
    "fold": {"style": TEXT_RULES},
    "profile": {"bio": TEXT_RULES, "site": TEXT_RULES},
    "options": {"theme": TEXT_RULES, "size": NUMBER_RULES},
    "shortcut": {},
    "seat": {},
    "duel": {"place": TEXT_RULES},
    "couple": {"place": TEXT_RULES},
    "vote": {"points": NUMBER_RULES},
}
"""Tables that a merge reaches below the top, and what can be declared of their columns."""

ORDERINGS = {"membership": "since", "options": "size", "vote": "points"}
RULED = {
    "person": {
        "note": TEXT_RULES,
        "score": NUMBER_RULES,
        "rank": NUMBER_RULES,
        "active": (*PICKING_RULES, "any", "all"),
    },
    "employee": {"note": TEXT_RULES, "desk": TEXT_RULES, "pay": NUMBER_RULES},
    "team": {"city": TEXT_RULES},
    "tag": {},
    "paper": {"pages": NUMBER_RULES},
    "sheet": {"color": TEXT_RULES},
    "stop": {},
}
SURVIVORS = ("oldest", "newest")
POLICIES = ("merge", "hold", "discard")
PARTS = ("thesis", "cite", "fold", "defence")
CONCERNED = {
    "tag": ("person_tags", "membership_tags", "note", "vote"),
    "team": ("membership", "membership_tags", "badge", "stamp", "note", "vote"),
    "paper": PARTS,
    "sheet": PARTS,
    "stop": ("stop",),
}
"""What a merge of the table can change; a merge of persons changes everything."""

RIVALS = ("thesis", "seat", "membership", "profile", "options", "duel", "couple", "vote")
"""Tables that collide by themselves; every merge of persons meets one of them."""

SIZES = {
    "stop": (3, 8),
    "paper": (3, 6),
    "sheet": (3, 6),
    "thesis": (2, 6),
    "tag": (2, 4),
    "team": (2, 5),
    "person": (3, 7),
}
DRAWING = Drawing(SCHEMA, SIZES)


@st.composite
def situations(
    draw: Any, *tables: str, policies: tuple[str, ...] = POLICIES
) -> tuple[Rows, Choices]:
    """Rows for some of the tables, and what is to be merged in one of them, and how."""
    choices = draw(all_choices(draw(st.sampled_from(tables)), policies))
    apart = ("tag", "team", "person", "stop")
    others = tuple(table.name for table in SCHEMA.tables if table.name not in apart)
    concerned = st.sampled_from(CONCERNED.get(choices.table, others))
    used = draw(st.sets(concerned, min_size=1, max_size=6))
    if choices.table not in CONCERNED:
        used |= {draw(st.sampled_from(RIVALS))}
    reached = _with_targets({*used, choices.table})
    rows = draw(DRAWING.rows(reached))
    return rows, replace(choices, declared=draw(declarations(reached - {choices.table})))


def _with_targets(names: set[str]) -> set[str]:
    """The tables together with those that they point at."""
    targets = {to.table for name in names for to in SCHEMA.by_name[name].references.values()}
    targets -= {ANY, *names}
    return _with_targets(names | targets) if targets else names | {"person"}


@st.composite
def all_choices(draw: Any, table: str, policies: tuple[str, ...]) -> Choices:
    key = draw(st.sampled_from(KEYS[table]))
    orderings = ("rank", "-rank") if table in ("person", "employee") else ()
    rules = {
        column: draw(st.sampled_from(names))
        for column, names in RULED[table].items()
        if column not in key and draw(st.integers(0, 3)) == 0
    }
    return Choices(
        table=table,
        key=key,
        nulls=draw(st.sampled_from(("distinct", "equal"))),
        survivor=draw(st.sampled_from(SURVIVORS + orderings)),
        rules=rules,
        kept=draw(st.sampled_from(((), (), ("duel.left_id",), ("duel.referee_id",)))),
        on_collision=draw(st.sampled_from(policies)),
        on_conflict=draw(st.sampled_from(("survivor", "survivor", "survivor", "hold"))),
        limit=draw(st.sampled_from((None, None, None, 1))),
        # which of them come first is for the engine to find out
        batch_size=0 if table == "stop" else draw(st.sampled_from((0, 0, 1, 3))),
    )


@st.composite
def declarations(draw: Any, reached: set[str]) -> dict[str, Declared]:
    """What is declared of some of the tables that a merge reaches."""
    return {
        table: draw(declarations_of(table))
        for table in sorted(reached & BELOW.keys())
        if draw(st.booleans())
    }


@st.composite
def declarations_of(draw: Any, table: str) -> Declared:
    """What is declared of a table: often only a part of what could be."""
    orderings = [sign + ORDERINGS[table] for sign in ("", "-") if table in ORDERINGS]
    sometimes = st.sampled_from((False, False, True))
    rules = {
        column: draw(st.sampled_from(names))
        for column, names in BELOW[table].items()
        if draw(st.integers(0, 2))
    }
    return Declared(
        rules=rules,
        survivor=draw(st.sampled_from((None, *SURVIVORS, *orderings))),
        on_collision=draw(st.sampled_from(POLICIES)) if draw(sometimes) else None,
        on_conflict=draw(st.sampled_from((None, "survivor", "hold"))),
    )
