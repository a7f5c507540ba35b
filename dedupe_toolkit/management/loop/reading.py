"""The steps that only read: audit, find, plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dedupe_toolkit

from ...audit.about import about_key
from ...audit.formats.plain import print_audit
from ...reports.found import print_found
from ...reports.plans import print_plan
from ..policy import policy_from_options
from ..progress import progress_bar

if TYPE_CHECKING:
    from .walk import Walk

_GROUPS = 20


def audit(walk: Walk) -> None:
    """Which calls look up fields of the key, and what the database makes of them."""
    with progress_bar("Reading", walk.options["verbosity"]) as progress:
        found = dedupe_toolkit.audit_get_or_create(using=walk.using, progress=progress)
    print_audit(walk.console, about_key(found, walk.key))


def find(walk: Walk) -> None:
    """The rows that are equal on the key."""
    policy = policy_from_options(walk.key.model, walk.options)
    found = dedupe_toolkit.find_duplicates(
        walk.key, using=walk.using, survivor=policy.survivor, limit=_GROUPS
    )
    print_found(walk.console, found)


def plan(walk: Walk) -> None:
    """What a merge would do."""
    policy = policy_from_options(walk.key.model, walk.options)
    walk.plan = dedupe_toolkit.plan_merge(walk.key, using=walk.using, policy=policy)
    print_plan(walk.console, walk.plan)
