"""The tables that stay: merge runs, the journal of what each changed, groups dismissed, the keys of
the last audit, and the review queue.

They live in the same database as the rows they speak of, so that a merge and its journal
land together or not at all.
"""

from .audited import AuditedKey
from .journal import MergeStep, RowChange
from .queue import IN_ORDER, OPEN_STATES, QueuedGroup, Scan, SelectedRow
from .runs import HeldGroup, MergeRun
from .verdicts import DismissedGroup, DismissedRow

__all__ = [
    "IN_ORDER",
    "OPEN_STATES",
    "AuditedKey",
    "DismissedGroup",
    "DismissedRow",
    "HeldGroup",
    "MergeRun",
    "MergeStep",
    "QueuedGroup",
    "RowChange",
    "Scan",
    "SelectedRow",
]
