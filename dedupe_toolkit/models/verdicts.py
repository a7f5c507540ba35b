"""Verdicts of people: which rows are not duplicates of each other."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from ..fields import KEY_LENGTH, KeyField
from ..verbose import LONGEST_NAME, model_words
from .own import OwnModel


class DismissedGroup(OwnModel):
    """A person's verdict that rows of a model are not duplicates of each other.

    ``fields`` are the lookups of the match key that it is about, separated by commas and sorted,
    since their order makes no other groups; empty for every key of the model.
    """

    model = models.CharField(_("model"), max_length=200)
    fields = models.TextField(_("key fields"), blank=True)
    dismissed = models.DateTimeField(_("dismissed"), auto_now_add=True)
    # a name, no foreign key: users may live in another database than the rows
    by = models.CharField(_("dismissed by"), max_length=LONGEST_NAME, blank=True)
    note = models.TextField(_("note"), blank=True)

    class Meta:
        verbose_name = _("dismissed group")
        verbose_name_plural = _("dismissed groups")
        ordering = ["-pk"]
        indexes = [models.Index(fields=["model"], name="dedupe_dismissed_model")]

    def __str__(self) -> str:
        return f"{model_words(self.model)}: {', '.join(row.row for row in self.rows.all())}"


class DismissedRow(OwnModel):
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
