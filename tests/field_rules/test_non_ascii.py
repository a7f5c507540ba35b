"""Field rules on text that is not ASCII: the same value on every database, and taken back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from dedupe_toolkit.field_rules.rules import RULES
from tests.concurrency_kit import on_sqlite
from tests.kit import assert_undo_restores, merged, snapshot
from tests.situations.links.models import Author
from tests.situations.typed.models import Everything

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("rule", "bios", "expected"),
    [
        ("longest", ["日本", "abcde"], "abcde"),  # six bytes, and five
        ("longest", ["Ærø", "ÄÖß", "four"], "four"),
        ("longest", ["😀😀", "abc"], "abc"),
        ("longest", ["e\u0301", "é"], "e\u0301"),  # a combining character counts
        ("longest", ["日本", "ab"], "日本"),  # as long as the other: the survivor's
        ("fill", ["", "ß"], "ß"),
        ("survivor", ["Ærø", "ÄÖ"], "Ærø"),
        ("newest", ["abc", "日本😀"], "日本😀"),
        ("oldest", ["e\u0301", "abc"], "e\u0301"),
    ],
)
def test_a_field_rule_takes_the_same_text_on_every_database(
    rule: str, bios: list[str], expected: str
) -> None:
    for bio in bios:
        Author.objects.create(name="Ann", bio=bio)
    before = snapshot()
    run = merged(Author, "name", field_rules={"bio": rule})
    assert Author.objects.get().bio == expected
    assert_undo_restores(run, before)


def test_joined_texts_keep_every_character() -> None:
    bios = ["Ærø", "ÄÖ", "日本", "😀", "ß", "e\u0301"]
    for bio in bios:
        Author.objects.create(name="Ann", bio=bio)
    before = snapshot()
    run = merged(Author, "name", field_rules={"bio": "concat"})
    joined = Author.objects.get().bio
    assert joined.replace("; ", "\n").split("\n") == bios
    assert_undo_restores(run, before)


ODD = (
    "",
    " ",
    "Ærø",
    "ærø",
    "É",
    "e\u0301",
    "日本",
    "😀",
    "\u3000",
    "\u200b",
    "a\tb\n",
    "\x7f",
    "%s",
    "{}",
)
ALWAYS_RULED = sorted({*RULES} - {"any", "all", "sum"})


@pytest.mark.parametrize("rule", ALWAYS_RULED)
@pytest.mark.parametrize("texts", [ODD, ODD[::-1]], ids=["there", "back"])
def test_every_rule_of_text_keeps_odd_text_to_the_byte_and_gives_it_back(
    rule: str, texts: tuple[str, ...]
) -> None:
    for text in texts:
        Author.objects.create(name="Ann", bio=text)
    before = snapshot()
    run = merged(Author, "name", field_rules={"bio": rule})
    taken = Author.objects.get().bio
    filled = [text for text in texts if text]
    if rule == "concat":
        assert taken == "\n".join(filled)
    elif rule == "survivor":
        assert taken == texts[0]
    else:
        assert taken in filled
    assert_undo_restores(run, before)


@pytest.mark.parametrize(("rule", "ordering"), [("min", "char"), ("max", "-char")])
def test_least_and_greatest_text_is_what_the_database_sorts_first(rule: str, ordering: str) -> None:
    for text in ("b", "B", "ä", "Ä", "z", "日", "_"):
        Everything.objects.create(name="Ann", char=text)
    first = Everything.objects.order_by(ordering, "pk").values_list("char", flat=True)[0]
    before = snapshot()
    run = merged(Everything, "name", field_rules={"char": rule})
    assert Everything.objects.get().char == first
    assert_undo_restores(run, before)


@pytest.mark.parametrize(
    ("rule", "values", "expected"),
    [
        ("any", [False, True, None], True),
        ("any", [None, False], False),
        ("all", [True, False, None], False),
        ("all", [None, True], True),
        ("any", [None, None], None),
    ],
)
def test_any_and_all_leave_unknown_values_out(
    rule: str, values: list[bool | None], expected: bool | None
) -> None:
    for value in values:
        Everything.objects.create(name="Ann", boolean=value)
    before = snapshot()
    run = merged(Everything, "name", field_rules={"boolean": rule})
    assert Everything.objects.get().boolean is expected
    assert_undo_restores(run, before)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("decimal", [Decimal("0.1"), Decimal("0.2")]),
        ("decimal", [Decimal("0.7"), Decimal("0.1"), Decimal("-0.3"), Decimal("1.01")]),
        ("big", [2**61, 2**61, 1]),
        ("small", [-5, 7]),
    ],
)
def test_a_sum_is_found_again_by_its_exact_value(field: str, values: list[Any]) -> None:
    for value in values:
        Everything.objects.create(name="Ann", **{field: value})
    before = snapshot()
    run = merged(Everything, "name", field_rules={field: "sum"})
    total = sum(values)
    assert getattr(Everything.objects.get(), field) == total
    assert Everything.objects.filter(**{field: total}).exists()
    assert_undo_restores(run, before)


@on_sqlite
def test_a_text_that_begins_with_nul_is_no_blank() -> None:
    for bio in ("\0kept", "other"):
        Author.objects.create(name="Ann", bio=bio)
    before = snapshot()
    run = merged(Author, "name")
    assert Author.objects.get().bio == "\0kept"
    assert_undo_restores(run, before)
