from __future__ import annotations

from typing import Any

import django.contrib.postgres.fields
from django.contrib.postgres.operations import HStoreExtension
from django.db import migrations, models


def key() -> Any:
    return models.BigAutoField(
        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
    )


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        HStoreExtension(),
        migrations.CreateModel(
            name="Instrument",
            fields=[
                ("id", key()),
                ("name", models.CharField(max_length=50)),
                ("labels", django.contrib.postgres.fields.HStoreField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Repair",
            fields=[
                ("id", key()),
                (
                    "instrument",
                    models.ForeignKey(on_delete=models.deletion.CASCADE, to="hstore.instrument"),
                ),
            ],
        ),
    ]
