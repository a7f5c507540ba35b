"""The tables that stay: merge runs, the journal of what each changed, groups dismissed, the keys of
the last audit, and the review queue (in `queue_models`).

They live in the same database as the rows they speak of, so that a merge and its journal
land together or not at all.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DEFAULT_DB_ALIAS, models
from django.utils.translation import gettext_lazy as _

from .fields import KEY_LENGTH, KeyField, SentenceField
from .indexes import FilledIndex
from .queue_models import IN_ORDER, OPEN_STATES, QueuedGroup, Scan, SelectedRow
from .verbose import model_words

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


class MergeRun(models.Model):
    """One execution of a merge plan."""

    class Status(models.TextChoices):
        RUNNING = "running", _("running")
        PAUSED = "paused", _("paused")
        DONE = "done", _("done")
        INTERRUPTED = "interrupted", _("interrupted")
        UNDONE = "undone", _("undone")
        PRUNED = "pruned", _("pruned")

    class Origin(models.TextChoices):
        ADMIN = "admin", _("the admin")
        COMMAND = "command", _("a command")
        CODE = "code", _("code")

    model = models.CharField(_("model"), max_length=200)
    fields = models.JSONField(_("key fields"), default=list)
    policy = models.JSONField(_("policy"), default=dict, encoder=DjangoJSONEncoder)
    status = models.CharField(
        _("status"), max_length=20, choices=Status.choices, default=Status.RUNNING
    )
    started = models.DateTimeField(_("started"), auto_now_add=True)
    finished = models.DateTimeField(_("finished"), null=True, blank=True)
    by = models.CharField(_("by"), max_length=254, blank=True)
    # no foreign key: there may be no users at all, or they live in another database than the rows
    user_key = KeyField(_("user"), max_length=KEY_LENGTH, null=True, blank=True)
    origin = models.CharField(
        _("merged from"), max_length=10, choices=Origin.choices, default=Origin.CODE
    )
    batches = models.PositiveIntegerField(_("batches"), default=0)
    groups = models.PositiveBigIntegerField(_("groups"), default=0)
    merged = models.PositiveBigIntegerField(_("groups merged"), default=0)
    rows_merged = models.PositiveBigIntegerField(_("rows merged"), default=0)
    references = models.JSONField(_("references"), default=list)
    groups_held_back = models.PositiveBigIntegerField(_("groups held back"), default=0)
    undone = models.JSONField(_("groups undone"), default=list)
    # written with every batch, for whoever watches; `journal.progress` reads them
    progressed = models.DateTimeField(_("last progress"), null=True, blank=True)
    seconds = models.FloatField(_("seconds at work"), default=0)
    lock_seconds = models.FloatField(_("seconds of locks in the last batch"), default=0)
    waits_for = models.CharField(_("waits for"), max_length=200, blank=True)
    # asked for by a person; whoever has it in hand ends it after the batch under way
    is_cancelled = models.BooleanField(_("cancelled"), default=False)
    # until when a worker or a page has it in hand (`queue.lease`)
    tended = models.DateTimeField(_("in the background"), null=True, blank=True)

    class Meta:
        verbose_name = _("merge run")
        verbose_name_plural = _("merge runs")
        ordering = ["-pk"]
        permissions = [
            ("scan_duplicates", "Can scan for duplicates"),
            ("merge_duplicates", "Can merge duplicates"),
            ("dismiss_duplicates", "Can say that rows are not duplicates"),
            ("undo_merges", "Can undo merges"),
        ]

    def __str__(self) -> str:
        return str(_("Merge run %(number)s of %(rows)s")) % {
            "number": self.pk,
            "rows": model_words(self.model),
        }

    @property
    def using(self) -> str:
        """The database of the rows that were merged, and of the run itself."""
        return self._state.db or DEFAULT_DB_ALIAS

    @property
    def user(self) -> Any:
        """The user who merged, by one statement; None where there is no such user (any more)."""
        if self.user_key is None:
            return None
        try:
            model: Any = get_user_model()
            key = model._meta.pk.to_python(self.user_key)
        except (ImproperlyConfigured, ValidationError):  # another model of users than then
            return None
        return model._base_manager.filter(pk=key).first()

    @property
    def held_back(self) -> list[dict[str, Any]]:
        """The groups held back, as plain values: what they share, their rows, and why."""
        groups = self.held_groups.order_by("pk").values("values", "rows", "reason")
        return [{**group, "code": group["reason"].code} for group in groups]


class HeldGroup(models.Model):
    """A duplicate group that a run left alone, with the reason, for a person to review."""

    run = models.ForeignKey(
        MergeRun, on_delete=models.CASCADE, related_name="held_groups", verbose_name=_("merge run")
    )
    values = models.JSONField(_("key values"), default=dict, encoder=DjangoJSONEncoder)
    rows = models.JSONField(_("rows"), default=list, encoder=DjangoJSONEncoder)
    reason = SentenceField(_("reason"))

    class Meta:
        verbose_name = _("group held back")
        verbose_name_plural = _("groups held back")
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.rows}: {self.reason}"


class DismissedGroup(models.Model):
    """A person's verdict that rows of a model are not duplicates of each other.

    ``fields`` are the lookups of the match key that it is about, separated by commas and sorted,
    since their order makes no other groups; empty for every key of the model.
    """

    model = models.CharField(_("model"), max_length=200)
    fields = models.TextField(_("key fields"), blank=True)
    dismissed = models.DateTimeField(_("dismissed"), auto_now_add=True)
    # a name, no foreign key: users may live in another database than the rows
    by = models.CharField(_("dismissed by"), max_length=254, blank=True)
    note = models.TextField(_("note"), blank=True)

    class Meta:
        verbose_name = _("dismissed group")
        verbose_name_plural = _("dismissed groups")
        ordering = ["-pk"]
        indexes = [models.Index(fields=["model"], name="dedupe_dismissed_model")]

    def __str__(self) -> str:
        return f"{model_words(self.model)}: {', '.join(row.row for row in self.rows.all())}"


class DismissedRow(models.Model):
    """One row of a dismissed group; ``row`` is its primary key as the journal names keys."""

    group = models.ForeignKey(
        DismissedGroup,
        db_index=False,  # one of the indexes below begins with it
        on_delete=models.CASCADE,
        related_name="rows",
        verbose_name=_("dismissed group"),
    )
    row = KeyField(_("row"), max_length=KEY_LENGTH)

    class Meta:
        verbose_name = _("dismissed row")
        verbose_name_plural = _("dismissed rows")
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["row"], name="dedupe_dismissed_row"),
            models.Index(fields=["group", "row"], name="dedupe_dismissed_group_row"),
        ]

    def __str__(self) -> str:
        return str(self.row)


class AuditedKey(models.Model):
    """What an unsafe call looks up, as the last audit of the whole project found it.

    ``places`` are where such calls stand; all keys of one audit have the same ``audited``.
    """

    model = models.CharField(_("model"), max_length=200)
    fields = models.JSONField(_("key fields"), default=list)
    places = models.JSONField(_("places"), default=list)
    audited = models.DateTimeField(_("audited"))

    class Meta:
        verbose_name = _("audited key")
        verbose_name_plural = _("audited keys")
        ordering = ["model", "pk"]

    def __str__(self) -> str:
        return f"{self.model} {', '.join(self.fields)}"


class MergeStep(models.Model):
    """One statement of a run: which rows of which table one batch changed, how and why.

    The steps of a run, in the order of their keys, are the order in which it happened; undo
    takes them in reverse. ``columns`` are the columns whose values the row changes hold. The keys
    of those lie between ``first_change`` and ``last_change``.
    """

    class Action(models.TextChoices):
        UPDATE = "update", _("updated")
        INSERT = "insert", _("inserted")
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
        MOVED = "moved", _("belongs to the survivor")

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


class RowChange(models.Model):
    """One row that a step changed, with the values of the step's columns before and after.

    ``row`` is the row's primary key as the step left it. ``before`` and ``after`` are images:
    JSON arrays of exact text, written and read by the database; NULL where there was no row.
    ``survivor`` is the key of the row into which the whole group was merged. ``merged`` is the key
    under which the row is found no more, for it was merged itself or its key moved, and ``into``
    the one that takes its place; only those are found by key, through an index each.
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
    before = models.TextField(_("before"), null=True)  # noqa: DJ001  # NULL: there was no row
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
