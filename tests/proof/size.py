"""How many cases are proven: a number for every database, or `PROOF_CASES`."""

from __future__ import annotations

import os

from django.db import connection
from hypothesis import HealthCheck, Phase, settings

CASES = {"sqlite": 2000}
"""For a suite run often; the server databases take much longer for a case."""

asked = os.environ.get("PROOF_CASES")
"""A number of one's own; more than those of the suite are new ones on every run."""

PHASES = [Phase.explicit, Phase.generate, Phase.shrink]


def proof_settings(*, share: float) -> settings:
    usual = CASES.get(connection.vendor, 200)
    cases = int(asked) if asked else usual
    return settings(
        max_examples=max(1, round(cases * share)),
        derandomize=cases <= usual,
        deadline=None,
        database=None,
        # one failure is enough where only a yes or no is asked for
        phases=PHASES[:2] if os.environ.get("PROOF_SHRINK") == "no" else PHASES,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )
