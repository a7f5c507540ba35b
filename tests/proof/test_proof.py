"""The engine against the reference: whatever the rows, merged alike, and back again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given

from .proving import prove_and_roll_back
from .reference_values import Choices
from .schema import SCHEMA
from .size import proof_settings
from .strategies import situations

if TYPE_CHECKING:
    from .tables import Rows

    Situation = tuple[Rows, Choices]

pytestmark = pytest.mark.django_db


# one test for each policy, so that they can run side by side
@proof_settings(share=0.2)
@given(situation=situations("person", policies=("merge",)))
def test_persons_merge_with_their_rivals_as_in_the_reference(situation: Situation) -> None:
    prove_and_roll_back(*situation)


@proof_settings(share=0.2)
@given(situation=situations("person", policies=("hold",)))
def test_persons_whose_references_collide_are_held_back_as_in_the_reference(
    situation: Situation,
) -> None:
    prove_and_roll_back(*situation)


@proof_settings(share=0.2)
@given(situation=situations("person", policies=("discard",)))
def test_persons_merge_and_rivals_are_discarded_as_in_the_reference(situation: Situation) -> None:
    prove_and_roll_back(*situation)


@proof_settings(share=0.2)
@given(situation=situations("employee"))
def test_rows_that_inherit_merge_as_in_the_reference(situation: Situation) -> None:
    prove_and_roll_back(*situation)


@proof_settings(share=0.2)
@given(situation=situations("team", "tag"))
def test_the_far_ends_of_links_merge_as_in_the_reference(situation: Situation) -> None:
    prove_and_roll_back(*situation)


@proof_settings(share=0.2)
@given(situation=situations("paper", "sheet"))
def test_parts_of_two_parents_merge_as_in_the_reference(situation: Situation) -> None:
    prove_and_roll_back(*situation)


def stops(*rows: tuple[int, int | None, str, str]) -> Rows:
    """Rows of a tree alone: key, next, name and line of each."""
    named = ("id", "next_id", "name", "line")
    found = {row[0]: dict(zip(named, row, strict=True)) for row in rows}
    return {table.name: {} for table in SCHEMA.tables} | {"stop": found}


# too rare to be drawn each time
@proof_settings(share=0.1)
@example(
    situation=(
        stops((11, None, "u", "u"), (13, None, "u", "v"), (14, 13, "v", "u"), (15, 13, "u", "v")),
        Choices(table="stop", key=("line",)),
    )
)
@example(
    situation=(
        stops((8, None, "u", "u"), (9, 8, "v", "v"), (10, 10, "v", "u")),
        Choices(table="stop", key=("line",), survivor="newest", on_collision="discard"),
    )
)
@given(situation=situations("stop"))
def test_trees_of_duplicates_merge_as_in_the_reference(situation: Situation) -> None:
    prove_and_roll_back(*situation)
