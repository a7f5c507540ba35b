"""A preview says what the plan in full says, whatever the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import transaction
from hypothesis import given

from dedupe_toolkit import plan_merge, row_set
from dedupe_toolkit.planning.session import Session
from dedupe_toolkit.references import discover
from dedupe_toolkit.reviewing.preview import preview_merge

from .proving import policy_of
from .reference_values import duplicate_groups
from .size import proof_settings
from .store import Store
from .strategies import situations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model

    from dedupe_toolkit.references.kinds import Reference

    from .reference_values import Choices
    from .tables import Rows

pytestmark = pytest.mark.django_db

HIDDEN = {"Letter", "Employee", "Person_follows", "Person_friends"}
"""Tables for whose sake merges of persons are planned in full, whatever else there is."""


@pytest.fixture
def fewer_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Preview and plan see none of the `HIDDEN` tables, so that there is more to preview."""
    held_by = discover.references_held

    def seen(holder: type[Model], model: type[Model], using: str) -> Iterator[Reference]:
        return iter(()) if holder.__name__ in HIDDEN else held_by(holder, model, using)

    monkeypatch.setattr(discover, "references_held", seen)
    monkeypatch.setattr(Session, "undeclared_keys", lambda session, model: [])


@proof_settings(share=0.2)
@given(situation=situations("person", "employee", "team", "tag"))
def test_a_preview_says_what_the_plan_says(situation: tuple[Rows, Choices]) -> None:
    compare(*situation)


@pytest.mark.usefixtures("fewer_tables")
@proof_settings(share=0.1)
@given(situation=situations("person"))
def test_a_preview_says_of_rivals_what_the_plan_says(situation: tuple[Rows, Choices]) -> None:
    compare(*situation)


def compare(rows: Rows, choices: Choices) -> None:
    policy = policy_of(choices)
    store = Store(choices.schema)
    with transaction.atomic(), store.declaring(choices):
        store.load(rows)
        for group in duplicate_groups(rows, choices):
            source = row_set(store.model_of(choices.table), list(group))
            preview = preview_merge(source, policy=policy)
            plan = plan_merge(source, policy=policy)
            assert preview == plan
        transaction.set_rollback(True)
