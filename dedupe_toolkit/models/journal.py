"""The journal: what each statement of a run changed, row by row."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from ..fields import KEY_LENGTH, KeyField
from ..indexes import FilledIndex
from .own import OwnModel
from .runs import MergeRun


class MergeStep(OwnModel):
    """One statement of a run: which rows of which table one batch changed, how and why.

    The steps of a run, in the order of their keys, are the order in which it happened; undo
    takes them in reverse. ``columns`` are the columns whose values the row changes hold. The keys
    of those lie between ``first_change`` and ``last_change``.
    """

    class Action(models.TextChoices):
        UPDATE = "update", _("updated")
        DELETE = "delete", _("deleted")

    class Reason(models.TextChoices):
        DUPLICATE = "duplicate", _("merged into its survivor")
        RIVAL = "rival", _("merged into its rival")
        REDUNDANT = "redundant", _("says nothing that its rival does not")
        DISCARDED = "discarded", _("collides, and was to be discarded")
        OWN_LINK = "own link", _("would link a row with itself")
        TIED = "tied", _("would relate a row to itself, and was to be discarded")
        REPOINTED = "repointed", _("points at the survivor")
        OWN_TARGET = "own target", _("would point at its own row")
        VALUE = "value", _("took a value from a duplicate")

    run = models.ForeignKey(
        MergeRun, on_delete=models.CASCADE, related_name="steps", verbose_name=_("merge run")
    )
    batch = models.PositiveIntegerField(_("batch"))
    model = models.CharField(_("model"), max_length=200)
    reference = models.CharField(_("reference"), max_length=200, blank=True)
    action = models.CharField(_("action"), max_length=10, choices=Action.choices)
    reason = models.CharField(_("reason"), max_length=20, choices=Reason.choices)
    columns = models.JSONField(_("columns"), default=list)
    rows = models.PositiveBigIntegerField(_("rows"), default=0)
    first_change = models.PositiveBigIntegerField(_("first row change"), default=0)
    last_change = models.PositiveBigIntegerField(_("last row change"), default=0)

    class Meta:
        verbose_name = _("merge step")
        verbose_name_plural = _("merge steps")
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.model}: {self.rows} rows {self.get_action_display()}"


class RowChange(OwnModel):
    """One row that a step changed, with the values of the step's columns before and after.

    ``row`` is the row's primary key as the step left it. ``before`` and ``after`` are images:
    JSON arrays of exact text, written and read by the database; a row that is gone has no
    ``after``. ``survivor`` is the key of the row into which the whole group was merged. ``merged``
    is the key under which the row is found no more, for it was merged itself or its key moved, and
    ``into`` the one that takes its place; only those are found by key, through an index each.
    Of a pruned run whose pairs are kept only those are left, without images.
    """

    step = models.ForeignKey(
        MergeStep,
        # checked by every insert, for rows only the merge itself ever writes
        db_constraint=False,
        db_index=False,
        on_delete=models.CASCADE,
        related_name="changes",
        verbose_name=_("merge step"),
    )
    row = KeyField(_("row"), max_length=KEY_LENGTH)
    survivor = KeyField(_("survivor"), max_length=KEY_LENGTH)
    merged = KeyField(_("merged row"), max_length=KEY_LENGTH, null=True)  # NULL: not merged
    into = KeyField(_("merged into"), max_length=KEY_LENGTH, null=True)  # NULL: not merged
    before = models.TextField(_("before"), null=True)  # noqa: DJ001  # NULL: pruned
    after = models.TextField(_("after"), null=True)  # noqa: DJ001  # NULL: the row is gone

    class Meta:
        verbose_name = _("row change")
        verbose_name_plural = _("row changes")
        ordering = ["pk"]
        # An index of all row changes takes a fifth of the time that writing them does. Those of a
        # step lie together, see `MergeStep`.
        indexes = [
            FilledIndex(fields=["merged"], name="dedupe_change_merged"),
            FilledIndex(fields=["into"], name="dedupe_change_into"),
        ]

    def __str__(self) -> str:
        return f"{self.row}: {self.before} → {self.after}"
