"""Whatever tables, keys and values are like: merged as in the reference, and back again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from .brief import in_brief
from .drawn import CASES_EACH, cases
from .drawn_models import existing
from .proving import prove_and_roll_back
from .size import proof_settings

if TYPE_CHECKING:
    from .drawn import Drawn

# not every database takes back in a transaction what tables there are
pytestmark = pytest.mark.django_db(transaction=True)


@proof_settings(share=0.5 / CASES_EACH)
@given(drawn=cases())
def test_drawn_schemas_merge_as_in_the_reference(drawn: Drawn) -> None:
    with existing(drawn.schema):
        for rows, choices in drawn.situations:
            try:
                prove_and_roll_back(rows, choices)
            except Exception as error:
                used = {name: found for name, found in rows.items() if found}
                error.add_note(in_brief(drawn.schema, used, choices))
                raise
