"""What the proof does not compare, because the engine is known to differ there.

Each has its reason; taking one out is how to see whether it still holds.
"""

from __future__ import annotations

UNCOUNTED = (
    "proof.Duel.referee",
    "proof.Membership.prior",
    "proof.Person.boss",
    "proof.Team.heir",
)
"""A reference taken from another row as a value may move on, which the plan does not count."""
