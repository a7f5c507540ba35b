"""PostgreSQL's hstore, which is a type only once its extension is there."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import HStoreField
from django.db import models


class Instrument(models.Model):
    name = models.CharField(max_length=50)
    labels: Any = HStoreField(null=True)


class Repair(models.Model):
    instrument = models.ForeignKey(Instrument, models.CASCADE)
