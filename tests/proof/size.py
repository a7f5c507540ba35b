"""How many cases are proven: a number for every database, or `PROOF_CASES`."""

from __future__ import annotations

import os

from django.db import connection
from hypothesis import HealthCheck, Phase, settings
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider
from hypothesis.internal.constants_ast import Constants

CASES = {"sqlite": 250}
"""For a suite run often; the server databases take much longer for a case."""

asked = os.environ.get("PROOF_CASES")
"""A number of one's own; more than those of the suite are new ones on every run."""

PHASES = [Phase.explicit, Phase.generate, Phase.shrink]


class Steady(HypothesisProvider):
    """Draws the same cases whatever else is loaded.

    Hypothesis itself draws, now and then, a constant from the source of the modules that happen to
    be loaded, so a case would come and go with the tests that run beside it.
    """

    @property
    def _local_constants(self) -> Constants:
        return Constants()


AVAILABLE_PROVIDERS["steady"] = f"{__name__}.{Steady.__name__}"


def proof_settings(*, share: float) -> settings:
    usual = CASES.get(connection.vendor, 100)
    cases = int(asked) if asked else usual
    return settings(
        max_examples=max(1, round(cases * share)),
        derandomize=cases <= usual,
        backend="steady",
        deadline=None,
        database=None,
        # one failure is enough where only a yes or no is asked for
        phases=PHASES[:2] if os.environ.get("PROOF_SHRINK") == "no" else PHASES,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )
