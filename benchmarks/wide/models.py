"""An owner, and the tables that may point at it: as many as ``BENCH_REFERENCES`` says."""

from __future__ import annotations

import os
from typing import Any

from django.db import models

from .schema import tables

REFERENCES = int(os.environ.get("BENCH_REFERENCES", "130"))


class Owner(models.Model):
    name = models.CharField(max_length=50)

    def __str__(self) -> str:
        return self.name


def _model(name: str, fields: dict[str, Any], options: dict[str, Any]) -> type[models.Model]:
    meta = type("Meta", (), {"app_label": "wide", **options})
    return type(name, (models.Model,), {"__module__": __name__, "Meta": meta, **fields})


MODELS = [_model(*table) for table in tables(REFERENCES, "wide.Owner")]
REFERRING = MODELS[:REFERENCES]
