"""Signals of a merge. Django's own save and delete signals are not sent for merged rows.

A receiver of `pre_merge` that raises stops the merge before its batch changes a row. The others
are sent with ``send_robust``, after the commit: what their receivers raise is logged by Django.
"""

from __future__ import annotations

from typing import Any

from django.dispatch import Signal


class _AfterCommit(Signal):
    """A signal whose receivers may raise: they are logged, whatever they are."""

    def _log_robust_failure(self, receiver: Any, err: Exception) -> None:
        # Django asks for the name of a function, which an object and a partial lack
        named = receiver if hasattr(receiver, "__qualname__") else type(receiver)
        super()._log_robust_failure(named, err)  # type: ignore[misc]  # its stubs leave it out


pre_merge = Signal()
"""Before the first row of a batch changes, in its transaction.

Sent by the model with ``run``, ``using`` and ``pairs``: a callable that returns an iterator of
(duplicate's key, survivor's key).
"""

post_merge = _AfterCommit()
"""After a batch has been committed; with the same arguments as `pre_merge`."""

post_undo = _AfterCommit()
"""After an undo has been committed; with the same arguments as `pre_merge`."""
