"""Signals of a merge. Django's own save and delete signals are not sent for merged rows.

A receiver of `pre_merge` that raises stops the merge before its batch changes a row. The others
are sent with ``send_robust``, after the commit: what their receivers raise is logged by Django.
"""

from __future__ import annotations

from django.dispatch import Signal

pre_merge = Signal()
"""Before the first row of a batch changes, in its transaction.

Sent by the model with ``run``, ``using`` and ``pairs``: a callable that returns an iterator of
(duplicate's key, survivor's key).
"""

post_merge = Signal()
"""After a batch has been committed; with the same arguments as `pre_merge`."""

post_undo = Signal()
"""After an undo has been committed; with the same arguments as `pre_merge`."""
