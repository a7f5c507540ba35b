"""Values are the same however they are made."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import pytest

from dedupe_toolkit import match_key
from dedupe_toolkit.errors import InvalidOption
from dedupe_toolkit.values import Blanks, MatchKey, Nulls
from tests.situations.odd.models import Person


def test_a_key_takes_plain_text_for_its_choices() -> None:
    key = MatchKey(model=Person, fields=("name",), nulls="equal", blanks="distinct")
    assert key == match_key(Person, ["name"], nulls="equal", blanks="distinct")
    assert (key.nulls, key.blanks) == (Nulls.EQUAL, Blanks.DISTINCT)
    assert isinstance(key.nulls, Nulls)
    assert isinstance(key.blanks, Blanks)


def test_a_key_has_choices_when_none_are_named() -> None:
    key = MatchKey(model=Person, fields=("name",))
    assert (key.nulls, key.blanks) == (Nulls.DISTINCT, Blanks.EQUAL)


def test_a_key_is_copied_and_changed_as_a_whole() -> None:
    key = MatchKey(model=Person, fields=("name",), nulls="equal")
    assert deepcopy(key) == key
    assert replace(key, blanks="distinct").nulls is Nulls.EQUAL
    assert "nulls=<Nulls.EQUAL" in repr(key)


def test_a_choice_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidOption, match="nulls is distinct or equal, not 'equl'"):
        MatchKey(model=Person, fields=("name",), nulls="equl")
