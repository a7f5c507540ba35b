"""Merge runs, and the groups that they left alone."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DEFAULT_DB_ALIAS, models
from django.utils.translation import gettext_lazy as _

from ..fields import KEY_LENGTH, KeyField, SentenceField
from ..verbose import LONGEST_NAME, model_words
from .own import OwnModel


class MergeRun(OwnModel):
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
    by = models.CharField(_("by"), max_length=LONGEST_NAME, blank=True)
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


class HeldGroup(OwnModel):
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
