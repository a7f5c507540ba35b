"""The tables of `tests.situations.proof`, said again by hand so that nothing is read from Django.

Every domain is small, so that rows meet. Values are lower-case ASCII: on those all databases agree.
"""

from __future__ import annotations

from .tables import ANY, Schema, Table, To

TEXT = ("", "u", "vv", "w")
NUMBER = (None, 0, 1, 2)
FLAG = (None, False, True)
LABEL = ("u", "v")
FEW = ("", "u")
"""For rivals: as often equal as different."""


def link(
    name: str, left: str, right: str, *, ends: tuple[str, str] | None = None, both: bool = False
) -> Table:
    """The table of a many-to-many relation that Django made by itself."""
    one, other = ends or (f"{left}_id", f"{right}_id")
    pair = {one: To(left), other: To(right)}
    return Table(name, pair, unique=((one, other),), is_link=True, is_symmetrical=both)


ENDS = ("from_person_id", "to_person_id")
PERSON = {
    "first": (None, "a", "b"),
    "last": ("x", "y"),
    "note": TEXT,
    "score": NUMBER,
    "rank": (0, 1),
    "active": FLAG,
    "code": (None, "c1", "c2", "c3", "c4", "c5"),
}

TABLES = (
    Table("tag", values={"name": ("x", "y")}),
    Table("team", {"heir_id": To("team")}, {"name": ("x", "y"), "city": TEXT}),
    Table(
        "person",
        {"boss_id": To("person", is_nullable=True)},
        PERSON,
        unique=(("code",),),
        checks=(("MOST", "score"),),
    ),
    Table(
        "employee",
        {"person_ptr_id": To("person")},
        {"desk": TEXT, "pay": NUMBER},
        key="person_ptr_id",
        parent="person",
    ),
    Table("task", {"employee_id": To("employee")}),
    Table("book", {"author_id": To("person")}),
    Table("review", {"author_id": To("person", is_nullable=True)}),
    Table("trace", {"author_id": To("person", is_checked=False)}),
    Table("letter", {"person_id": To("person", by="code", is_nullable=True)}),
    link("person_tags", "person", "tag"),
    link("person_follows", "person", "person", ends=ENDS),
    link("person_friends", "person", "person", ends=ENDS, both=True),
    Table(
        "membership",
        {
            "person_id": To("person"),
            "team_id": To("team"),
            "prior_id": To("membership", is_nullable=True),
        },
        {"role": FEW, "since": (None, 1)},
        unique=(("person_id", "team_id"),),
    ),
    link("membership_tags", "membership", "tag"),
    Table(
        "badge",
        {"membership_id": To("membership")},
        {"label": LABEL, "color": FEW},
        unique=(("membership_id", "label"),),
    ),
    Table("stamp", {"badge_id": To("badge")}),
    Table(
        "profile",
        {"person_id": To("person")},
        {"bio": FEW, "site": FEW},
        unique=(("person_id",),),
    ),
    Table("post", {"profile_id": To("profile")}),
    Table(
        "options",
        {"person_id": To("person")},
        {"theme": FEW, "size": (None, 1)},
        unique=(("person_id",),),
        key="person_id",
    ),
    Table(
        "shortcut",
        {"options_id": To("options")},
        {"keys": LABEL},
        unique=(("options_id", "keys"),),
    ),
    Table(
        "seat",
        {"person_id": To("person")},
        {"row": (None, 1, 2), "number": (1, 2, 3)},
        unique=(("person_id", "row"), ("person_id", "number")),
    ),
    Table(
        "duel",
        {
            "left_id": To("person"),
            "right_id": To("person"),
            "referee_id": To("person", is_nullable=True),
        },
        {"place": TEXT},
        unique=(("left_id", "right_id"),),
    ),
    Table(
        "couple",
        {"left_id": To("person"), "right_id": To("person")},
        {"place": FEW},
        unique=(("left_id", "right_id"),),
        unordered=(("left_id", "right_id"),),
    ),
    Table(
        "ticket",
        {"person_id": To("person")},
        {"floor": (None, 8, 11)},
        checks=(("person_id", "floor"),),
    ),
    Table("like", {"profile_id": To("profile", by="person_id", is_nullable=True)}),
    Table("paper", values={"title": ("x", "y"), "pages": NUMBER}),
    Table("sheet", values={"size": (1, 2), "color": FEW}, key="sheet_id"),
    Table(
        "thesis",
        {
            "paper_ptr_id": To("paper"),
            "sheet_ptr_id": To("sheet"),
            "person_id": To("person"),
        },
        {"grade": (None, 1)},
        unique=(("sheet_ptr_id",), ("person_id",)),
        key="paper_ptr_id",
        parent="paper",
        links=("sheet_ptr_id",),
    ),
    Table("cite", {"paper_id": To("paper")}),
    Table("fold", {"sheet_id": To("sheet")}, {"style": FEW}, unique=(("sheet_id",),)),
    Table("defence", {"thesis_id": To("thesis")}),
    Table(
        "stop",
        {"next_id": To("stop", is_nullable=True)},
        {"name": LABEL, "line": LABEL},
        unique=(("next_id", "name"),),
    ),
    Table("note", {"object_id": To(ANY)}),
    Table(
        "vote",
        {"object_id": To(ANY)},
        {"who": LABEL, "points": NUMBER},
        unique=(("content_type", "object_id", "who"),),
    ),
)

SCHEMA = Schema("proof", TABLES, subjects=("person", "membership", "team", "tag"))
