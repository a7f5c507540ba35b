"""How duplicates of this app's models are found and merged, for commands and admin alike."""

from __future__ import annotations

from dedupe_toolkit import register
from testproject.films.models import Person

register(
    Person,
    keys=["name"],
    # two profiles of one person say different things: keep what either of them knows
    collisions={"films.PersonProfile.person": "merge", "films.Credit.person": "merge"},
)
