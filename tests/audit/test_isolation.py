"""What a stricter isolation level makes of calls within a transaction."""

from __future__ import annotations

import pytest
from django.db import connection

from dedupe_toolkit import audit_get_or_create

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "other"])

LEVELS = {
    "postgresql": "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL {level}",
    "mysql": "SET SESSION TRANSACTION ISOLATION LEVEL {level}",
}


def verdicts() -> dict[str, str]:
    """The verdicts of the functions that call in a transaction, and outside of one."""
    found = audit_get_or_create("audited", everything=True).findings
    names = ("in_a_block", "in_a_function", "outside")
    return {one.name: f"{one.verdict} {one.decision.reason}" for one in found if one.name in names}


def test_at_read_committed_a_transaction_makes_no_difference() -> None:
    assert set(verdicts().values()) == {"safe exact"}


@pytest.mark.skipif(connection.vendor not in LEVELS, reason="all transactions are alike here")
@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_the_loser_does_not_see_the_winner_from_within_a_transaction(level: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(LEVELS[connection.vendor].format(level=level))
    try:
        assert verdicts() == {
            "in_a_block": "fragile snapshot",
            "in_a_function": "fragile snapshot",
            "outside": "safe exact",
        }
    finally:
        connection.close()
