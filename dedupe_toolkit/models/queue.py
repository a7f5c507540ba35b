"""The tables of the review queue: scans of match keys, the duplicate groups they found, selections.

Groups are stored and not their rows: those are found again by the key.
"""

from __future__ import annotations

from django.core.serializers.json import DjangoJSONEncoder
from django.db import DEFAULT_DB_ALIAS, models
from django.utils.translation import gettext_lazy as _

from ..fields import KEY_LENGTH, KeyField, SentenceField
from ..verbose import LONGEST_NAME, model_words
from .own import OwnModel

IN_ORDER = ("-is_safe", "differing", "pk")
"""The order in which groups are reviewed."""


class Scan(OwnModel):
    """A match key and what the latest search for its duplicates found.

    ``key`` is the key as plain values (`plain_match_key`). One that ``is_selection`` looks only at
    rows that a person selected, which are its `SelectedRow`. Every search has another ``number``;
    ``groups`` are those it found, ``groups_before`` those that the search before it found.
    """

    class Status(models.TextChoices):
        NEW = "new", _("not scanned yet")
        RUNNING = "running", _("scanning")
        DONE = "done", _("scanned")
        CANCELLED = "cancelled", _("cancelled")

    model = models.CharField(_("model"), max_length=200)
    key = models.JSONField(_("match key"), default=dict, encoder=DjangoJSONEncoder)
    is_selection = models.BooleanField(_("selected rows"), default=False)
    by = models.CharField(_("selected by"), max_length=LONGEST_NAME, blank=True)
    status = models.CharField(
        _("status"), max_length=20, choices=Status.choices, default=Status.NEW
    )
    number = models.PositiveIntegerField(_("number"), default=0)
    started = models.DateTimeField(_("started"), null=True, blank=True)
    finished = models.DateTimeField(_("finished"), null=True, blank=True)
    groups = models.PositiveBigIntegerField(_("groups"), default=0)
    groups_before = models.PositiveBigIntegerField(_("groups before"), default=0)
    # until when a worker or a page has it in hand (`queue.lease`)
    tended = models.DateTimeField(_("in the background"), null=True, blank=True)

    class Meta:
        verbose_name = _("duplicates")
        verbose_name_plural = _("duplicates")
        ordering = ["model", "pk"]

    def __str__(self) -> str:
        return f"{model_words(self.model)}: {', '.join(self.key.get('fields', []))}"

    @property
    def using(self) -> str:
        """The database of the rows that are searched, and of the scan itself."""
        return self._state.db or DEFAULT_DB_ALIAS


class SelectedRow(OwnModel):
    """A row that a person selected for a scan; ``row`` is its key as the journal names keys."""

    scan = models.ForeignKey(
        Scan,
        db_index=False,  # the constraint's index begins with it
        on_delete=models.CASCADE,
        related_name="selected",
        verbose_name=_("scan"),
    )
    row = KeyField(_("row"), max_length=KEY_LENGTH)

    class Meta:
        verbose_name = _("selected row")
        verbose_name_plural = _("selected rows")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["scan", "row"], name="dedupe_selected_once"),
        ]

    def __str__(self) -> str:
        return str(self.row)


class QueuedGroup(OwnModel):
    """A duplicate group in review, as the latest scan of its key saw it.

    ``row`` is the key of its first row, as the journal names keys: its other rows are those equal
    to it on the match key. ``values`` are the key's values, exact; ``text`` is how people read and
    search them. ``is_safe`` says that its rows differ in no field, and that nothing collides or
    holds it back. ``seen`` and ``examined`` are the numbers of the scans that did so last.
    ``reason`` tells why it is held back.
    ``run`` is the merge run that it is in, or was merged by.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("pending")
        HELD = "held back", _("held back")
        SKIPPED = "skipped", _("skipped")
        OTHERS = "others", _("needs someone else")
        DISMISSED = "dismissed", _("dismissed")
        MERGED = "merged", _("merged")
        OUTDATED = "outdated", _("outdated")

    scan = models.ForeignKey(
        Scan,
        db_index=False,  # the constraint's index begins with it
        on_delete=models.CASCADE,
        related_name="queued",
        verbose_name=_("key"),
    )
    row = KeyField(_("first row"), max_length=KEY_LENGTH)
    values = models.JSONField(_("values"), null=True, encoder=DjangoJSONEncoder)
    text = models.TextField(_("key values"), blank=True)
    size = models.PositiveIntegerField(_("rows"))
    differing = models.PositiveIntegerField(_("differing fields"), default=0)
    is_safe = models.BooleanField(_("safe"), default=False)
    state = models.CharField(
        _("state"), max_length=20, choices=State.choices, default=State.PENDING
    )
    reason = SentenceField(_("reason"), null=True, blank=True)
    score = models.FloatField(_("score"), null=True, blank=True)
    found = models.DateTimeField(_("found"))
    seen = models.PositiveIntegerField(_("seen by scan"), default=0)
    examined = models.PositiveIntegerField(_("examined by scan"), default=0)
    run = models.ForeignKey(
        "dedupe_toolkit.MergeRun",
        null=True,
        blank=True,
        db_index=False,  # an index of several columns begins with it
        on_delete=models.SET_NULL,
        related_name="queued_groups",
        verbose_name=_("merge run"),
    )
    decided = models.DateTimeField(_("decided"), null=True, blank=True)
    by = models.CharField(_("decided by"), max_length=LONGEST_NAME, blank=True)

    class Meta:
        verbose_name = _("duplicate group")
        verbose_name_plural = _("duplicate groups")
        # the groups that need no thought come first
        ordering = [*IN_ORDER]
        constraints = [
            models.UniqueConstraint(fields=["scan", "row"], name="dedupe_queued_once"),
        ]
        indexes = [
            # to count by, without a look at the groups themselves
            models.Index(
                fields=["scan", "state", "is_safe", "size", "run"], name="dedupe_queued_counts"
            ),
            # the next to be examined, and the next of a run to be merged: without sorting what is
            # left, nor reading past what is done
            models.Index(fields=["scan", "seen", "examined", "id"], name="dedupe_queued_examined"),
            models.Index(fields=["run", "state", "id"], name="dedupe_queued_of_run"),
            models.Index(fields=["-is_safe", "differing", "id"], name="dedupe_queued_order"),
            # the queue of one scan, and the next of its groups, in order and without sorting
            models.Index(
                fields=["scan", "-is_safe", "differing", "id", "state"], name="dedupe_queued_next"
            ),
        ]

    def __str__(self) -> str:
        return self.text or str(self.row)


OPEN_STATES = (QueuedGroup.State.PENDING, QueuedGroup.State.HELD)
"""The states of groups that wait for a decision."""
