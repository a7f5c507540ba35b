"""The lines that `tests.proof.mutate` breaks are still there."""

from __future__ import annotations

from pathlib import Path

import pytest

import dedupe_toolkit

from .mutations import MUTATIONS, Mutation


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.promise)
def test_the_line_to_break_stands_exactly_once_in_the_package(mutation: Mutation) -> None:
    package = Path(dedupe_toolkit.__file__).parent
    assert (package / mutation.file).read_text().count(mutation.old) == 1
