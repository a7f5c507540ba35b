"""A preview says what the plan in full says, whatever the rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from django.db import transaction
from hypothesis import given

from dedupe_toolkit import MergePolicy, plan_merge, row_set
from dedupe_toolkit.engine.preview import preview_merge

from .database import load, model_of
from .reference_values import duplicate_groups
from .size import proof_settings
from .strategies import situations

if TYPE_CHECKING:
    from .reference_values import Choices
    from .schema import Rows

pytestmark = pytest.mark.django_db


@proof_settings(share=0.2)
@given(situation=situations("person", "employee", "team", "tag"))
def test_a_preview_says_what_the_plan_says(situation: tuple[Rows, Choices]) -> None:
    rows, choices = situation
    policy = MergePolicy(
        survivor=choices.survivor,
        field_rules=choices.rules,
        on_collision=choices.on_collision,
        on_conflict=choices.on_conflict,
    )
    with transaction.atomic():
        load(rows)
        for group in duplicate_groups(rows, choices):
            source = row_set(model_of(choices.table), list(group))
            preview = preview_merge(source, policy=policy)
            plan = plan_merge(source, policy=policy)
            assert replace(preview, token="") == replace(plan, token="")
        transaction.set_rollback(True)
