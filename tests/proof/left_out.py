"""What the proof does not compare, because the engine is known to differ there.

Each has its reason; taking one out is how to see whether it still holds.
"""

from __future__ import annotations

from django.db import connection

UNCOUNTED = (
    "proof.Duel.referee",
    "proof.Membership.prior",
    "proof.Person.boss",
    "proof.Team.heir",
)
"""A reference taken from another row as a value may move on, which the plan does not count."""


def not_drawn() -> set[str]:
    """Tables that are not drawn on this database.

    InnoDB checks foreign keys row by row: a duplicate whose unique value is pointed at by
    ``to_field`` cannot go before its survivor has that value, nor after. Its group is held back
    where elsewhere it is merged.
    """
    return {"letter"} if connection.vendor == "mysql" else set()
