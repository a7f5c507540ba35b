"""The steps of the loop, in their order."""

from __future__ import annotations

from .reading import audit, find, plan
from .walk import Step
from .writing import make_unique, merge, migrate, prove

STEPS = (
    Step(verb="audit", about="which calls look it up", take=audit),
    Step(verb="find", about="which rows are equal", take=find),
    Step(verb="plan", about="what a merge would do", take=plan),
    Step(verb="merge", about="one row of each group", take=merge),
    Step(verb="make_unique", about="the model and its migration", take=make_unique),
    Step(verb="migrate", about="the constraint in the database", take=migrate),
    Step(verb="prove", about="the race without the constraint and with it", take=prove),
)
"""Each finds by itself whether it is done already, so a walk that was left goes on."""
