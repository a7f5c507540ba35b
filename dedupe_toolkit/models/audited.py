"""The keys of the last audit."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from .own import OwnModel


class AuditedKey(OwnModel):
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
