"""Tables that each test makes by itself, under the names that it is about."""

from __future__ import annotations

from django.conf import settings
from django.db import models

QUOTE = "`" if settings.DATABASES["default"]["ENGINE"].endswith("mysql") else '"'


class Writer(models.Model):
    key = models.IntegerField(primary_key=True, db_column=f"The.{QUOTE}{QUOTE}Key")
    name = models.CharField(max_length=50, db_column="Order")
    note = models.CharField(max_length=50, blank=True, db_column="group by")

    class Meta:
        managed = False


class Text(models.Model):
    key = models.IntegerField(primary_key=True, db_column="Select")
    writer = models.ForeignKey(Writer, models.CASCADE, db_column=f"{QUOTE}{QUOTE}Writer.Id")
    title = models.CharField(max_length=50)
    note = models.CharField(max_length=50, null=True, db_column="From Note")

    class Meta:
        managed = False
        unique_together = [("writer", "title")]


class TextAgain(models.Model):
    """The same table once more, under what a test calls it."""

    key = models.IntegerField(primary_key=True, db_column="Select")
    writer = models.ForeignKey(
        Writer, models.CASCADE, related_name="+", db_column=f"{QUOTE}{QUOTE}Writer.Id"
    )

    class Meta:
        managed = False


class WriterAgain(models.Model):
    """The writers once more, under what a test calls their table."""

    key = models.IntegerField(primary_key=True, db_column=Writer._meta.pk.column)

    class Meta:
        managed = False


class Letter(models.Model):
    """Points at the writers by their other model, and no foreign key says so."""

    id = models.IntegerField(primary_key=True)
    writer = models.ForeignKey(WriterAgain, models.CASCADE, related_name="+", db_constraint=False)

    class Meta:
        managed = False


class LetterAgain(models.Model):
    """The letters once more, with a column that their first model does not know."""

    id = models.IntegerField(primary_key=True)
    reader = models.ForeignKey(
        Writer, models.CASCADE, related_name="+", db_constraint=False, db_column="READER_ID"
    )

    class Meta:
        managed = False


class Filed(models.Manager["Folder"]):
    def get_queryset(self) -> models.QuerySet[Folder]:
        return super().get_queryset().filter(closed=None)


class Folder(models.Model):
    """Its key is called otherwise in the database, and its manager hides rows."""

    key = models.IntegerField(primary_key=True, db_column="Select")
    name = models.CharField(max_length=9, db_column="key")
    closed = models.DateField(null=True, db_column="Order")

    objects = Filed()
    everything: models.Manager[Folder] = models.Manager()

    class Meta:
        managed = False


def _level(number: int, above: type[models.Model] | None) -> type[models.Model]:
    """A table whose rows hang on those of the one above, by a reference that is unique."""
    name = f"Level{number}"
    parent = above or Writer
    meta = type("Meta", (), {"managed": False, "unique_together": [("above", "label")]})
    fields = {
        "above": models.ForeignKey(parent, models.CASCADE),
        "label": models.CharField(max_length=5),
        "note": models.CharField(max_length=5),
        "__module__": __name__,
        "Meta": meta,
    }
    return type(models.Model)(name, (models.Model,), fields)


LEVELS: list[type[models.Model]] = []
for depth in range(14):
    LEVELS.append(_level(depth, LEVELS[-1] if LEVELS else None))


class Plain(models.Model):
    id = models.IntegerField(primary_key=True)
    name = models.CharField(max_length=9)
    note = models.CharField(max_length=9, null=True)

    class Meta:
        managed = False


class PlainText(models.Model):
    id = models.IntegerField(primary_key=True)
    plain = models.ForeignKey(Plain, models.CASCADE, db_constraint=False)

    class Meta:
        managed = False
