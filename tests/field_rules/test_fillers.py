"""Values of every kind are told apart, and written in full, whatever they raise."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from dedupe_toolkit.field_rules.fillers import differ, exact_text, is_blank
from testproject.films.models import Person


class Array:
    """As arrays of numbers are: compared number by number, and written without the middle."""

    def __init__(self, *numbers: Any) -> None:
        self.numbers = numbers

    def __ne__(self, other: object) -> Any:
        raise ValueError("the truth value is ambiguous")

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Array({self.numbers[0]} ... {self.numbers[-1]})"

    def tolist(self) -> list[Any]:
        return list(self.numbers)


class Number(Array):
    """As a number of an array that Python has no kind of its own for."""

    def tolist(self) -> Any:
        return self


class Money:
    """Compares itself with its like alone, and has no words."""

    def __init__(self, amount: str) -> None:
        self.amount = amount

    def __eq__(self, other: Any) -> bool:
        return bool(self.amount == other.amount)

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Array(1, 2, 3), Array(1, 5, 3)),
        ([Array(1, 2, 3)], [Array(1, 5, 3)]),
        (Array(Array(1, 2, 3)), Array(Array(1, 5, 3))),
        (Number(1), Number(2)),
        (Money("1"), Money("2")),
        (Money("1"), None),
        (1, "1"),
    ],
)
def test_unlike_values_differ_and_are_written_differently(one: Any, other: Any) -> None:
    assert differ(one, other)
    assert exact_text([1, one]) != exact_text([1, other])


@pytest.mark.parametrize("make", [lambda: Array(1, 2), lambda: Number(1), lambda: Money("1")])
def test_like_values_are_the_same_and_written_so(make: Any) -> None:
    assert not differ(make(), make())
    assert exact_text((1, make())) == exact_text((1, make()))


def test_plain_values_are_written_as_python_writes_them() -> None:
    plain = [1, None, "a", date(2020, 1, 2), Decimal("1.50")]
    assert exact_text(plain) == repr(plain)
    assert exact_text("a") == "'a'"


def test_what_compares_itself_with_its_like_alone_is_no_blank_text() -> None:
    field = Person._meta.get_field("biography")
    assert not is_blank(field, Money(""))
    assert is_blank(field, "")
