"""Rows that meet, and every choice a person has: drawn by hypothesis."""

from __future__ import annotations

from math import prod
from typing import Any

from hypothesis import strategies as st

from .reference_values import Choices
from .schema import ANY, BY_NAME, SUBJECTS, TABLES, Row, Rows, Table

FIRST_KEY = 8
"""Keys of one and of two digits, so that a comparison as text goes wrong."""

KEYS: dict[str, tuple[tuple[str, ...], ...]] = {
    "person": (("last",), ("last",), ("first",), ("first__lower",), ("first", "last")),
    "employee": (("last",), ("desk",), ("first", "pay")),
    "team": (("name",),),
    "tag": (("name",),),
}
TEXT_RULES = ("survivor", "fill", "newest", "oldest", "min", "max", "longest", "concat")
NUMBER_RULES = ("survivor", "fill", "newest", "oldest", "min", "max", "sum")
PICKING_RULES = ("survivor", "fill", "newest", "oldest")
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
}
SURVIVORS = ("oldest", "newest")
POLICIES = ("merge", "hold", "discard")
CONCERNED = {
    "tag": ("person_tags", "membership_tags", "note", "vote"),
    "team": ("membership", "membership_tags", "badge", "stamp", "note", "vote"),
}
"""What a merge of the table can change; a merge of persons changes everything."""

RIVALS = ("seat", "membership", "profile", "options", "duel", "vote")
"""Tables that collide by themselves; every merge of persons meets one of them."""

SIZES = {"tag": (2, 4), "team": (2, 5), "person": (3, 7)}
OTHER_SIZES = (2, 7)


@st.composite
def situations(
    draw: Any, *tables: str, policies: tuple[str, ...] = POLICIES
) -> tuple[Rows, Choices]:
    """Rows for some of the tables, and what is to be merged in one of them, and how."""
    choices = draw(all_choices(draw(st.sampled_from(tables)), policies))
    others = tuple(table.name for table in TABLES if table.name not in ("tag", "team", "person"))
    concerned = st.sampled_from(CONCERNED.get(choices.table, others))
    used = draw(st.sets(concerned, min_size=1, max_size=6))
    if choices.table not in CONCERNED:
        used |= {draw(st.sampled_from(RIVALS))}
    rows = draw(all_rows(_with_targets({*used, choices.table})))
    return rows, choices


def _with_targets(names: set[str]) -> set[str]:
    """The tables together with those that they point at."""
    targets = {to.table for name in names for to in BY_NAME[name].references.values()}
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
        on_collision=draw(st.sampled_from(policies)),
        on_conflict=draw(st.sampled_from(("survivor", "survivor", "survivor", "hold"))),
        limit=draw(st.sampled_from((None, None, None, 1))),
        batch_size=draw(st.sampled_from((0, 0, 1, 3))),
    )


@st.composite
def all_rows(draw: Any, used: set[str]) -> Rows:
    rows: Rows = {table.name: {} for table in TABLES}
    for table in TABLES:
        if table.name in used:
            rows[table.name] = _keyed(table, draw(_drafts(table)))
    for table in TABLES:
        rows[table.name] = _settled(table, rows)
    rows["person_friends"] = _both_ways(rows["person_friends"])
    return rows


def _drafts(table: Table) -> st.SearchStrategy[list[Row]]:
    """Rows whose references are still places in a list that is not known yet.

    A row is drawn as one number, which picks a value for every column: that is fast, and
    zero is the plainest row.
    """
    fewest, most = SIZES.get(table.name, OTHER_SIZES)
    numbers = st.integers(0, prod(map(len, _domains(table).values())) - 1)
    return st.lists(numbers, min_size=fewest, max_size=most).map(
        lambda drawn: [_draft(table, number) for number in drawn]
    )


def _draft(table: Table, number: int) -> Row:
    row = {}
    for column, domain in _domains(table).items():
        number, choice = divmod(number, len(domain))
        row[column] = domain[choice]
    return row


def _domains(table: Table) -> dict[str, tuple[Any, ...]]:
    domains: dict[str, tuple[Any, ...]] = {}
    for column, to in table.references.items():
        if to.table == ANY:
            domains["content_type"] = SUBJECTS
        places = tuple(range(SIZES.get(to.table, OTHER_SIZES)[1]))
        domains[column] = (None, *places) if to.is_nullable else places
    return domains | table.values


def _keyed(table: Table, drafts: list[Row]) -> dict[int, Row]:
    return {FIRST_KEY + place: {table.key: 0} | row for place, row in enumerate(drafts)}


def _settled(table: Table, rows: Rows) -> dict[int, Row]:
    """The rows with keys for places, without those that cannot be or break a unique rule."""
    settled: dict[int, Row] = {}
    seen: set[tuple[Any, ...]] = set()
    for key, draft in rows[table.name].items():
        row = _resolved(table, rows, draft, key)
        if row is None or row[table.key] in settled:
            continue
        values = {(rule, *(row[c] for c in rule)) for rule in table.unique}
        values = {value for value in values if None not in value}
        if not values & seen:
            seen |= values
            settled[row[table.key]] = row
    return _without_lost_targets(table, settled)


def _without_lost_targets(table: Table, rows: dict[int, Row]) -> dict[int, Row]:
    """A self-reference to a row that has been left out is empty."""
    own = [column for column, to in table.references.items() if to.table == table.name]
    lost = [{column: None for column in own if row[column] not in rows} for row in rows.values()]
    return {key: row | gone for (key, row), gone in zip(rows.items(), lost, strict=True)}


def _resolved(table: Table, rows: Rows, draft: Row, key: int) -> Row | None:
    row = dict(draft)
    if table.key not in table.references:
        row[table.key] = key
    for column, to in table.references.items():
        target = draft["content_type"] if to.table == ANY else to.table
        found = _found(to.by, rows[target], draft[column])
        if found is None and not to.is_nullable:
            return None
        row[column] = found
    return row


def _found(by: str, targets: dict[int, Row], place: int | None) -> Any:
    keys = [row[by] for row in targets.values() if row[by]] if by else list(targets)
    return keys[place % len(keys)] if keys and place is not None else None


def _both_ways(links: dict[int, Row]) -> dict[int, Row]:
    """A symmetrical relation is stored in both directions."""
    pairs: dict[tuple[int, int], None] = {}
    for row in links.values():
        one, other = row["from_person_id"], row["to_person_id"]
        pairs |= {(one, other): None, (other, one): None}
    return {
        FIRST_KEY + place: {"id": FIRST_KEY + place, "from_person_id": one, "to_person_id": other}
        for place, (one, other) in enumerate(pairs)
    }
